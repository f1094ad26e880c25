/** Completion in a selector. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { completeSelector, quoteValue } from './selector-completion.ts'

const keys = [
  { key: 'service.name', agents: 5, values: ['otelcol', 'otelcol-contrib'] },
  { key: 'os.type', agents: 5, values: ['linux', 'windows server'] },
  { key: 'label.site', agents: 2, values: ['ber', 'ham'] },
]
const labels = (text: string) => completeSelector(text, text.length, keys).options.map(({ label }) => label)
const applied = (text: string, label: string) => {
  const { from, options } = completeSelector(text, text.length, keys)
  return text.slice(0, from) + options.find((option) => option.label === label)?.insert
}

describe('completion', () => {
  it('starts with the keys that agents have', () => {
    expect(labels('')).toEqual(['service.name', 'os.type', 'label.site'])
    expect(labels('serv')).toEqual(['service.name'])
    expect(applied('serv', 'service.name')).toBe('service.name ')
  })

  it('offers operators after a key', () => {
    expect(labels('os.type ')).toEqual(['=', '!=', '=~', '!~', 'in'])
    expect(applied('os.type ', 'in')).toBe('os.type in (')
  })

  it('offers the values of that key, quoted when they have to be', () => {
    expect(labels('os.type = ')).toEqual(['linux', 'windows server'])
    expect(applied('os.type = wi', 'windows server')).toBe('os.type = "windows server" ')
    expect(applied('os.type = "wi', 'windows server')).toBe('os.type = "windows server" ')
  })

  it('offers the values within a list, then its end or one more', () => {
    expect(labels('label.site in (')).toEqual(['ber', 'ham'])
    expect(labels('label.site in (ber')).toEqual(['ber'])
    expect(labels('label.site in (ber ')).toEqual([')', ','])
    expect(labels('label.site in (ber, ')).toEqual(['ber', 'ham'])
  })

  it('goes on after a condition, also after one that is negated or asks for existence', () => {
    expect(labels('os.type = linux ')).toEqual(['and'])
    expect(labels('os.type = linux and ')).toEqual(['service.name', 'os.type', 'label.site'])
    expect(labels('os.type = linux, lab')).toEqual(['label.site'])
    expect(labels('exists(lab')).toEqual(['label.site'])
    expect(labels('not exists(label.site) ')).toEqual(['and'])
    expect(labels('label.site in (ber) ')).toEqual(['and'])
  })

  it('completes at the caret, not at the end', () => {
    const text = 'serv = otelcol'
    expect(completeSelector(text, 4, keys)).toMatchObject({ from: 0, options: [{ label: 'service.name' }] })
  })

  it('never fails, and never replaces text after the caret or before the word', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(40), (text, at) => {
        const caret = Math.min(at, text.length)
        const { from } = completeSelector(text, caret, keys)
        expect(from).toBeGreaterThanOrEqual(0)
        expect(from).toBeLessThanOrEqual(caret)
      }),
    )
  })
})

it('quotes values that would be read as something else', () => {
  expect(quoteValue('web-1.eu')).toBe('web-1.eu')
  expect(quoteValue('and')).toBe('"and"')
  expect(quoteValue('a "b" \\')).toBe('"a \\"b\\" \\\\"')
})
