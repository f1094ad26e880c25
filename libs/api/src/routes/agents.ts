/** Agents: inventory, state, labels, commands, and what each should have and why. */
import { z } from 'zod'
import { ConfigFile, ConfigHash, InstanceUidText, PageQuery, ResourceName, Timestamp, pageOf } from '../common.ts'
import { defineRoute } from '../route.ts'

export const AgentId = z
  .string()
  .regex(/^agt_[0-9a-z]{1,40}$/)
  .meta({ id: 'AgentId' })

/** Where an agent stands with the configuration it should have. */
export const ConfigState = z.enum(['unmanaged', 'notAccepted', 'pending', 'offered', 'applying', 'applied', 'failed', 'restored', 'timedOut']).meta({
  id: 'ConfigState',
  description:
    'unmanaged: no group gives it a configuration; notAccepted: the agent does not accept remote configuration; pending: to be offered when it is connected; ' +
    'offered, applying, applied, failed: what became of the desired configuration; restored: it failed the desired one and runs its last good one; timedOut: no answer to the offer',
})
export type ConfigState = z.output<typeof ConfigState>

export const Labels = z.record(
  z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/, 'label names have 1 to 63 letters, digits, dots, dashes, underscores or slashes'),
  z.string().max(255),
)

export const AgentSummary = z
  .object({
    id: AgentId,
    instanceUid: InstanceUidText,
    /** What to call it: host name, else service name, else the start of its uid. */
    name: z.string(),
    serviceName: z.string().nullable(),
    serviceVersion: z.string().nullable(),
    hostName: z.string().nullable(),
    osType: z.string().nullable(),
    labels: Labels,
    groups: z.array(ResourceName),
    /** A connection is open (WebSocket), or the last poll was in time (HTTP). */
    connected: z.boolean(),
    /** Nothing heard for 2.5 heartbeat intervals. Connected and stale are two facts. */
    stale: z.boolean(),
    /** null: never reported. */
    healthy: z.boolean().nullable(),
    lastError: z.string().nullable(),
    configState: ConfigState,
    /** Why its configuration failed, in the agent's words. */
    configError: z.string().nullable(),
    transport: z.enum(['websocket', 'http', 'in-process']).nullable(),
    lastSeenAt: Timestamp.nullable(),
    firstSeenAt: Timestamp,
  })
  .meta({ id: 'AgentSummary' })
export type AgentSummary = z.output<typeof AgentSummary>

/** AnyValue as JSON; int64 beyond 2^53 and bytes (base64) are strings. */
const AttributeValue: z.ZodType<unknown> = z.unknown()
export const Attributes = z.record(z.string(), AttributeValue)

export interface HealthNode {
  name: string
  healthy: boolean
  status: string
  lastError: string
  startedAt: string | null
  statusAt: string | null
  children: HealthNode[]
}
export const HealthNode: z.ZodType<HealthNode> = z
  .lazy(() =>
    z.object({
      name: z.string(),
      healthy: z.boolean(),
      status: z.string(),
      lastError: z.string(),
      startedAt: Timestamp.nullable(),
      statusAt: Timestamp.nullable(),
      children: z.array(HealthNode),
    }),
  )
  .meta({ id: 'HealthNode' })

/** What the agent contains, e.g. `{ kind: 'receiver', type: 'otlp', module: '…' }`. */
export const ComponentInfo = z.object({ kind: z.string(), type: z.string(), module: z.string().nullable() }).meta({ id: 'ComponentInfo' })

export const AgentDetail = AgentSummary.extend({
  previousInstanceUids: z.array(InstanceUidText),
  identifyingAttributes: Attributes,
  nonIdentifyingAttributes: Attributes,
  /** Names of AgentCapabilities bits, e.g. `AcceptsRemoteConfig`. */
  capabilities: z.array(z.string()),
  customCapabilities: z.array(z.string()),
  health: HealthNode.nullable(),
  remoteConfigStatus: z.object({ hash: ConfigHash, status: z.enum(['unset', 'applying', 'applied', 'failed']), errorMessage: z.string() }).nullable(),
  /** What became of the connection settings, which tell where its own telemetry goes; null: it never said. */
  connectionSettingsStatus: z
    .object({ hash: ConfigHash, status: z.enum(['unset', 'applying', 'applied', 'failed']), errorMessage: z.string() })
    .nullable()
    .optional(),
  effectiveConfigHash: ConfigHash.nullable(),
  desiredConfigHash: ConfigHash.nullable(),
  lastGoodConfigHash: ConfigHash.nullable(),
  components: z.object({ hash: z.string(), complete: z.boolean(), items: z.array(ComponentInfo) }).nullable(),
  connection: z.object({ remoteAddress: z.string(), connectedAt: Timestamp, credential: z.string() }).nullable(),
}).meta({ id: 'AgentDetail' })
export type AgentDetail = z.output<typeof AgentDetail>

