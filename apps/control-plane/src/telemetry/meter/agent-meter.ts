/**
 * From the counters of one agent to a row of numbers. Increases are taken from one 10 s slot to the next by the agent's own clock, so that it does not
 * matter how often it tells within a slot, in how many requests, or how late it is; into which slot they go is said by ours.
 */
import type { MetricPoint } from '../otlp/point.ts'
import type { SeriesList } from '../store/series.ts'
import type { Layout } from './layout.ts'
import { idOf, layoutOf, specOf } from './layout.ts'
import type { CounterSpec } from './layout.ts'

export interface MeterLimits {
  readonly maxCounters: number
  readonly maxComponents: number
}

export interface MeterRow {
  readonly list: SeriesList
  readonly values: Float64Array
  /** How far back from now the values hold. */
  readonly coveredMs: number
}

export interface MeterOutcome {
  /** Undefined: nothing new was told. */
  readonly row: MeterRow | undefined
  /** Points that are no numbers, or beyond the limits. */
  readonly rejected: number
}

/** Of one counter, in one array for all of them: objects would take five times the memory. */
const field = { baseValue: 0, baseMs: 1, lastValue: 2, lastMs: 3, startMs: 4, slot: 5, told: 6 } as const
const FIELDS = 7
const SLOT_MS = 10_000
/** Older by less: a request that came twice, or late. Older by more: the agent's clock was set back. */
const LATE_MS = 5 * 60_000
/** A counter that began this short before it is first told is counted from its beginning. */
const YOUNG_MS = 5 * 60_000
/** An increase over less time says nothing. */
const SHORTEST_MS = 500
/** A silence that is longer leaves a hole instead of being filled with what is told afterwards. */
const LONGEST_COVER_MS = 90_000
/** Counters that were not told for so long make room when there are too many. */
const FORGET_SLOTS = 90
const empty = layoutOf([], 0)

export class AgentMeter {
  readonly #limits: MeterLimits
  #layout: Layout = empty
  #numbers = new Float64Array(0)
  /** By the agent's clock; NaN: it never told any. */
  #rowMs = Number.NaN
  /** By ours. */
  #heardMs = Number.NEGATIVE_INFINITY
  #hasForgotten = false

  constructor(limits: MeterLimits) {
    this.#limits = limits
  }

  get lastHeardMs(): number {
    return this.#heardMs
  }

