/** What people and programs read of the agents' own telemetry. */
import { telemetryRoutes } from '@drover/api'
import type { BindRoute } from '../http/bind-route.ts'
import { NotFoundError } from '../http/errors.ts'
import type { OwnMetricsOffer } from './absent.ts'
import { absentBecause } from './absent.ts'
import type { OwnLogs } from './own-logs.ts'
import { FLEET, readRange } from './queries.ts'
import type { MetricStore } from './store/metric-store.ts'

export interface TelemetryRoutesOptions {
  readonly store: MetricStore
  readonly logs: OwnLogs
  readonly now: () => number
  /** Undefined: there is no such agent. */
  readonly offerOf: (agentId: string) => OwnMetricsOffer | undefined
  /** When metrics of it came last, since this server was started. */
  readonly lastHeardMs: (agentId: string) => number | undefined
  /** That sent metrics within five minutes. */
  readonly activeAgents: () => number
  readonly spans: () => number
  readonly refused: () => Record<string, number>
}

export function bindTelemetryRoutes(bind: BindRoute, options: TelemetryRoutesOptions): void {
  const { store, logs, now, offerOf } = options

  bind(telemetryRoutes.getAgentMetrics, async ({ params: { agentId }, query: { range } }) => {
    const offer = offerOf(agentId)
    if (offer === undefined) throw new NotFoundError('agent', agentId)
    const read = await readRange(store, now(), agentId, range)
    const lastMs = options.lastHeardMs(agentId) ?? newestOf(read)
    const isEmpty = read.series.length === 0
    return { data: { ...read, lastAt: lastMs === undefined ? null : new Date(lastMs).toISOString(), absent: isEmpty ? absence(offer, lastMs) : null } }
  })

  bind(telemetryRoutes.getAgentLogs, ({ params: { agentId }, query: { limit } }) => {
    if (offerOf(agentId) === undefined) throw new NotFoundError('agent', agentId)
    const { lines, dropped } = logs.of(agentId, limit, now())
    const items = lines.map(({ atMs, severity, body, attributes }) => ({ at: new Date(atMs).toISOString(), severity, body, attributes }))
    return { data: { items, dropped } }
  })

  bind(telemetryRoutes.getFleetMetrics, async ({ query: { range } }) => ({
    data: { ...(await readRange(store, now(), FLEET, range)), agents: options.activeAgents() },
  }))

  bind(telemetryRoutes.getTelemetryStatus, () => {
    const { bytes, budgetBytes, tiers } = store.status()
    return {
      data: {
        agents: options.activeAgents(),
        bytes,
        budgetBytes,
        tiers: tiers.map(({ tier, bytes: tierBytes, oldestMs }) => ({
          intervalSeconds: tier.stepMs / 1000,
          keptSeconds: oldestMs === null ? 0 : Math.max(0, Math.round((now() - oldestMs) / 1000)),
          plannedSeconds: tier.plannedMs / 1000,
          bytes: tierBytes,
        })),
        refused: options.refused(),
        spans: options.spans(),
      },
    }
  })
}

function absence(offer: OwnMetricsOffer, lastMs: number | undefined): string {
  return lastMs === undefined ? absentBecause(offer) : `Nothing came within this time; the last metrics came at ${new Date(lastMs).toISOString()}.`
}

/** After a restart the points themselves tell when the last came. */
function newestOf({ series }: { readonly series: readonly { readonly points: readonly (readonly [number, number | null])[] }[] }): number | undefined {
  const times = series.flatMap(({ points }) => points.findLast(([, value]) => value !== null)?.[0] ?? [])
  return times.length === 0 ? undefined : Math.max(...times)
}