export const AgentCounts = z
  .object({
    total: z.number().int(),
    connected: z.number().int(),
    stale: z.number().int(),
    healthy: z.number().int(),
    unhealthy: z.number().int(),
    applying: z.number().int(),
    applied: z.number().int(),
    failed: z.number().int(),
    unmanaged: z.number().int(),
  })
  .meta({ id: 'AgentCounts' })
export type AgentCounts = z.output<typeof AgentCounts>

export const AgentStateFilter = z.enum(['connected', 'disconnected', 'stale', 'healthy', 'unhealthy', 'applying', 'applied', 'failed', 'unmanaged'])
export type AgentStateFilter = z.output<typeof AgentStateFilter>

export const AgentListQuery = PageQuery.extend({
  filter: z.string().max(4096).optional().meta({ description: 'Selector, e.g. `service.name = otelcol and label.site in (ber, ham)`' }),
  state: AgentStateFilter.optional(),
  search: z.string().max(255).optional().meta({ description: 'Part of name, host name, uid or id' }),
  sort: z.enum(['name', '-name', 'lastSeenAt', '-lastSeenAt', 'firstSeenAt', '-firstSeenAt']).default('name'),
})

/** One piece of an agent's desired configuration, lowest precedence first. */
export const FragmentRef = z
  .object({ group: ResourceName, priority: z.number().int(), revision: z.number().int(), config: ResourceName, version: z.number().int(), file: z.string() })
  .meta({ id: 'FragmentRef' })

/** A value that more than one fragment sets: which one wins. Indices into `fragments`. */
export const Override = z.object({ path: z.string(), winner: z.number().int(), losers: z.array(z.number().int()) }).meta({ id: 'Override' })

export const DriftEntry = z.object({ path: z.string(), kind: z.enum(['missing', 'changed']), desired: z.unknown(), effective: z.unknown().optional() }).meta({
  id: 'DriftEntry',
  description: 'A value of the desired configuration that the effective one lacks or has otherwise; what the agent adds is no drift',
})

export const DesiredConfig = z
  .object({
    /** null: no group gives this agent a configuration. */
    hash: ConfigHash.nullable(),
    state: ConfigState,
    /** Some sentences: why this agent has, or does not get, this configuration, and which rollouts are on their way to it. */
    reason: z.string(),
    /** `${drover:…}` references that cannot be filled in for this agent. While there are any, nothing is offered. */
    unresolved: z
      .array(z.object({ reference: z.string(), message: z.string(), place: z.string(), line: z.number().int(), column: z.number().int() }))
      .optional(),
    /** The files as they are offered. */
    files: z.array(ConfigFile),
    /** The files merged by the supervisor's rules, as YAML. */
    merged: z.string(),
    fragments: z.array(FragmentRef),
    overrides: z.array(Override),
    /** Groups that match but add nothing, with the reason. */
    skipped: z.array(z.object({ group: ResourceName, reason: z.string() })),
    /** Set when the agent failed the desired configuration and has its last good one instead. */
    heldBack: z.object({ failedHash: ConfigHash, errorMessage: z.string(), runningHash: ConfigHash.nullable() }).nullable(),
    drift: z.array(DriftEntry),
  })
  .meta({ id: 'DesiredConfig' })
export type DesiredConfig = z.output<typeof DesiredConfig>

