/** The agents' own telemetry, as Drover keeps it for gates and charts. */
import { z } from 'zod'
import { Timestamp } from '../common.ts'
import { defineRoute } from '../route.ts'
import { AgentId } from './agents.ts'

/** Rates are per second; `queueUse` and `cpu` are shares (1 = one full queue, one core); memory is bytes. */
export const TelemetryMetric = z
  .enum(['accepted', 'refused', 'sent', 'sendFailed', 'queueSize', 'queueCapacity', 'queueUse', 'cpu', 'memory', 'uptime'])
  .meta({ id: 'TelemetryMetric' })
export type TelemetryMetric = z.output<typeof TelemetryMetric>

/** 10 s points for an hour, 1 min for a week, 15 min for 90 days. */
export const TelemetryRange = z.enum(['1h', '6h', '24h', '7d', '30d', '90d']).meta({ id: 'TelemetryRange' })

export const TelemetrySeries = z
  .object({
    metric: TelemetryMetric,
    unit: z.string(),
    /** E.g. `receiver otlp traces` or `exporter otlp/backend`; null: of the whole agent. */
    component: z.string().nullable(),
    /** [milliseconds since 1970, value]; null: not told. */
    points: z.array(z.tuple([z.number(), z.number().nullable()])),
    /** Of `queueUse`: the highest within each step, where a mean would hide it. */
    highest: z.array(z.tuple([z.number(), z.number().nullable()])).optional(),
  })
  .meta({ id: 'TelemetrySeries' })
export type TelemetrySeries = z.output<typeof TelemetrySeries>

const AgentParams = z.object({ agentId: AgentId })

export const telemetryRoutes = {
  getAgentMetrics: defineRoute({
    id: 'getAgentMetrics',
    method: 'GET',
    path: '/agents/{agentId}/metrics',
    tag: 'telemetry',
    access: 'read',
    summary: "An agent's own metrics over time",
    params: AgentParams,
    query: z.object({ range: TelemetryRange.default('1h') }),
    response: z.object({
      intervalSeconds: z.number(),
      /** null: it never sent any. */
      lastAt: Timestamp.nullable(),
      /** Why there may be none, for a person; null: there are some. */
      absent: z.string().nullable(),
      series: z.array(TelemetrySeries),
    }),
  }),
  getAgentLogs: defineRoute({
    id: 'getAgentLogs',
    method: 'GET',
    path: '/agents/{agentId}/logs',
    tag: 'telemetry',
    access: 'read',
    summary: "An agent's own log lines of the last hour, newest last, secrets redacted",
    params: AgentParams,
    query: z.object({ limit: z.coerce.number().int().min(1).max(1000).default(200) }),
    response: z.object({
      items: z.array(z.object({ at: Timestamp, severity: z.string(), body: z.string(), attributes: z.record(z.string(), z.string()) })),
      /** Lines that were left out because there were too many. */
      dropped: z.number().int(),
    }),
  }),
  getFleetMetrics: defineRoute({
    id: 'getFleetMetrics',
    method: 'GET',
    path: '/telemetry/fleet',
    tag: 'telemetry',
    access: 'read',
    summary: 'Own metrics of all agents together: sums of rates, means of the rest',
    query: z.object({ range: TelemetryRange.default('1h') }),
    response: z.object({ intervalSeconds: z.number(), agents: z.number().int(), series: z.array(TelemetrySeries) }),
  }),
  getTelemetryStatus: defineRoute({
    id: 'getTelemetryStatus',
    method: 'GET',
    path: '/telemetry/status',
    tag: 'telemetry',
    access: 'read',
    summary: 'What the store of own telemetry holds and costs',
    response: z.object({
      /** Agents that sent metrics within the last five minutes. */
      agents: z.number().int(),
      bytes: z.number().int(),
      budgetBytes: z.number().int(),
      /** How far back each step reaches now: less than planned when the budget is small. */
      tiers: z.array(z.object({ intervalSeconds: z.number(), keptSeconds: z.number(), plannedSeconds: z.number(), bytes: z.number().int() })),
      refused: z.record(z.string(), z.number().int()),
      spans: z.number().int(),
    }),
  }),
}
