/** Messages as a supervisor and a Server send them. */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import {
  type AgentToServer,
  AgentToServerSchema,
  keyValues,
  PackageStatusEnum,
  RemoteConfigStatuses,
  type ServerToAgent,
  ServerToAgentSchema,
} from '../src/index.ts'

const text = new TextEncoder()

export const sampleUid = Uint8Array.from([0x01, 0x93, 0x4a, 0x5b, 0x6c, 0x7d, 0x7e, 0x8f, 0x90, 0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x07])

export function agentToServer(init: MessageInitShape<typeof AgentToServerSchema> = {}): AgentToServer {
  return create(AgentToServerSchema, { instanceUid: sampleUid, sequenceNum: 1n, capabilities: 0x1n, ...init })
}

/** Every part is there, and every way a bytes field can be held. */
export function fullReport(): AgentToServer {
  return agentToServer({
    sequenceNum: 41n,
    capabilities: 0xffffn,
    agentDescription: {
      identifyingAttributes: keyValues({ 'service.name': 'io.opentelemetry.collector', 'service.version': '0.149.0' }),
      nonIdentifyingAttributes: [
        ...keyValues({ 'os.type': 'linux', 'host.cpus': 8, load: 0.5, tags: ['a', 'b'], nested: { deep: true } }),
        { key: 'digest', value: { value: { case: 'bytesValue', value: Uint8Array.from([1, 2, 3]) } } },
        { key: 'nothing' },
      ],
    },
    health: {
      healthy: true,
      startTimeUnixNano: 1_790_000_000_123_456_789n,
      status: 'StatusOK',
      componentHealthMap: { 'pipeline:logs': { healthy: false, lastError: 'refused', componentHealthMap: { 'receiver:otlp': { healthy: true } } } },
    },
    effectiveConfig: { configMap: { configMap: { '': { body: text.encode('receivers: {}\n'), contentType: 'text/yaml' } } } },
    remoteConfigStatus: { lastRemoteConfigHash: Uint8Array.from([9, 8, 7]), status: RemoteConfigStatuses.RemoteConfigStatuses_FAILED, errorMessage: 'línea 3' },
    packageStatuses: {
      packages: {
        agent: {
          name: 'agent',
          agentHasHash: Uint8Array.from([5]),
          status: PackageStatusEnum.PackageStatusEnum_Downloading,
          downloadDetails: { downloadPercent: 12.5 },
        },
      },
      serverProvidedAllPackagesHash: Uint8Array.from([6]),
    },
    connectionSettingsRequest: { opamp: { certificateRequest: { csr: text.encode('-----BEGIN CERTIFICATE REQUEST-----') } } },
    customCapabilities: { capabilities: ['io.example.echo'] },
    customMessage: { capability: 'io.example.echo', type: 'ping', data: Uint8Array.from([0]) },
    availableComponents: {
      hash: Uint8Array.from([1]),
      components: {
        receivers: { subComponentMap: { otlp: { metadata: keyValues({ 'code.namespace': 'go.opentelemetry.io/collector/receiver/otlpreceiver' }) } } },
      },
    },
    connectionSettingsStatus: { lastConnectionSettingsHash: Uint8Array.from([2]) },
  })
}

export function fullAnswer(): ServerToAgent {
  const headers = { headers: [{ key: 'Authorization', value: 'Bearer x' }] }
  const certificate = { cert: Uint8Array.from([1]), privateKey: Uint8Array.from([2]), caCert: Uint8Array.from([3]) }
  return create(ServerToAgentSchema, {
    instanceUid: sampleUid,
    remoteConfig: { config: { configMap: { 'a.yaml': { body: text.encode('a: 1\n'), contentType: 'text/yaml' } } }, configHash: Uint8Array.from([1, 2]) },
    connectionSettings: {
      hash: Uint8Array.from([3]),
      opamp: {
        destinationEndpoint: 'wss://opamp.example:4320/v1/opamp',
        headers,
        certificate,
        heartbeatIntervalSeconds: 30n,
        tls: { minVersion: '1.3', cipherSuites: ['A', 'B'] },
      },
      ownMetrics: { destinationEndpoint: 'https://metrics.example/v1/metrics' },
      otherConnections: { exporter: { otherSettings: { region: 'eu' }, proxy: { url: 'http://proxy:3128' } } },
    },
    packagesAvailable: {
      packages: { agent: { version: '1.2.3', file: { downloadUrl: 'https://x/y', contentHash: Uint8Array.from([4]), headers } } },
      allPackagesHash: Uint8Array.from([5]),
    },
    flags: 1n,
    capabilities: 0x7fn,
    agentIdentification: { newInstanceUid: sampleUid },
    customCapabilities: { capabilities: ['io.example.echo'] },
  })
}
