import { describe, expect, it } from 'vitest'
import type { TlsSettings } from '../client.ts'
import { isWeaker } from './weaker.ts'

const weaker = (candidate: TlsSettings, current: TlsSettings, from = 'wss://a', to = 'wss://b') =>
  isWeaker({ endpoint: to, tls: candidate }, { endpoint: from, tls: current })

describe('settings that protect less', () => {
  it.each([
    ['wss://a', 'ws://a'],
    ['https://a', 'http://a'],
    ['wss://a', 'http://127.0.0.1'],
    ['WSS://a', 'ws://localhost'],
  ])('go from %s to %s', (from, to) => {
    expect(weaker({}, {}, from, to)).toContain('without TLS')
  })

  it.each<[string, TlsSettings, TlsSettings]>([
    ['switch off the verification', { insecureSkipVerify: true }, {}],
    ["trust all of the system's authorities", {}, { ca: 'x' }],
    ["trust all of the system's authorities", { ca: 'x', includeSystemCa: true }, { ca: 'x' }],
    ['allow TLS 1.1', { minVersion: 'TLSv1.1' }, {}],
    ['allow TLS 1.0', { minVersion: 'TLSv1' }, {}],
    ['allow TLS 1.2', {}, { minVersion: 'TLSv1.3' }],
    ['allow TLS 1.2 at most', { maxVersion: 'TLSv1.2' }, {}],
    ['RC4', { cipherSuites: ['TLS_RSA_WITH_RC4_128_SHA'] }, {}],
    ['cipher suites that the present ones exclude', {}, { cipherSuites: ['TLS_AES_256_GCM_SHA384'] }],
    [
      'cipher suites that the present ones exclude',
      { cipherSuites: ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-SHA'] },
      { cipherSuites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'] },
    ],
  ])('%s (%#)', (what, candidate, current) => {
    expect(weaker(candidate, current)).toContain(what)
  })
})

describe('settings that protect as well', () => {
  it.each<[TlsSettings, TlsSettings]>([
    [{}, {}],
    [{ ca: 'new' }, { ca: 'old' }],
    [{ ca: 'new' }, {}],
    [{ includeSystemCa: true }, {}],
    [{ minVersion: 'TLSv1.3' }, {}],
    [{ minVersion: 'TLSv1.2' }, {}],
    [{ insecureSkipVerify: true }, { insecureSkipVerify: true }],
    [{}, { insecureSkipVerify: true, ca: 'x' }],
    [{ cert: 'x', key: 'x' }, {}],
    [{}, { cert: 'x', key: 'x' }],
    [
      { cipherSuites: ['ECDHE-RSA-AES128-GCM-SHA256'] },
      { cipherSuites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'] },
    ],
  ])('are let through (%#)', (candidate, current) => {
    expect(weaker(candidate, current)).toBeUndefined()
  })

  it('are any when there was no TLS', () => {
    expect(weaker({ insecureSkipVerify: true }, {}, 'ws://a', 'wss://a')).toBeUndefined()
    expect(weaker({}, {}, 'http://a', 'ws://b')).toBeUndefined()
  })
})
