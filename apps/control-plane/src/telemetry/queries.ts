/** Questions about the store: means of agents, series of an agent or of all, sets of agents side by side. */
import type { TelemetryMetric, TelemetrySeries } from '@drover/api'
import type { OwnMetric } from '@drover/fleet'
import type { TelemetryEvidence } from '../seams.ts'
import { valueOf } from './store/level.ts'
import type { MetricStore } from './store/metric-store.ts'
import { RollUp } from './store/roll-up.ts'
import type { TimedColumns } from './store/roll-up.ts'
import type { Choose } from './store/segment.ts'
import type { KeptMetric, SeriesList } from './store/series.ts'
import { keyText, positionsIn } from './store/series.ts'
import { startOf } from './store/tiers.ts'

/** All agents together, as if they were one. Ids of agents look otherwise. */
export const FLEET = 'fleet'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** Throughput is what leaves an agent: a configuration that loses data on the way keeps accepting. */
const evidenceMetrics: Readonly<Record<OwnMetric, KeptMetric>> = {
  refused: 'refused',
  sendFailed: 'sendFailed',
  queueUse: 'queueUse',
  cpu: 'cpu',
  memory: 'memory',
  throughput: 'sent',
}

const ofAgent = (metric: KeptMetric): Choose => {
  const text = keyText({ metric, component: '' })
  return (list: SeriesList) => {
    const at = positionsIn(list).get(text)
    return at === undefined ? [] : [at]
  }
}

export function createEvidence(store: MetricStore, now: () => number): TelemetryEvidence {
  return {
    means: (metric, agentIds, fromMs, toMs) => meansOf(store, now(), evidenceMetrics[metric], agentIds, fromMs, toMs),
    series: (metric, sets, fromMs, toMs) => seriesOf(store, now(), evidenceMetrics[metric], sets, fromMs, toMs),
  }
}

/** A point belongs to a span when the middle of its step does; longer steps weigh more. */
async function meansOf(
  store: MetricStore,
  nowMs: number,
  metric: KeptMetric,
  agentIds: readonly string[],
  fromMs: number,
  toMs: number,
): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, { sum: number; weight: number }>()
  const query = { tier: store.tierFor(fromMs, nowMs), agentIds: [...new Set(agentIds)], fromMs, toMs, choose: ofAgent(metric) }
  for await (const blocks of store.read(query))
    for (const block of blocks)
      for (const [startMs, value] of pointsOf(block)) {
        const middleMs = startMs + block.stepMs / 2
        if (middleMs < fromMs || middleMs >= toMs) continue
        const held = sums.get(block.agentId)
        if (held === undefined) sums.set(block.agentId, { sum: value * block.stepMs, weight: block.stepMs })
        else {
          held.sum += value * block.stepMs
          held.weight += block.stepMs
        }
      }
  return new Map([...sums].map(([agentId, { sum, weight }]) => [agentId, sum / weight]))
}

/** Of the first series. */
function* pointsOf({ startMs, stepMs, columns: { slots, levels } }: TimedColumns): Generator<[startMs: number, value: number]> {
  for (let slot = 0; slot < Math.min(slots, levels.length); slot++) {
    const value = valueOf(levels[slot] ?? 0xffff)
    if (!Number.isNaN(value)) yield [startMs + slot * stepMs, value]
  }
}

type SetSeries = Awaited<ReturnType<TelemetryEvidence['series']>>

async function seriesOf(
  store: MetricStore,
  nowMs: number,
  metric: KeptMetric,
  sets: readonly (readonly string[])[],
  fromMs: number,
  toMs: number,
): Promise<SetSeries> {
  const tier = store.tierFor(fromMs, nowMs)
  const stepMs = Math.max(tier.stepMs, stepFor(toMs - fromMs))
  const startMs = startOf(fromMs, stepMs)
  const slots = Math.max(0, Math.ceil((toMs - startMs) / stepMs))
  const agents = new Map<string, RollUp>()
  for await (const blocks of store.read({ tier, agentIds: [...new Set(sets.flat())], fromMs: startMs, toMs, choose: ofAgent(metric) }))
    for (const block of blocks) {
      let rollUp = agents.get(block.agentId)
      if (rollUp === undefined) agents.set(block.agentId, (rollUp = new RollUp(startMs, stepMs, slots)))
      rollUp.add(block)
    }
  const means = sets.map((set) => meansAt(new Set(set), agents, metric, slots))
  const points = Array.from({ length: slots }, (_, slot) => ({ atMs: startMs + slot * stepMs, values: means.flatMap((set) => set[slot] ?? []) }))
  return { intervalSeconds: stepMs / second, points }
}

