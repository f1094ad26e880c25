/** All agents together, minute by minute: sums of rates, means of the rest. Kept like an agent of its own, so that a chart of months reads one agent. */
import type { MetricStore } from './store/metric-store.ts'
import { valueOf } from './store/level.ts'
import { FLEET } from './queries.ts'
import { seriesList } from './store/series.ts'
import type { KeptMetric } from './store/series.ts'
import { finest, startOf } from './store/tiers.ts'
import { windowSlots } from './store/window.ts'
import type { Window } from './store/window.ts'

const MINUTE_MS = 60_000
const SLOTS = MINUTE_MS / finest.stepMs
/** An agent that tells once a minute has told of a minute when the next one is over. */
const SETTLED_AFTER_MS = MINUTE_MS + 5_000

const summed: ReadonlySet<KeptMetric> = new Set(['accepted', 'refused', 'sent', 'sendFailed'])

export class FleetSums {
  readonly #store: MetricStore
  #doneMs = 0

  constructor(store: MetricStore) {
    this.#store = store
  }

  /** Adds up the minutes that are settled and were not yet. */
  tick(nowMs: number): void {
    for (const window of this.#store.openWindows()) {
      const endMs = Math.min(window.startMs + finest.windowMs, startOf(nowMs - SETTLED_AFTER_MS, MINUTE_MS))
      for (let minuteMs = Math.max(window.startMs, this.#doneMs); minuteMs < endMs; minuteMs += MINUTE_MS) {
        this.#add(window, minuteMs)
        this.#doneMs = minuteMs + MINUTE_MS
      }
    }
    // The clock was set back.
    if (this.#doneMs > nowMs + MINUTE_MS) this.#doneMs = 0
  }

  #add(window: Window, minuteMs: number): void {
    const first = (minuteMs - window.startMs) / finest.stepMs
    const sums = new Map<KeptMetric, { sum: number; agents: number }>()
    for (const agentId of window.agents()) {
      const held = agentId === FLEET ? undefined : window.columns(agentId)
      held?.list.keys.forEach(({ metric, component }, at) => {
        if (component !== '') return
        const mean = meanOf(held.levels, at * windowSlots + first)
        if (Number.isNaN(mean)) return
        const known = sums.get(metric)
        if (known === undefined) sums.set(metric, { sum: mean, agents: 1 })
        else {
          known.sum += mean
          known.agents++
        }
      })
    }
    if (sums.size === 0) return
    const list = seriesList([...sums.keys()].map((metric) => ({ metric, component: '' })))
    const values = list.keys.map(({ metric }) => {
      const { sum, agents } = sums.get(metric) ?? { sum: Number.NaN, agents: 1 }
      return summed.has(metric) ? sum : sum / agents
    })
    this.#store.write({ agentId: FLEET, atMs: minuteMs + MINUTE_MS - finest.stepMs, coveredMs: MINUTE_MS, list, values })
  }
}

function meanOf(levels: Uint16Array, offset: number): number {
  let [sum, count] = [0, 0]
  for (let slot = 0; slot < SLOTS; slot++) {
    const value = valueOf(levels[offset + slot] ?? 0xffff)
    if (Number.isNaN(value)) continue
    sum += value
    count++
  }
  return sum / count
}
