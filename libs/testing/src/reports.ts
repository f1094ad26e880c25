/** Parts of a status report as the stock supervisor sends them. */
import { createHash } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import {
  AgentDescriptionSchema,
  AvailableComponentsSchema,
  ComponentHealthSchema,
  EffectiveConfigSchema,
  RemoteConfigStatusSchema,
  agentCapabilities,
} from '@drover/protocol'
import type { AgentDescription, AvailableComponents, ComponentHealth, EffectiveConfig, RemoteConfigStatus } from '@drover/protocol'
import type { CollectorHealth, CollectorMemory } from './scripted-collector.ts'
import type { AgentTraits } from './traits.ts'

/** What supervisor v0.149.0 advertises with everything it can do switched on. */
export const stockCapabilities: bigint = agentCapabilities([
  'ReportsStatus',
  'AcceptsRemoteConfig',
  'ReportsEffectiveConfig',
  'ReportsOwnMetrics',
  'AcceptsOpAMPConnectionSettings',
  'AcceptsRestartCommand',
  'ReportsHealth',
  'ReportsRemoteConfig',
  'ReportsHeartbeat',
  'ReportsAvailableComponents',
]).mask

type Attribute = string | number | boolean

export function describe(traits: Pick<AgentTraits, 'identifying' | 'nonIdentifying'>): AgentDescription {
  return create(AgentDescriptionSchema, { identifyingAttributes: attributes(traits.identifying), nonIdentifyingAttributes: attributes(traits.nonIdentifying) })
}

function attributes(record: Readonly<Record<string, Attribute>>) {
  return Object.entries(record).map(([key, value]) => ({ key, value: { value: anyValue(value) } }))
}

function anyValue(value: Attribute) {
  if (typeof value === 'string') return { case: 'stringValue' as const, value }
  if (typeof value === 'boolean') return { case: 'boolValue' as const, value }
  return { case: 'doubleValue' as const, value }
}

/** The tree that the Collector's opamp extension makes: extensions, then each pipeline with its components. */
export function healthTree(health: CollectorHealth): ComponentHealth {
  const leaf = {
    healthy: health.healthy,
    status: health.status,
    lastError: health.lastError,
    startTimeUnixNano: nanoseconds(health.startedAtMs),
    statusTimeUnixNano: nanoseconds(health.changedAtMs),
  }
  if (health.bare) return create(ComponentHealthSchema, leaf)
  const parts = health.pipelines.map(({ id, components }) => {
    const children = Object.fromEntries(components.map((component) => [component, leaf]))
    return [`pipeline:${id}`, { ...leaf, componentHealthMap: children }] as const
  })
  const extensions = { ...leaf, componentHealthMap: { 'extension:opamp': leaf } }
  return create(ComponentHealthSchema, { ...leaf, componentHealthMap: { extensions, ...Object.fromEntries(parts) } })
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms)) * 1_000_000n
}

const encoder = new TextEncoder()

/** One file under the empty name and without content type: the supervisor's way. */
export function effective(config: string): EffectiveConfig {
  return create(EffectiveConfigSchema, { configMap: { configMap: { '': { body: encoder.encode(config) } } } })
}

export function configStatus(memory: CollectorMemory): RemoteConfigStatus {
  return create(RemoteConfigStatusSchema, { lastRemoteConfigHash: memory.hash, status: memory.status, errorMessage: memory.errorMessage })
}

/** The hash alone, unless the server asked for everything. */
export function availableComponents(traits: Pick<AgentTraits, 'components'>, complete: boolean): AvailableComponents {
  const hash = new Uint8Array(createHash('sha256').update(JSON.stringify(traits.components)).digest())
  if (!complete) return create(AvailableComponentsSchema, { hash })
  const kinds = Object.entries(traits.components).map(([kind, types]) => {
    const details = types.map(
      (type) =>
        [
          type,
          { metadata: attributes({ 'code.namespace': `go.opentelemetry.io/collector/${kind.slice(0, -1)}/${type.replaceAll('_', '')}${kind.slice(0, -1)}` }) },
        ] as const,
    )
    return [kind, { subComponentMap: Object.fromEntries(details) }] as const
  })
  return create(AvailableComponentsSchema, { hash, components: Object.fromEntries(kinds) })
}
