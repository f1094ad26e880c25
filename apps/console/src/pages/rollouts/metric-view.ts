/** The compared metric of a rollout as a chart needs it, and in words. Pure. */
import type { OwnMetric, Rollout, RolloutPlan, RolloutSeries } from '@drover/api'
import type { ChartMark, ChartSeries } from '../../ui/chart/chart-data.ts'
import { type ValueUnit, formatValue } from '../../ui/chart/chart-values.ts'

/** The same two lines for every metric: with the change first and full, without it dashed. */
export function comparedSeries({ points }: Pick<RolloutSeries, 'points'>): readonly ChartSeries[] {
  return [
    { key: 'changed', label: 'With the change', color: '--chart-1', points: points.map(({ at, changed }) => [Date.parse(at), changed]) },
    { key: 'control', label: 'Without it', color: '--idle-mark', dash: true, points: points.map(({ at, control }) => [Date.parse(at), control]) },
  ]
}

/** When each wave was opened, for marks on the chart. */
export function waveMarks(waves: Rollout['waves']): readonly ChartMark[] {
  return waves.flatMap(({ openedAt }, index) => (openedAt === null ? [] : [{ atMs: Date.parse(openedAt), label: `wave ${index + 1}` }]))
}

/** The metric that a gate compares first; else refused data, which tells most. */
export function firstMetric({ gates }: Pick<RolloutPlan, 'gates'>): OwnMetric {
  for (const gate of gates) if (gate.kind === 'ownTelemetry') return gate.metric
  return 'refused'
}

const units: Readonly<Record<OwnMetric, ValueUnit>> = {
  refused: 'perSecond',
  sendFailed: 'perSecond',
  queueUse: 'share',
  cpu: 'share',
  memory: 'bytes',
  throughput: 'perSecond',
}

/** How values are written. The unit that the server names wins over what is usual for the metric. */
export function unitOf({ metric, unit }: Pick<RolloutSeries, 'metric' | 'unit'>): ValueUnit {
  if (/^(1|share|ratio|%)$/.test(unit)) return 'share'
  return units[metric]
}

/** The newest point that says something, as a sentence. */
export function latestInWords({ points, unit, metric }: Pick<RolloutSeries, 'points' | 'unit' | 'metric'>): string {
  const latest = points.findLast(({ changed, control }) => changed !== null || control !== null)
  if (latest === undefined) return 'No agent has told anything yet.'
  const written = unitOf({ metric, unit })
  const side = (value: number | null, count: number, words: string) =>
    `${words} ${value === null ? 'nobody told' : `${formatValue(value, written)} (mean of ${count.toLocaleString('en')} ${count === 1 ? 'agent' : 'agents'})`}`
  return `${side(latest.changed, latest.changedAgents, 'With the change:')}; ${side(latest.control, latest.controlAgents, 'without:')}.`
}
