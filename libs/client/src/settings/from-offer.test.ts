import { generateKeyPairSync } from 'node:crypto'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { OpAMPConnectionSettingsSchema } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import type { ConnectionSettings } from '../client.ts'
import { createCertificateRequest } from '../tls/certificate-request.ts'
import { createAuthority, createCertificate } from '../tls/test-certificates.ts'
import { heartbeatFromOffer, type OfferRules, settingsFromOffer } from './from-offer.ts'

const authority = createAuthority('authority')
const present = createCertificate('present agent', { issuer: authority })
const other = createCertificate('other agent', { issuer: authority })

const current: ConnectionSettings = {
  endpoint: 'wss://drover.example:4320/v1/opamp',
  headers: [['Authorization', 'Bearer present']],
  tls: { ca: authority.cert, cert: present.cert, key: present.key, serverName: 'server.internal' },
  proxy: { kind: 'url', url: 'http://proxy.example:3128', connectHeaders: [] },
  heartbeatIntervalSeconds: 20,
}
const rules: OfferRules = { allowWeakerTls: false, isDurable: true, pendingKeys: [], now: Date.now() }
const bytes = (text: string) => new TextEncoder().encode(text)

type Init = MessageInitShape<typeof OpAMPConnectionSettingsSchema>

function read(init: Init, from: ConnectionSettings = current, others: Partial<OfferRules> = {}) {
  const offer = create(OpAMPConnectionSettingsSchema, { destinationEndpoint: from.endpoint, heartbeatIntervalSeconds: 30n, ...init })
  return settingsFromOffer(offer, from, { ...rules, ...others })
}

function accepted(init: Init, from?: ConnectionSettings, others?: Partial<OfferRules>): ConnectionSettings {
  const result = read(init, from, others)
  if ('refused' in result) throw new Error(`refused: ${result.refused}`)
  return result.candidate
}

function refused(init: Init, from?: ConnectionSettings, others?: Partial<OfferRules>): string {
  const result = read(init, from, others)
  if ('candidate' in result) throw new Error('accepted')
  return result.refused
}

describe('the endpoint of an offer', () => {
  it('replaces the present one [K-07]', () => {
    expect(accepted({ destinationEndpoint: 'wss://other.example/opamp' }).endpoint).toBe('wss://other.example/opamp')
    expect(accepted({ destinationEndpoint: 'https://other.example' }).endpoint).toBe('https://other.example')
  })

  it.each(['', 'drover.example', 'ftp://drover.example', 'wss://', 'wss://drover.example/#part', `wss://drover.example/${'x'.repeat(3_000)}`])(
    'is refused when it is %.30j',
    (destinationEndpoint) => {
      expect(refused({ destinationEndpoint })).toContain('endpoint')
    },
  )

  it('is refused with credentials in it, and they are not shown', () => {
    expect(refused({ destinationEndpoint: 'wss://user:hunter2@drover.example' })).toMatch(/^(?!.*hunter2).*credentials/)
  })
})

describe('the headers of an offer', () => {
  it('stay as they are when absent, and replace all former ones when there are any [KM-02]', () => {
    expect(accepted({}).headers).toEqual(current.headers)
    const headers = {
      headers: [
        { key: 'X-Tenant', value: 'a' },
        { key: 'X-Tenant', value: 'b' },
      ],
    }
    expect(accepted({ headers }).headers).toEqual([
      ['X-Tenant', 'a'],
      ['X-Tenant', 'b'],
    ])
    expect(accepted({ headers: {} }).headers).toEqual([])
  })

  it.each([
    ['Bad Name', 'x'],
    ['', 'x'],
    ['X-A', 'two\r\nlines'],
    ['Host', 'elsewhere'],
    ['Sec-WebSocket-Protocol', 'x'],
    ['Transfer-Encoding', 'chunked'],
  ])('are refused with %j', (key, value) => {
    expect(refused({ headers: { headers: [{ key, value }] } })).toContain('the offered headers')
  })

  it('are refused when there are too many or too much, and values are never shown', () => {
    expect(refused({ headers: { headers: Array.from({ length: 101 }, () => ({ key: 'A', value: 'x' })) } })).toContain('more than 100')
    expect(refused({ headers: { headers: [{ key: 'A', value: 'x'.repeat(20_000) }] } })).toContain('too large')
    expect(refused({ headers: { headers: [{ key: 'A', value: 'secret\n' }] } })).not.toContain('secret')
  })
})

