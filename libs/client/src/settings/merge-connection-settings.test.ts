import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { ConnectionSettingsOffersSchema, type OtherConnectionSettings, OtherConnectionSettingsSchema } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { mergeConnectionSettings } from './merge-connection-settings.ts'

const offers = (init: MessageInitShape<typeof ConnectionSettingsOffersSchema>) => create(ConnectionSettingsOffersSchema, init)
const certificate = { cert: Uint8Array.of(1), privateKey: Uint8Array.of(2) }
const full = {
  destinationEndpoint: 'https://old.example/v1/metrics',
  headers: { headers: [{ key: 'Authorization', value: 'old' }] },
  certificate,
  tls: { minVersion: '1.3' },
  proxy: { url: 'http://proxy.example' },
}

describe('settings of own telemetry', () => {
  const held = offers({ ownMetrics: full, ownTraces: full, ownLogs: full })

  it('stay as they are for the signals that an offer leaves out [K-23] [OT-05]', () => {
    const merged = mergeConnectionSettings(held, offers({ ownLogs: { destinationEndpoint: 'https://new.example/v1/logs' } }))
    expect(merged.ownMetrics).toEqual(held.ownMetrics)
    expect(merged.ownTraces).toEqual(held.ownTraces)
    expect(merged.ownLogs?.destinationEndpoint).toBe('https://new.example/v1/logs')
  })

  it('keep TLS, proxy and headers that are not offered, and use no certificate that is not [KM-10] [KM-17] [KM-23]', () => {
    const merged = mergeConnectionSettings(held, offers({ ownMetrics: { destinationEndpoint: 'https://new.example/v1/metrics' } }))
    expect(merged.ownMetrics).toMatchObject({ tls: { minVersion: '1.3' }, proxy: { url: 'http://proxy.example' }, headers: { headers: [{ value: 'old' }] } })
    expect(merged.ownMetrics?.certificate).toBeUndefined()
  })

  it('forget former certificates, TLS and proxies for offered ones [KM-09] [KM-16] [KM-22]', () => {
    const offered = { ...full, certificate: { cert: Uint8Array.of(3) }, tls: { maxVersion: '1.3' }, proxy: { url: 'http://other.example' } }
    const merged = mergeConnectionSettings(held, offers({ ownMetrics: offered }))
    expect(merged.ownMetrics?.certificate?.cert).toEqual(Uint8Array.of(3))
    expect(merged.ownMetrics?.certificate?.privateKey).toEqual(new Uint8Array())
    expect(merged.ownMetrics?.tls).toMatchObject({ minVersion: '', maxVersion: '1.3' })
    expect(merged.ownMetrics?.proxy?.url).toBe('http://other.example')
  })
})

describe('settings of other connections', () => {
  const held = offers({ otherConnections: { backend: { ...full, otherSettings: { region: 'eu' } }, second: full } })

  it('stay as they are for the names that an offer leaves out [K-24]', () => {
    expect(mergeConnectionSettings(held, offers({})).otherConnections).toEqual(held.otherConnections)
    const merged = mergeConnectionSettings(held, offers({ otherConnections: { second: { destinationEndpoint: 'https://new.example' } } }))
    expect(merged.otherConnections['backend']).toEqual(held.otherConnections['backend'])
  })

  it('keep every field that is not set [KM-12]', () => {
    const merged = mergeConnectionSettings(held, offers({ otherConnections: { backend: { otherSettings: { region: 'us' } } } }))
    expect(merged.otherConnections['backend']).toEqual({ ...held.otherConnections['backend'], otherSettings: { region: 'us' } })
  })

  it('forget a former certificate for an offered one [KM-13]', () => {
    const merged = mergeConnectionSettings(held, offers({ otherConnections: { backend: { certificate: { cert: Uint8Array.of(9) } } } }))
    expect(merged.otherConnections['backend']?.certificate).toMatchObject({ cert: Uint8Array.of(9), privateKey: new Uint8Array() })
  })

  it('may have any name, and are not remembered without bound', () => {
    const named = Object.create(null) as Record<string, OtherConnectionSettings>
    named['__proto__'] = create(OtherConnectionSettingsSchema, { destinationEndpoint: 'https://x.example' })
    expect(Object.keys(mergeConnectionSettings(held, { otherConnections: named }).otherConnections)).toEqual(['backend', 'second', '__proto__'])
    const many = Object.fromEntries(Array.from({ length: 256 }, (_, index) => [`n${index}`, { destinationEndpoint: 'https://x.example' }]))
    expect(() => mergeConnectionSettings(held, offers({ otherConnections: many }))).toThrow('more than 256')
  })
})