/** Not many more than 400 points. */
function stepFor(spanMs: number): number {
  return [10 * second, minute, 5 * minute, 15 * minute, hour].find((stepMs) => spanMs / stepMs <= 400) ?? 4 * hour
}

function meansAt(set: ReadonlySet<string>, agents: ReadonlyMap<string, RollUp>, metric: KeptMetric, slots: number): { mean: number | null; agents: number }[] {
  const sums = new Float64Array(slots)
  const counts = new Uint32Array(slots)
  for (const agentId of set)
    for (const { key, values } of agents.get(agentId)?.series() ?? [])
      if (key.metric === metric)
        values.forEach((value, slot) => {
          if (Number.isNaN(value)) return
          sums[slot] = (sums[slot] ?? 0) + value
          counts[slot] = (counts[slot] ?? 0) + 1
        })
  return Array.from(counts, (count, slot) => ({ mean: count === 0 ? null : (sums[slot] ?? 0) / count, agents: count }))
}

/** What a chart has: 180 to 720 points. */
export const rangeSteps = {
  '1h': { spanMs: hour, stepMs: 10 * second },
  '6h': { spanMs: 6 * hour, stepMs: minute },
  '24h': { spanMs: day, stepMs: 5 * minute },
  '7d': { spanMs: 7 * day, stepMs: 15 * minute },
  '30d': { spanMs: 30 * day, stepMs: hour },
  '90d': { spanMs: 90 * day, stepMs: 4 * hour },
} as const

export const units: Readonly<Record<TelemetryMetric, string>> = {
  accepted: 'items/s',
  refused: 'items/s',
  sent: 'items/s',
  sendFailed: 'items/s',
  queueSize: 'items',
  queueCapacity: 'items',
  queueUse: 'share',
  cpu: 'cores',
  memory: 'bytes',
  uptime: 's',
}

/** Every series of an agent over a range, or of the fleet. */
export async function readRange(
  store: MetricStore,
  nowMs: number,
  agentId: string,
  range: keyof typeof rangeSteps,
): Promise<{ readonly intervalSeconds: number; readonly series: TelemetrySeries[] }> {
  const { spanMs, stepMs: wantedMs } = rangeSteps[range]
  const tier = store.tierFor(nowMs - spanMs, nowMs)
  const stepMs = Math.max(wantedMs, tier.stepMs)
  const startMs = startOf(nowMs - spanMs, stepMs) + stepMs
  const slots = Math.ceil(spanMs / stepMs)
  const rollUp = new RollUp(startMs, stepMs, slots)
  for await (const blocks of store.read({ tier, agentIds: [agentId], fromMs: startMs, toMs: startMs + spanMs, choose: ({ keys }) => keys.map((_, at) => at) }))
    for (const block of blocks) rollUp.add(block)
  const told = [...rollUp.series()].filter(({ values }) => values.some((value) => !Number.isNaN(value)))
  const points = (values: Float64Array) => Array.from(values, (value, slot): [number, number | null] => [startMs + slot * stepMs, rounded(value)])
  const series = told.flatMap(({ key: { metric, component }, values }): TelemetrySeries[] => {
    if (metric === 'queueUseMax') return []
    const highest = metric === 'queueUse' ? told.find(({ key }) => key.metric === 'queueUseMax' && key.component === component) : undefined
    return [
      {
        metric,
        unit: units[metric],
        component: component === '' ? null : component,
        points: points(values),
        ...(highest === undefined ? {} : { highest: points(highest.values) }),
      },
    ]
  })
  return {
    intervalSeconds: stepMs / second,
    series: series.toSorted((a, b) => compare(a.component ?? '', b.component ?? '') || order(a.metric) - order(b.metric)),
  }
}

const order = (metric: TelemetryMetric) => Object.keys(units).indexOf(metric)
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** As exact as what is kept. */
function rounded(value: number): number | null {
  return Number.isNaN(value) ? null : Number(value.toPrecision(4))
}