describe('the heartbeat interval of an offer', () => {
  const overHttp: ConnectionSettings = { ...current, endpoint: 'https://drover.example/v1/opamp' }

  it('is taken, 0 on a WebSocket too [HB-04] [HB-05]', () => {
    expect(accepted({ heartbeatIntervalSeconds: 7n }).heartbeatIntervalSeconds).toBe(7)
    expect(accepted({ heartbeatIntervalSeconds: 0n }).heartbeatIntervalSeconds).toBe(0)
  })

  it('of 0 says nothing on plain HTTP, which has to poll [HB-07]', () => {
    expect(accepted({ heartbeatIntervalSeconds: 0n }, overHttp).heartbeatIntervalSeconds).toBe(20)
    expect(
      accepted({ heartbeatIntervalSeconds: 0n, destinationEndpoint: overHttp.endpoint }, { ...current, heartbeatIntervalSeconds: 0 }).heartbeatIntervalSeconds,
    ).toBe(30)
  })

  it('is refused when no timer can wait so long', () => {
    expect(refused({ heartbeatIntervalSeconds: 2n ** 63n })).toContain('heartbeat interval')
  })

  it('alone is for agents that take no OpAMP settings', () => {
    const offer = (heartbeatIntervalSeconds: bigint) => create(OpAMPConnectionSettingsSchema, { heartbeatIntervalSeconds })
    expect(heartbeatFromOffer(offer(7n), current)).toBe(7)
    expect(heartbeatFromOffer(offer(0n), current)).toBe(0)
    expect(heartbeatFromOffer(offer(0n), overHttp)).toBeUndefined()
    expect(heartbeatFromOffer(offer(2n ** 63n), current)).toBeUndefined()
  })
})

