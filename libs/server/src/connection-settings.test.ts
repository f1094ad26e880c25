import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { agentCapabilities, type AgentCapability, ConnectionSettingsOffersSchema } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { acceptedSettings, assertConnectionSettings } from './connection-settings.ts'

const pem = new TextEncoder().encode('-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n')

function offers(init: MessageInitShape<typeof ConnectionSettingsOffersSchema>) {
  return create(ConnectionSettingsOffersSchema, { hash: Uint8Array.of(1), ...init })
}

function problem(init: MessageInitShape<typeof ConnectionSettingsOffersSchema>): string | undefined {
  try {
    assertConnectionSettings(offers(init))
    return undefined
  } catch (error) {
    return (error as TypeError).message
  }
}

const everything = offers({
  opamp: { destinationEndpoint: 'wss://drover.example:4320/v1/opamp', heartbeatIntervalSeconds: 30n, certificate: { caCert: pem } },
  ownMetrics: { destinationEndpoint: 'https://otlp.example/v1/metrics' },
  ownTraces: { destinationEndpoint: 'https://otlp.example/v1/traces' },
  ownLogs: { destinationEndpoint: 'https://otlp.example/v1/logs' },
  otherConnections: { backend: { otherSettings: { region: 'eu' } } },
})

describe('a connection settings offer', () => {
  it('is accepted when it is complete [KM-11]', () => {
    expect(() => assertConnectionSettings(everything)).not.toThrow()
  })

  it('is refused without a WebSocket or HTTP endpoint for OpAMP [KM-01]', () => {
    expect(problem({ opamp: {} })).toContain('opamp.destination_endpoint')
    expect(problem({ opamp: { destinationEndpoint: 'ftp://drover.example' } })).toContain('opamp.destination_endpoint')
  })

  it('is refused when a telemetry endpoint is not a full URL [KM-06]', () => {
    expect(problem({ ownTraces: { destinationEndpoint: 'otlp.example:4318' } })).toContain('own_traces')
    expect(problem({ ownLogs: { destinationEndpoint: '' } })).toContain('own_logs')
  })

  it('is refused with a proxy that has no URL [KM-21]', () => {
    expect(problem({ opamp: { destinationEndpoint: 'wss://drover.example', proxy: {} } })).toContain('proxy.url')
  })

  it('is refused when a certificate is not PEM or its key stands alone [KM-26]', () => {
    const opamp = { destinationEndpoint: 'wss://drover.example' }
    expect(problem({ opamp: { ...opamp, certificate: { cert: Uint8Array.of(0x30, 0x82) } } })).toContain('certificate.cert')
    expect(problem({ opamp: { ...opamp, certificate: { privateKey: pem } } })).toContain('needs a certificate')
    expect(problem({ opamp: { ...opamp, certificate: { cert: pem } } })).toBeUndefined()
  })

  it('is refused without a hash', () => {
    expect(problem({ hash: new Uint8Array() })).toContain('hash')
  })

  it('reaches an agent only with the parts it has the capability for [K-01] [K-02] [K-03] [K-04]', () => {
    const partOf = {
      ReportsOwnTraces: 'ownTraces',
      ReportsOwnMetrics: 'ownMetrics',
      ReportsOwnLogs: 'ownLogs',
      AcceptsOpAMPConnectionSettings: 'opamp',
    } as const
    for (const [capability, part] of Object.entries(partOf)) {
      const accepted = acceptedSettings(everything, agentCapabilities([capability as AgentCapability])) // as: the keys above
      const parts = (['opamp', 'ownMetrics', 'ownTraces', 'ownLogs'] as const).filter((name) => accepted?.[name] !== undefined)
      expect(parts).toEqual([part])
      expect(Object.keys(accepted?.otherConnections ?? {})).toEqual([])
      expect(accepted?.hash).toEqual(everything.hash)
    }
  })

  it('reaches only agents that accept them with other connections [K-05]', () => {
    expect(Object.keys(acceptedSettings(everything, agentCapabilities(['AcceptsOtherConnectionSettings']))?.otherConnections ?? {})).toEqual(['backend'])
  })

  it('does not reach an agent that accepts nothing of it', () => {
    const none: AgentCapability[] = ['ReportsStatus', 'AcceptsRemoteConfig']
    expect(acceptedSettings(everything, agentCapabilities(none))).toBeUndefined()
  })
})
