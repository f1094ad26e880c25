import { create } from '@bufbuild/protobuf'
import { TelemetryConnectionSettingsSchema } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { decodeOwnTelemetry, encodeOwnTelemetry, type Signal, takeOwnTelemetry } from './offer.ts'

const all: ReadonlySet<Signal> = new Set(['metrics', 'logs', 'traces'])
type Init = Parameters<typeof create<typeof TelemetryConnectionSettingsSchema>>[1]
const settings = (init: Init) => create(TelemetryConnectionSettingsSchema, init)
const endpoint = 'https://otlp.example/v1/metrics'
const encode = (text: string) => new TextEncoder().encode(text)

describe('an own-telemetry offer', () => {
  it('leaves what it does not name as it is [K-23] [OT-05]', () => {
    const present = { logs: { endpoint: 'https://otlp.example/v1/logs', headers: [] } }
    const next = takeOwnTelemetry(present, { ownMetrics: settings({ destinationEndpoint: endpoint }) }, all)
    expect(next).toEqual({ ...present, metrics: { endpoint, headers: [] } })
    expect(takeOwnTelemetry(next, {}, all)).toEqual(next)
  })

  it('switches a signal off by an empty endpoint', () => {
    const present = { metrics: { endpoint, headers: [] }, logs: { endpoint, headers: [] } }
    expect(takeOwnTelemetry(present, { ownMetrics: settings({}) }, all)).toEqual({ logs: present.logs })
    expect(takeOwnTelemetry({ metrics: present.metrics }, { ownMetrics: settings({}) }, all)).toBeUndefined()
  })

  it('brings headers, also several of one name [KM-02]', () => {
    const headers = {
      headers: [
        { key: 'x', value: '1' },
        { key: 'x', value: '2' },
      ],
    }
    const next = takeOwnTelemetry(undefined, { ownMetrics: settings({ destinationEndpoint: endpoint, headers }) }, all)
    expect(next?.metrics?.headers).toEqual([
      ['x', '1'],
      ['x', '2'],
    ])
  })

  it('brings TLS settings, keeps them when they are left out, and drops a client certificate that is left out [KM-17] [KM-10]', () => {
    const first = settings({
      destinationEndpoint: endpoint,
      tls: { caPemContents: 'CA', insecureSkipVerify: false },
      certificate: { cert: encode('CERT'), privateKey: encode('KEY'), caCert: encode('OTHER CA') },
    })
    const next = takeOwnTelemetry(undefined, { ownMetrics: first }, all)
    expect(next?.metrics?.tls).toEqual({ ca: 'CA', cert: 'CERT', key: 'KEY' })
    const later = takeOwnTelemetry(next, { ownMetrics: settings({ destinationEndpoint: endpoint }) }, all)
    expect(later?.metrics?.tls).toEqual({ ca: 'CA' })
  })

  it('does not make the certificate authority of a client certificate one to trust [KM-29]', () => {
    const offered = settings({ destinationEndpoint: endpoint, certificate: { cert: encode('CERT'), privateKey: encode('KEY'), caCert: encode('CA') } })
    expect(takeOwnTelemetry(undefined, { ownMetrics: offered }, all)?.metrics?.tls).toEqual({ cert: 'CERT', key: 'KEY' })
  })

  it('is refused with a reason when a part of it cannot be honoured', () => {
    const take = (init: Init) => () => takeOwnTelemetry(undefined, { ownMetrics: settings({ destinationEndpoint: endpoint, ...init }) }, all)
    expect(take({ destinationEndpoint: 'ftp://x/' })).toThrow('the endpoint for own metrics is no http or https URL')
    expect(take({ proxy: { url: 'http://proxy/' } })).toThrow('own metrics cannot be sent through a proxy')
    expect(take({ tls: { minVersion: '1.3' } })).toThrow('1.2 and newer are used')
    expect(take({ tls: { caPemContents: 'CA', includeSystemCaCertsPool: true } })).toThrow('not both')
    expect(take({ certificate: { cert: encode('CERT') } })).toThrow('has no private key')
  })

  it('has no effect on a signal that was never promised', () => {
    expect(takeOwnTelemetry(undefined, { ownTraces: settings({ destinationEndpoint: endpoint }) }, new Set(['metrics']))).toBeUndefined()
  })
})

describe('stored own telemetry', () => {
  it('comes back as it was', () => {
    const present = {
      metrics: {
        endpoint,
        headers: [
          ['authorization', 'Bearer x'],
          ['a', 'b'],
        ] as const,
        tls: { ca: 'CA', cert: 'CERT', key: 'KEY', insecureSkipVerify: true },
      },
      logs: { endpoint: 'http://x/v1/logs', headers: [] },
    }
    expect(decodeOwnTelemetry(encodeOwnTelemetry(present), all)).toEqual(present)
    expect(decodeOwnTelemetry(encodeOwnTelemetry(undefined), all)).toBeUndefined()
  })
})
