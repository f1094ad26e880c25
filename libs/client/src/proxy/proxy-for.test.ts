import { describe, expect, it } from 'vitest'
import type { ProxySettings } from '../client.ts'
import { type Environment, proxyFor, proxyName, proxyProblem } from './proxy-for.ts'

const environment: ProxySettings = { kind: 'environment' }

function name(url: string, env: Environment, settings = environment): string | undefined {
  const proxy = proxyFor(settings, new URL(url), env)
  return proxy && proxyName(proxy)
}

describe('the environment', () => {
  const env = { HTTPS_PROXY: 'http://secure:3128', http_proxy: 'plain:8080', ALL_PROXY: 'socks5://all' }

  it('has a proxy for URLs with TLS and one for those without, WebSockets included', () => {
    expect(name('wss://drover.example', env)).toBe('http://secure:3128')
    expect(name('https://drover.example', env)).toBe('http://secure:3128')
    expect(name('ws://drover.example', env)).toBe('http://plain:8080')
    expect(name('http://drover.example', env)).toBe('http://plain:8080')
  })

  it('has one for all where these say nothing, and upper case comes first', () => {
    expect(name('ws://drover.example', { ALL_PROXY: 'socks5h://all', HTTP_PROXY: ' ' })).toBe('socks5://all:1080')
    expect(name('wss://drover.example', { HTTPS_PROXY: 'upper', https_proxy: 'lower' })).toBe('http://upper:80')
    expect(name('wss://drover.example', {})).toBeUndefined()
  })

  it('is not asked when the settings say so', () => {
    expect(name('wss://drover.example', env, { kind: 'none' })).toBeUndefined()
    expect(name('wss://127.0.0.1', { NO_PROXY: '*' }, { kind: 'url', url: 'https://given', connectHeaders: [] })).toBe('https://given:443')
  })

  it.each(['localhost', '127.0.0.1', '127.9.9.9', '[::1]', 'LOCALHOST'])('is not asked for this machine itself: %s', (host) => {
    expect(name(`wss://${host}:4320`, env)).toBeUndefined()
  })

  it.each<[string, string, boolean]>([
    ['*', 'drover.example', true],
    ['drover.example', 'drover.example', true],
    ['drover.example', 'eu.drover.example', true],
    ['drover.example', 'notdrover.example', false],
    ['.drover.example', 'eu.drover.example', true],
    ['*.drover.example', 'eu.drover.example', true],
    ['.drover.example', 'drover.example', false],
    ['DROVER.Example', 'drover.example', true],
    ['a, b ,drover.example', 'drover.example', true],
    ['drover.example:4320', 'drover.example', true],
    ['drover.example:443', 'drover.example', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3:4320', '10.1.2.3', true],
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/16', '10.1.2.3', false],
    ['10.0.0.0/33', '10.1.2.3', false],
    ['fd00::/8', '[fd00::1]', true],
    ['fd00::1', '[fd00::1]', true],
    ['[fd00::1]:4320', '[fd00::1]', true],
    ['10.0.0.0/8', 'drover.example', false],
    ['', 'drover.example', false],
  ])('exempts by NO_PROXY=%s the host %s: %s', (list, host, isExempt) => {
    expect(name(`wss://${host}:4320`, { HTTPS_PROXY: 'p', NO_PROXY: list }) === undefined).toBe(isExempt)
  })
})

describe('the URL of a proxy', () => {
  const given = (url: string, connectHeaders: readonly (readonly [string, string])[] = []): ProxySettings => ({ kind: 'url', url, connectHeaders })

  it('may have credentials, which are not part of its name', () => {
    const proxy = proxyFor(given('http://us%40er:pass%3Aword@[fd00::1]:3128'), new URL('wss://drover.example'), {})
    expect(proxy).toMatchObject({ host: 'fd00::1', port: 3128, credentials: { user: 'us@er', password: 'pass:word' } })
    expect(proxy && proxyName(proxy)).toBe('http://[fd00::1]:3128')
  })

  it.each([
    [given('ftp://proxy'), 'scheme "ftp:"'],
    [given('http://'), 'is no URL'],
    [given('http://secret:%zz@proxy'), 'percent-encoded'],
    [given('http://proxy', [['Bad Name', 'secret']]), 'name that no header may have'],
    [given('http://proxy', [['X-Name', 'secret\r\nX-Other: 1']]), 'the header "X-Name"'],
  ])('is refused with a sentence that shows nothing of it (%#)', (settings, sentence) => {
    expect(proxyProblem(settings)).toContain(sentence)
    expect(proxyProblem(settings)).not.toContain('secret')
  })

  it('in the environment is refused by the name of its variable', () => {
    expect(() => name('wss://drover.example', { https_proxy: 'ftp://user:secret@proxy' })).toThrow(/^https_proxy has the scheme/)
    expect(proxyProblem(environment)).toBeUndefined()
  })
})
