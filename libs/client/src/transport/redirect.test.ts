import { describe, expect, it } from 'vitest'
import { followRedirect, isRedirect } from './redirect.ts'

const headers = [['authorization', 'Bearer secret']] as const
const follow = (from: string, location: string | undefined, endpoint = from) => followRedirect({ url: new URL(from), headers }, location, new URL(endpoint))

describe('a redirect', () => {
  it('keeps the transport, whatever scheme the server writes', () => {
    expect(follow('wss://a.example/v1/opamp', 'https://a.example/other').url.href).toBe('wss://a.example/other')
    expect(follow('https://a.example/v1/opamp', '/other?x=1').url.href).toBe('https://a.example/other?x=1')
    expect(follow('ws://a.example/', 'https://a.example/').url.href).toBe('wss://a.example/')
  })

  it('never leads from TLS to a connection without it', () => {
    expect(() => follow('wss://a.example/', 'http://a.example/')).toThrow('redirects from TLS to a.example without it')
    expect(() => follow('https://a.example/', 'http://a.example/')).toThrow('redirects from TLS to a.example without it')
  })

  it('leads nowhere without a target, or to another protocol', () => {
    expect(() => follow('ws://a.example/', undefined)).toThrow('redirects to nowhere')
    expect(() => follow('ws://a.example/', 'http://[')).toThrow('redirects to nowhere')
    expect(() => follow('ws://a.example/', 'file:///etc/passwd')).toThrow('redirects to file:')
  })

  it('takes the credentials to the configured host and below, and not to others', () => {
    expect(follow('wss://a.example/', 'wss://a.example:444/').headers).toEqual(headers)
    expect(follow('wss://a.example/', 'wss://eu.a.example/').headers).toEqual(headers)
    expect(follow('wss://a.example/', 'wss://b.example/').headers).toEqual([])
    expect(follow('wss://a.example/', 'wss://nota.example/').headers).toEqual([])
  })

  it('is one of four statuses', () => {
    expect([300, 301, 302, 303, 304, 307, 308].filter(isRedirect)).toEqual([301, 302, 307, 308])
  })
})