  take(points: readonly MetricPoint[], nowMs: number): MeterOutcome {
    const slot = Math.floor(nowMs / SLOT_MS)
    const good = points.filter(({ value, timeMs }) => Number.isFinite(value) && value >= 0 && timeMs > 0)
    const unknown = this.#learn(good, slot)
    let [isNew, latestMs] = [false, Number.isNaN(this.#rowMs) ? 0 : this.#rowMs]
    for (const point of good) {
      const at = this.#layout.positions.get(idOf(point))
      if (at === undefined || !this.#update(at * FIELDS, point, slot)) continue
      isNew = true
      latestMs = Math.max(latestMs, point.timeMs)
    }
    const row = isNew ? this.#row(slot, nowMs) : undefined
    if (isNew) {
      this.#rowMs = latestMs
      this.#heardMs = nowMs
    }
    return { row, rejected: points.length - good.length + unknown }
  }

  /** Makes room for counters that were not known. @returns the number of points for which there is none */
  #learn(points: readonly MetricPoint[], slot: number): number {
    const unknown = points.filter((point) => !this.#layout.positions.has(idOf(point)))
    if (unknown.length === 0) return 0
    const fresh = new Map(unknown.map((point) => [idOf(point), specOf(point)]))
    const kept = this.#layout.specs.length + fresh.size > this.#limits.maxCounters ? this.#recent(slot) : this.#layout.specs
    this.#rebuild([...kept, ...[...fresh.values()].slice(0, Math.max(0, this.#limits.maxCounters - kept.length))])
    return unknown.filter((point) => !this.#layout.positions.has(idOf(point))).length
  }

  #recent(slot: number): readonly CounterSpec[] {
    this.#hasForgotten = true
    return this.#layout.specs.filter((_, at) => slot - this.#get(at * FIELDS, field.slot) <= FORGET_SLOTS)
  }

  #rebuild(specs: readonly CounterSpec[]): void {
    const layout = layoutOf(specs, this.#limits.maxComponents)
    const numbers = new Float64Array(layout.specs.length * FIELDS).fill(Number.NaN)
    layout.specs.forEach(({ id }, at) => {
      const before = this.#layout.positions.get(id)
      if (before !== undefined) numbers.set(this.#numbers.subarray(before * FIELDS, (before + 1) * FIELDS), at * FIELDS)
    })
    this.#layout = layout
    this.#numbers = numbers
  }

  #get(offset: number, name: number): number {
    return this.#numbers[offset + name] ?? Number.NaN
  }

  /** False: the point tells nothing that is not known. */
  #update(offset: number, point: MetricPoint, slot: number): boolean {
    const lastMs = this.#get(offset, field.lastMs)
    const isFirst = Number.isNaN(lastMs)
    const wasSetBack = point.timeMs <= lastMs - LATE_MS
    if (!isFirst && point.timeMs <= lastMs && !wasSetBack) return false
    const numbers = this.#numbers
    if (point.role.kept === 'value') numbers[offset + field.told] = point.value
    else this.#count(offset, point, slot, isFirst, wasSetBack)
    numbers[offset + field.lastMs] = point.timeMs
    numbers[offset + field.slot] = slot
    return true
  }

  #count(offset: number, point: MetricPoint, slot: number, isFirst: boolean, wasSetBack: boolean): void {
    const numbers = this.#numbers
    const isDelta = point.temporality === 'delta'
    const last = isFirst ? 0 : this.#get(offset, field.lastValue)
    const value = isDelta ? last + point.value : point.value
    const setBase = (baseValue: number, baseMs: number) => {
      numbers[offset + field.baseValue] = baseValue
      numbers[offset + field.baseMs] = baseMs
    }
    if (isFirst) setBase(...this.#firstBase(point, value))
    else if (wasSetBack) setBase(value, point.timeMs)
    else {
      if (slot !== this.#get(offset, field.slot)) setBase(last, this.#get(offset, field.lastMs))
      // The agent was restarted: what it counted since then is all new.
      if (!isDelta && (value < last || point.startMs > this.#get(offset, field.startMs) + 1))
        setBase(0, Math.max(point.startMs, this.#get(offset, field.baseMs)))
    }
    const elapsedMs = point.timeMs - this.#get(offset, field.baseMs)
    const increase = value - this.#get(offset, field.baseValue)
    numbers[offset + field.told] = elapsedMs >= SHORTEST_MS ? (Math.max(0, increase) * 1000) / elapsedMs : Number.NaN
    numbers[offset + field.lastValue] = value
    if (!isDelta) numbers[offset + field.startMs] = point.startMs
  }

  /** A counter appears when it first counts, so one that was not there before was zero; of an agent we never heard, nobody knows. */
  #firstBase({ temporality, startMs, timeMs }: MetricPoint, value: number): [value: number, ms: number] {
    const before = this.#rowMs
    if (temporality === 'delta') return startMs > 0 && startMs < timeMs ? [0, startMs] : [value, timeMs]
    if (startMs > 0 && startMs < timeMs && (startMs > before || (Number.isNaN(before) && timeMs - startMs <= YOUNG_MS))) return [0, startMs]
    return before < timeMs && !this.#hasForgotten ? [0, before] : [value, timeMs]
  }

  /** Of everything that was told in this slot, in however many requests. */
  #row(slot: number, nowMs: number): MeterRow {
    const { specs, targets, list, unknownRates } = this.#layout
    const values = new Float64Array(list.keys.length).fill(Number.NaN)
    specs.forEach((_, at) => {
      const told = this.#get(at * FIELDS, field.told)
      if (this.#get(at * FIELDS, field.slot) !== slot || Number.isNaN(told)) return
      for (const place of targets[at] ?? []) values[place] = orZero(values[place]) + told
    })
    // An agent that tells its metrics, and none of a kind, has had none of that kind.
    if (!Number.isNaN(this.#rowMs)) for (const place of unknownRates) values[place] = 0
    addQueueUse(values, this.#layout)
    const silentMs = nowMs - this.#heardMs
    return { list, values, coveredMs: silentMs > 0 && silentMs <= LONGEST_COVER_MS ? silentMs : 0 }
  }
}

/** Of each exporter, and of the agent that of its fullest one. */
function addQueueUse(values: Float64Array, { queues, queueUse }: Layout): void {
  for (const { size, capacity, use } of queues) {
    const share = (values[size] ?? Number.NaN) / (values[capacity] ?? Number.NaN)
    if (!Number.isFinite(share)) continue
    values[use] = share
    values[queueUse] = Math.max(orZero(values[queueUse]), share)
  }
}

function orZero(value: number | undefined): number {
  return value === undefined || Number.isNaN(value) ? 0 : value
}
