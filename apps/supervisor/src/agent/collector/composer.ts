/** From the sources to what the Collector runs: reads the local files, and fills in what the supervisor and its Collector agree on. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { composeBootstrapConfig, composeCollectorConfig, mergeValues, resourceAttributesOf, toYaml } from '@drover/agent-config'
import type { CollectorConfigInput, CollectorConfigSource, SupervisorLink } from '@drover/agent-config'
import type { AgentDescription, InstanceUid } from '@drover/protocol'
import type { ServerLog } from '@drover/server'
import type { SupervisorConfig } from '../../config/supervisor-config.ts'
import { childEnvironment } from '../../process/environment.ts'
import { ConfigRejectedError } from '../agent.ts'
import type { ComposedConfig, ConfigSources } from '../agent.ts'
import { textAttribute } from '../description.ts'
import type { TelemetryFiles } from './telemetry-files.ts'

/** What the bootstrap found out. */
export interface CollectorFacts {
  /** With the file's overrides. */
  readonly description: AgentDescription
  /** Under which it described itself. */
  readonly uid: InstanceUid
  readonly allowsNoPipelines: boolean
}

export interface ComposerOptions {
  readonly config: SupervisorConfig
  readonly port: number
  readonly telemetryFiles: TelemetryFiles
  readonly log: ServerLog
}

/** Nothing listens and nothing is exported: another Collector on this machine may have the port of its metrics. */
export function bootstrapConfig(options: Pick<ComposerOptions, 'config' | 'port'>, uid: InstanceUid, allowsNoPipelines: boolean): string {
  const { merged } = composeBootstrapConfig(linkOf(options, uid), { allowsNoPipelines })
  return toYaml(mergeValues(merged, { service: { telemetry: { metrics: { level: 'none' } } } }))
}

export function composeForCollector(options: ComposerOptions, facts: CollectorFacts, sources: ConfigSources): ComposedConfig {
  const { config, telemetryFiles, log } = options
  const { fallback } = sources
  const composed = composeCollectorConfig({
    // A fallback is complete by itself, and the link to the supervisor may not be missing from it.
    sources: fallback === undefined ? readSources(config) : [{ kind: 'own-telemetry' }, { kind: 'remote' }, { kind: 'opamp-extension' }],
    acceptsRemoteConfig: fallback !== undefined || config.capabilities.has('AcceptsRemoteConfig'),
    remote: fallback ?? sources.remote,
    ownTelemetry: sources.ownTelemetry === undefined ? undefined : telemetryFiles.destinations(sources.ownTelemetry),
    resourceAttributes: resourceAttributes(facts, sources.instanceUid),
    extension: linkOf(options, sources.instanceUid),
    allowsNoPipelines: facts.allowsNoPipelines,
    // A fallback is the administrator's own.
    ...(fallback === undefined ? restrictionsOf(config) : {}),
  })
  for (const { severity, file, line, message } of composed.findings)
    if (severity === 'error') log('warn', 'A configuration file is left out, or refused', { file, line, reason: message })
  if (composed.kind === 'rejected') throw new ConfigRejectedError(composed.reason)
  const { text, runsNothing } = composed
  return {
    text,
    runsNothing,
    fingerprint: createHash('sha256')
      .update(runsNothing ? '' : text)
      .digest('hex'),
  }
}

function restrictionsOf({ agent, storageDirectory, drover }: SupervisorConfig): Pick<CollectorConfigInput, 'restrictions'> {
  if (drover.restrictions === undefined) return {}
  const environment = new Map(Object.entries(childEnvironment(agent.env, storageDirectory)))
  return { restrictions: { ...drover.restrictions, valueOf: (name) => environment.get(name) } }
}

function readSources({ agent }: SupervisorConfig): readonly CollectorConfigSource[] {
  return agent.configFiles.map((source) => (source.kind === 'file' ? { ...source, body: readLocalFile(source.path) } : source))
}

function readLocalFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function linkOf({ config, port }: Pick<ComposerOptions, 'config' | 'port'>, uid: InstanceUid): SupervisorLink {
  const { agent, capabilities } = config
  return {
    instanceUid: uid,
    port,
    supervisorPid: process.pid,
    pollIntervalMs: agent.orphanDetectionIntervalMs,
    reportsAvailableComponents: capabilities.has('ReportsAvailableComponents'),
    includeResourceAttributes: agent.description.includeResourceAttributes,
  }
}

/** The Collector described itself under the uid of that time; under another one the attribute that was made of it is another. */
function resourceAttributes({ description, uid }: CollectorFacts, present: InstanceUid): Readonly<Record<string, string>> {
  const attributes = resourceAttributesOf(description)
  const key = 'service.instance.id'
  return textAttribute(description.identifyingAttributes, key) === uid ? { ...attributes, [key]: present } : attributes
}
