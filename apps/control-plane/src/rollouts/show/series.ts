/** A metric of the agents that have the change beside that of those that do not. */
import { rolloutRoutes } from '@drover/api'
import { memberTraits } from '@drover/fleet'
import type { BindRoute } from '../../http/bind-route.ts'
import type { RolloutsOptions } from '../part.ts'
import { readMembers } from '../store.ts'
import { metricUnits } from './gate-words.ts'
import { findOrThrow } from './queries.ts'
import { timestamp } from './show.ts'

/** Shown before the start, to compare with. */
const leadMs = 10 * 60_000
/** Beyond, a chart shows nothing more, and a sample says the same. */
const maxAgents = 2_000

export function bindSeriesRoute(bind: BindRoute, { store, evidence, timing }: RolloutsOptions): void {
  bind(rolloutRoutes.getRolloutSeries, async ({ params }) => {
    const { rollout, createdAt, endedAt } = await findOrThrow(store.read, params.rolloutId)
    const [changed, control]: [string[], string[]] = [[], []]
    for await (const page of readMembers(store.read, rollout.id)) {
      for (const { member } of page) {
        const { side } = memberTraits[member.state]
        // Who went back had it when the chart becomes interesting.
        if (side === 'before') control.push(member.agent)
        else changed.push(member.agent)
      }
    }
    const fromMs = (rollout.startedAt ?? createdAt) - leadMs
    const sets = [sample(changed), sample(control)]
    const { intervalSeconds, points } = await evidence.series(params.metric, sets, fromMs, Math.max(fromMs, endedAt === null ? timing.now() : endedAt + leadMs))
    return {
      data: {
        metric: params.metric,
        unit: metricUnits[params.metric],
        intervalSeconds,
        points: points.map(({ atMs, values: [with_, without] }) => ({
          at: timestamp(atMs),
          changed: with_?.mean ?? null,
          control: without?.mean ?? null,
          changedAgents: with_?.agents ?? 0,
          controlAgents: without?.agents ?? 0,
        })),
      },
    }
  })
}

/** Evenly from all, the same each time. */
function sample(agents: readonly string[]): readonly string[] {
  const step = Math.max(1, agents.length / maxAgents)
  return Array.from({ length: Math.min(agents.length, maxAgents) }, (_, index) => agents[Math.floor(index * step)] ?? '')
}