describe('the TLS settings of an offer', () => {
  it('stay as they are when absent [KM-17]', () => {
    expect(accepted({}).tls).toMatchObject({ ca: authority.cert, serverName: 'server.internal' })
  })

  it('replace all former ones [KM-16]', () => {
    const from: ConnectionSettings = { ...current, tls: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', insecureSkipVerify: true } }
    const tls = {
      caPemContents: authority.cert,
      includeSystemCaCertsPool: true,
      minVersion: '1.3',
      maxVersion: 'TLSv1.3',
      cipherSuites: ['TLS_AES_128_GCM_SHA256'],
    }
    expect(accepted({ tls }, from).tls).toEqual({
      ca: authority.cert,
      includeSystemCa: true,
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      cipherSuites: ['TLS_AES_128_GCM_SHA256'],
    })
  })

  it('keep the name to verify only at the host for which it was set', () => {
    expect(accepted({ destinationEndpoint: 'wss://drover.example/else' }).tls.serverName).toBe('server.internal')
    expect(accepted({ destinationEndpoint: 'wss://other.example' }).tls.serverName).toBeUndefined()
  })

  it.each<[NonNullable<Init['tls']>, string]>([
    [{ caPemContents: 'no PEM' }, 'PEM'],
    [{ minVersion: '2.0' }, 'TLS version'],
    [{ minVersion: '1.3', maxVersion: '1.2' }, 'older'],
    [{ cipherSuites: ['TLS_NOTHING'] }, 'cipher suite'],
    [{ caPemContents: 'x'.repeat(600_000) }, 'too large'],
    [{ cipherSuites: Array.from({ length: 65 }, () => 'TLS_AES_128_GCM_SHA256') }, 'too many'],
  ])('are refused when they cannot be used (%#)', (tls, reason) => {
    expect(refused({ tls })).toContain(reason)
  })

  it('are refused when they protect less, unless that is allowed', () => {
    for (const init of [
      { destinationEndpoint: 'ws://drover.example' },
      { destinationEndpoint: 'http://127.0.0.1' },
      { tls: { insecureSkipVerify: true } },
      { tls: { minVersion: '1.1', caPemContents: authority.cert } },
    ]) {
      expect(refused(init)).toContain('the offered')
      expect(accepted(init, current, { allowWeakerTls: true })).toBeDefined()
    }
  })
})

describe('the certificate of an offer', () => {
  it('takes the place of the former one, with its key [KM-03] [KM-04]', () => {
    expect(accepted({ certificate: { cert: bytes(other.cert), privateKey: bytes(other.key) } }).tls).toMatchObject({ cert: other.cert, key: other.key })
  })

  it('means none when absent [KM-05]', () => {
    const { tls } = accepted({})
    expect(tls.cert).toBeUndefined()
    expect(tls.key).toBeUndefined()
    expect(accepted({ certificate: { caCert: bytes(authority.cert) } }).tls.cert).toBeUndefined()
  })

  it('keeps the key that it belongs to when it comes without [KM-05]', () => {
    expect(accepted({ certificate: { cert: bytes(present.cert) } }).tls).toMatchObject({ cert: present.cert, key: present.key })
    expect(refused({ certificate: { cert: bytes(other.cert) } })).toContain('belongs to none that we have')
  })

  it('takes the key of our own request when it comes without [CSR-04] [CSR-13]', () => {
    const { privateKey } = createCertificateRequest('agent')
    const issued = createCertificate('agent', { issuer: authority, privateKey })
    const { tls } = accepted({ certificate: { cert: bytes(issued.cert), caCert: bytes(authority.cert) } }, current, { pendingKeys: ['damaged', privateKey] })
    expect(tls).toMatchObject({ cert: issued.cert, key: privateKey })
  })

  it('makes no trust anchor of the CA that comes with it [KM-29]', () => {
    const foreign = createAuthority('foreign')
    const { tls } = accepted({ certificate: { cert: bytes(other.cert), privateKey: bytes(other.key), caCert: bytes(foreign.cert) } })
    expect(tls.ca).toBe(authority.cert)
    expect(JSON.stringify(tls)).not.toContain(foreign.cert.split('\n')[2])
  })

  it('is refused where nothing can be kept [K-17]', () => {
    expect(refused({ certificate: { cert: bytes(other.cert), privateKey: bytes(other.key) } }, current, { isDurable: false })).toContain('cannot be kept')
  })

  it('is refused when it is damaged, expired, not yet valid, or not of its key', () => {
    const expired = createCertificate('agent', { issuer: authority, expiresInDays: -1 })
    const future = createCertificate('agent', { issuer: authority, startsInDays: 2 })
    const pair = (cert: string, key: string) => ({ certificate: { cert: bytes(cert), privateKey: bytes(key) } })
    expect(refused(pair('no PEM', other.key))).toContain('PEM')
    expect(refused(pair(other.cert, 'no PEM'))).toContain('private key is damaged')
    expect(refused(pair(expired.cert, expired.key))).toContain('expired')
    expect(refused(pair(future.cert, future.key))).toContain('valid only from')
    expect(refused(pair(other.cert, present.key))).toContain('does not belong')
    expect(refused({ certificate: { privateKey: bytes(other.key) } })).toContain('without certificate')
    expect(refused(pair('x'.repeat(70_000), other.key))).toContain('too large')
    expect(refused(pair(other.cert, 'x'.repeat(20_000)))).toContain('too large')
  })

  it('is refused with a locked key, and nothing of a key is shown', () => {
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
    const reason = refused({ certificate: { cert: bytes(other.cert), privateKey: bytes(privateKey) } })
    expect(reason).toContain('encrypted')
    expect(reason).not.toContain(privateKey.split('\n')[1])
  })
})

describe('the proxy of an offer', () => {
  it('stays as it is when absent [KM-23]', () => {
    expect(accepted({}).proxy).toEqual(current.proxy)
  })

  it('replaces the former one, connect headers included [KM-22] [KM-25]', () => {
    const proxy = { url: 'socks5://other.example', connectHeaders: { headers: [{ key: 'X-Site', value: 'eu' }] } }
    expect(accepted({ proxy }).proxy).toEqual({ kind: 'url', url: 'socks5://other.example', connectHeaders: [['X-Site', 'eu']] })
    expect(accepted({ proxy: { url: 'other.example:8080' } }).proxy).toEqual({ kind: 'url', url: 'other.example:8080', connectHeaders: [] })
  })

  it.each([
    { url: '' },
    { url: 'ftp://proxy.example' },
    { url: 'http://' },
    { url: `http://${'x'.repeat(3_000)}` },
    { url: 'http://proxy', connectHeaders: { headers: [{ key: 'A', value: '\n' }] } },
  ])('is refused when it cannot be used (%#)', (proxy) => {
    expect(refused({ proxy })).toContain('proxy')
  })
})
