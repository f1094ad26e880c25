/** Reads of the agents' own telemetry as query options. */
import type { TelemetryRange } from '@drover/api'
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { z } from 'zod'
import { api } from './client.ts'

export type Range = z.output<typeof TelemetryRange>

/** As often as a range can have a new point. */
const refreshMs: Readonly<Record<Range, number>> = { '1h': 10_000, '6h': 60_000, '24h': 60_000, '7d': 60_000, '30d': 300_000, '90d': 300_000 }

export const agentMetricsQuery = (agentId: string, range: Range) =>
  queryOptions({
    queryKey: ['agent-metrics', agentId, range],
    queryFn: async ({ signal }) => (await api.getAgentMetrics({ params: { agentId }, query: { range }, signal })).data,
    refetchInterval: refreshMs[range],
    placeholderData: keepPreviousData,
  })

const FOLLOW_MS = 2_000
const MOST_LINES = 1_000

export const agentLogsQuery = (agentId: string, follow: boolean) =>
  queryOptions({
    queryKey: ['agent-logs', agentId],
    queryFn: async ({ signal }) => (await api.getAgentLogs({ params: { agentId }, query: { limit: MOST_LINES }, signal })).data,
    refetchInterval: follow ? FOLLOW_MS : false,
  })

export const fleetMetricsQuery = (range: Range) =>
  queryOptions({
    queryKey: ['fleet-metrics', range],
    queryFn: async ({ signal }) => (await api.getFleetMetrics({ query: { range }, signal })).data,
    refetchInterval: refreshMs[range],
    placeholderData: keepPreviousData,
  })

export const telemetryStatusQuery = queryOptions({
  queryKey: ['telemetry-status'],
  queryFn: async ({ signal }) => (await api.getTelemetryStatus({ signal })).data,
  refetchInterval: 60_000,
})
