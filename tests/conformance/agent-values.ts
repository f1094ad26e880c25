/** What the agents of these suites report. */
import { create } from '@bufbuild/protobuf'
import { AgentDescriptionSchema, AvailableComponentsSchema, ComponentHealthSchema, EffectiveConfigSchema, createInstanceUid, keyValues } from '@drover/protocol'
import type { AgentCapability, AgentDescription, AvailableComponents, ComponentHealth, EffectiveConfig, InstanceUid } from '@drover/protocol'
import { randomFillSync } from 'node:crypto'
import type { GoClientStart } from './go-client.ts'

export type Transport = 'websocket' | 'http'
export const transports: readonly Transport[] = ['websocket', 'http']

export const everyCapability: readonly AgentCapability[] = [
  'ReportsStatus',
  'AcceptsRemoteConfig',
  'ReportsEffectiveConfig',
  'AcceptsOpAMPConnectionSettings',
  'AcceptsRestartCommand',
  'ReportsHealth',
  'ReportsRemoteConfig',
  'ReportsHeartbeat',
  'ReportsAvailableComponents',
]

/** What a client is started with, unless a test wants otherwise. Polls and heartbeats are quick, so that tests are. */
export function startOf(server: { url(transport: Transport): string }, transport: Transport, more: Partial<GoClientStart> = {}): GoClientStart {
  return {
    url: server.url(transport),
    transport,
    uid: newUid(),
    description: description(),
    capabilities: everyCapability,
    health: health(),
    components: components(true),
    effectiveConfig: effectiveConfig(),
    heartbeatMs: 200,
    ...more,
  }
}

export function newUid(): InstanceUid {
  return createInstanceUid(Date.now(), (bytes) => randomFillSync(bytes))
}

export function description(version = '1.0.0'): AgentDescription {
  return create(AgentDescriptionSchema, {
    identifyingAttributes: keyValues({ 'service.name': 'conformance', 'service.version': version }),
    nonIdentifyingAttributes: keyValues({ 'host.name': 'here', 'os.type': 'linux' }),
  })
}

export function health(healthy = true, lastError = ''): ComponentHealth {
  return create(ComponentHealthSchema, {
    healthy,
    lastError,
    status: healthy ? 'StatusOK' : 'StatusPermanentError',
    componentHealthMap: { 'pipeline:logs': { healthy, componentHealthMap: { 'receiver:otlp': { healthy, status: 'StatusOK' } } } },
  })
}

export function effectiveConfig(body = 'receivers: {}\n', name = ''): EffectiveConfig {
  return create(EffectiveConfigSchema, { configMap: { configMap: { [name]: { body: new TextEncoder().encode(body), contentType: 'text/yaml' } } } })
}

export function components(complete: boolean): AvailableComponents {
  return create(AvailableComponentsSchema, {
    hash: new Uint8Array(32).fill(7),
    components: complete
      ? { receivers: { subComponentMap: { otlp: { metadata: keyValues({ 'code.namespace': 'otlpreceiver' }), subComponentMap: {} } } } }
      : {},
  })
}
