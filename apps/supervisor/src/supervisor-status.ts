/** What `drover supervisor status` shows, put together from the parts. */
import process from 'node:process'
import type { ConnectionStatus } from '@drover/client'
import { attributesToText, type ComponentHealth } from '@drover/protocol'
import manifest from '../package.json' with { type: 'json' }
import type { AgentFacts } from './agent/agent.ts'
import type { ApplyState } from './apply/apply-state.ts'
import type { SupervisorConfig } from './config/supervisor-config.ts'
import type { AgentSummary, ConfigSummary, ConnectionSummary, SupervisorStatus } from './control/status.ts'
import type { StoredStatus } from './state/persistent-state.ts'
import { storedStatuses } from './state/state-folder.ts'

export const supervisorVersion: string = manifest.version

export interface StatusSources {
  readonly config: SupervisorConfig
  readonly startedAt: number
  readonly facts: AgentFacts
  readonly apply: ApplyState
  readonly connection: ConnectionStatus
  /** Of the settings in use. */
  readonly endpoint: string
  readonly health: ComponentHealth
  readonly pid: number | undefined
  readonly runningSince: number | undefined
  readonly restarts: number
  /** Of the last offer, and when it was told. */
  readonly lastStatus: StoredStatus | undefined
  readonly lastFailure: { readonly hash: string; readonly at: number; readonly reason: string } | undefined
}

export function supervisorStatus(sources: StatusSources): SupervisorStatus {
  const { config, facts, apply } = sources
  const attributes = attributesToText(facts.description.identifyingAttributes)
  const agentVersion = attributes.get('service.version')
  return {
    pid: process.pid,
    startedAt: iso(sources.startedAt),
    instanceUid: apply.instanceUid,
    storageDirectory: config.storageDirectory,
    versions: { supervisor: supervisorVersion, node: process.versions.node, ...(agentVersion === undefined ? {} : { agent: agentVersion }) },
    connection: connectionSummary(sources),
    config: configSummary(sources),
    agent: agentSummary(sources),
  }
}

function connectionSummary({ connection, endpoint, config }: StatusSources): ConnectionSummary {
  const shown = { endpoint: withoutSecrets(endpoint), ...(endpoint === config.server.endpoint ? {} : { offered: true }) }
  switch (connection.state) {
    case 'connected':
      return { ...shown, state: 'connected', since: iso(connection.since) }
    case 'waiting':
      return { ...shown, state: 'waiting', retryAt: iso(connection.retryAt), lastError: connection.lastError }
    case 'connecting':
      return { ...shown, state: 'connecting', ...(connection.lastError === undefined ? {} : { lastError: connection.lastError }) }
    case 'stopped':
      return { ...shown, state: 'stopped' }
    default:
      return connection satisfies never
  }
}

function withoutSecrets(endpoint: string): string {
  const url = URL.parse(endpoint)
  return url === null ? '' : `${url.protocol}//${url.host}${url.pathname}`
}

function configSummary({ apply, lastStatus, lastFailure }: StatusSources): ConfigSummary {
  const failure = lastFailure === undefined ? {} : { lastFailure: { ...lastFailure, at: iso(lastFailure.at) } }
  const good = apply.good.remote === undefined ? {} : { lastGoodHash: apply.good.remote.hash }
  const hash = lastStatus === undefined ? {} : { hash: lastStatus.hash }
  return { state: configState(apply, lastStatus), ...hash, ...good, ...failure }
}

function configState({ phase }: ApplyState, lastStatus: StoredStatus | undefined): ConfigSummary['state'] {
  if (phase.kind === 'fallback') return 'fallback'
  switch (lastStatus?.status) {
    case storedStatuses.applying:
      return 'applying'
    case storedStatuses.applied:
      return 'applied'
    case storedStatuses.failed:
      return 'failed'
    default:
      return 'none'
  }
}

function agentSummary({ config, pid, runningSince, restarts, health }: StatusSources): AgentSummary {
  const parts = flatten(health, '', 0)
  return {
    kind: config.drover.agent.kind,
    executable: config.agent.executable,
    ...(pid === undefined ? {} : { pid }),
    ...(pid === undefined || runningSince === undefined ? {} : { runningSince: iso(runningSince) }),
    restarts,
    healthy: health.healthy,
    ...(health.status === '' ? {} : { status: health.status }),
    ...(health.lastError === '' ? {} : { lastError: health.lastError }),
    unhealthy: parts
      .filter((part) => !part.health.healthy)
      .toSorted((a, b) => b.depth - a.depth)
      .slice(0, maxUnhealthy)
      .map(({ path, health: { status, lastError } }) => ({ path, ...(status === '' ? {} : { status }), ...(lastError === '' ? {} : { lastError }) })),
    parts: parts.length,
  }
}

const maxUnhealthy = 20
const maxDepth = 16

interface Part {
  readonly path: string
  readonly depth: number
  readonly health: ComponentHealth
}

function flatten(health: ComponentHealth, path: string, depth: number): readonly Part[] {
  if (depth >= maxDepth) return []
  return Object.entries(health.componentHealthMap).flatMap(([name, part]) => {
    const at = path === '' ? name : `${path}/${name}`
    return [{ path: at, depth, health: part }, ...flatten(part, at, depth + 1)]
  })
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