export const AttemptState = z.enum(['offered', 'applying', 'applied', 'failed', 'timedOut', 'superseded', 'rolledBack']).meta({ id: 'AttemptState' })
export const Attempt = z
  .object({
    id: z.number().int(),
    agentId: AgentId,
    agentName: z.string(),
    hash: ConfigHash,
    /** What the hash stands for, e.g. `base@3 (group all)`. */
    source: z.string(),
    state: AttemptState,
    reason: z.enum(['desired', 'restore', 'retry']),
    errorMessage: z.string().nullable(),
    offeredAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Attempt' })
export type Attempt = z.output<typeof Attempt>

const AgentParams = z.object({ agentId: z.string().max(64).meta({ description: 'Agent id or instance uid' }) })

export const agentRoutes = {
  listAgents: defineRoute({
    id: 'listAgents',
    method: 'GET',
    path: '/agents',
    tag: 'agents',
    access: 'read',
    summary: 'List agents, a page at a time',
    query: AgentListQuery,
    response: pageOf(AgentSummary),
  }),
  countAgents: defineRoute({
    id: 'countAgents',
    method: 'GET',
    path: '/agents/counts',
    tag: 'agents',
    access: 'read',
    summary: 'Count agents by state',
    query: z.object({ filter: z.string().max(4096).optional() }),
    response: AgentCounts,
  }),
  agentHistory: defineRoute({
    id: 'agentHistory',
    method: 'GET',
    path: '/agents/history',
    tag: 'agents',
    access: 'read',
    summary: 'Counts over time, newest last',
    response: z.object({ intervalSeconds: z.number(), samples: z.array(AgentCounts.extend({ at: Timestamp })) }),
  }),
  listAttributeKeys: defineRoute({
    id: 'listAttributeKeys',
    method: 'GET',
    path: '/agents/attributes',
    tag: 'agents',
    access: 'read',
    summary: 'Attribute and label keys that agents have, with frequent values (for completion in a selector)',
    response: z.object({ items: z.array(z.object({ key: z.string(), agents: z.number().int(), values: z.array(z.string()) })) }),
  }),
  getAgent: defineRoute({
    id: 'getAgent',
    method: 'GET',
    path: '/agents/{agentId}',
    tag: 'agents',
    access: 'read',
    summary: 'Show an agent',
    params: AgentParams,
    response: AgentDetail,
    etag: true,
  }),
  getEffectiveConfig: defineRoute({
    id: 'getEffectiveConfig',
    method: 'GET',
    path: '/agents/{agentId}/effective-config',
    tag: 'agents',
    access: 'read',
    summary: 'What the agent says it runs, secrets redacted',
    params: AgentParams,
    response: z.object({ hash: ConfigHash.nullable(), reportedAt: Timestamp.nullable(), files: z.array(ConfigFile) }),
  }),
  getDesiredConfig: defineRoute({
    id: 'getDesiredConfig',
    method: 'GET',
    path: '/agents/{agentId}/desired-config',
    tag: 'agents',
    access: 'read',
    summary: 'What the agent should run, and why',
    params: AgentParams,
    response: DesiredConfig,
  }),
  listAgentAttempts: defineRoute({
    id: 'listAgentAttempts',
    method: 'GET',
    path: '/agents/{agentId}/attempts',
    tag: 'agents',
    access: 'read',
    summary: 'What was offered to an agent and what became of it, newest first',
    params: AgentParams,
    query: PageQuery,
    response: pageOf(Attempt),
  }),
  retryAgent: defineRoute({
    id: 'retryAgent',
    method: 'POST',
    path: '/agents/{agentId}/retry',
    tag: 'agents',
    access: 'write',
    summary: 'Offer the desired configuration again although the agent failed it',
    params: AgentParams,
    status: 202,
    response: z.object({ hash: ConfigHash }),
  }),
  setLabels: defineRoute({
    id: 'setLabels',
    method: 'PUT',
    path: '/agents/{agentId}/labels',
    tag: 'agents',
    access: 'write',
    summary: 'Set the labels of an agent (all of them)',
    params: AgentParams,
    body: z.object({ labels: Labels }),
    response: AgentDetail,
    ifMatch: true,
    etag: true,
  }),
  restartAgent: defineRoute({
    id: 'restartAgent',
    method: 'POST',
    path: '/agents/{agentId}/restart',
    tag: 'agents',
    access: 'write',
    summary: 'Ask the agent to restart',
    params: AgentParams,
    status: 202,
    response: z.object({ delivery: z.enum(['sent', 'queued']) }),
  }),
  forgetAgent: defineRoute({
    id: 'forgetAgent',
    method: 'DELETE',
    path: '/agents/{agentId}',
    tag: 'agents',
    access: 'write',
    summary: 'Forget an agent; it comes back as new when it connects again',
    params: AgentParams,
    status: 204,
  }),
  listAttempts: defineRoute({
    id: 'listAttempts',
    method: 'GET',
    path: '/attempts',
    tag: 'agents',
    access: 'read',
    summary: 'Attempts of all agents, newest first',
    query: PageQuery.extend({ state: AttemptState.optional(), hash: ConfigHash.optional() }),
    response: pageOf(Attempt),
  }),
}
