import { describe, expect, it } from 'vitest'
import { KnownSecrets } from './known-secrets.ts'

function knowing(...values: readonly string[]): KnownSecrets {
  const secrets = new KnownSecrets()
  secrets.add(values)
  return secrets
}

describe('KnownSecrets', () => {
  it('takes a value out wherever it stands, also as it is written in configurations, JSON and URLs', () => {
    const value = 'a"b$c d/e\\f'
    const { redact } = knowing(value)
    for (const text of [value, `x${value}y`, value.replaceAll('$', '$$$$'), JSON.stringify({ a: value }), `https://h/?t=${encodeURIComponent(value)}`])
      expect(redact(text)).toContain('[REDACTED]')
    expect(redact(`x${value}y`)).toBe('x[REDACTED]y')
    expect(redact('nothing of it')).toBe('nothing of it')
  })

  it('takes the longer of two, one of which begins the other', () => {
    expect(knowing('token', 'token-and-more').redact('token-and-more token')).toBe('[REDACTED] [REDACTED]')
  })

  it('finds the lines of a key by themselves', () => {
    const { redact } = knowing('-----BEGIN KEY-----\nMIIBVgIBADANBgkqh\nabc\n-----END KEY-----\n')
    expect(redact('at MIIBVgIBADANBgkqh: bad')).toBe('at [REDACTED]: bad')
    expect(redact('abc')).toBe('abc')
  })

  it('finds all lines of a value that stands indented in a text that is no YAML', () => {
    const { redact } = knowing('user: bob\n\npass: $x')
    expect(redact('cert: |\n    user: bob\n\n    pass: $$x\n  bad: [')).toBe('cert: |\n    [REDACTED]\n  bad: [')
    expect(redact('user: bob')).toBe('user: bob')
  })

  it('finds a value in single quotes, which doubles its own', () => {
    expect(knowing("it's me").redact("key: 'it''s me' [")).toBe("key: '[REDACTED]' [")
  })

  it('leaves values alone that are too short to tell apart from other words', () => {
    expect(knowing('on', '80').redact('listen on port 8080')).toBe('listen on port 8080')
  })

  it('says whether anything is new', () => {
    const secrets = knowing('value-one')
    expect(secrets.add(['value-one'])).toBe(false)
    expect(secrets.add(['value-two'])).toBe(true)
  })
})
