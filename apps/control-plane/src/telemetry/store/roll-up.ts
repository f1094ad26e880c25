/** Points of a fine step to points of a coarser one: means, and the highest where a mean would hide it. */
import { ABSENT, levelOf, valueOf } from './level.ts'
import type { ReadColumns } from './segment.ts'
import { keyText, positionsIn, seriesList } from './series.ts'
import type { SeriesKey, SeriesList } from './series.ts'

interface Sum {
  readonly key: SeriesKey
  readonly values: Float64Array
  readonly counts: Float64Array
}

/** Columns of an agent with the time that they begin at. */
export interface TimedColumns {
  readonly startMs: number
  readonly stepMs: number
  readonly keys: readonly SeriesKey[]
  readonly columns: ReadColumns['columns']
}

export class RollUp {
  readonly #startMs: number
  readonly #stepMs: number
  readonly #slots: number
  readonly #sums = new Map<string, Sum>()

  constructor(startMs: number, stepMs: number, slots: number) {
    this.#startMs = startMs
    this.#stepMs = stepMs
    this.#slots = slots
  }

  /** Of steps that are as long as ours or shorter; longer steps weigh more. */
  add({ startMs, stepMs, keys, columns: { slots, levels } }: TimedColumns): void {
    keys.forEach((key, at) => {
      const highest = key.metric === 'queueUse' ? this.#sum({ metric: 'queueUseMax', component: key.component }) : undefined
      const sum = this.#sum(key)
      for (let slot = 0; slot < slots; slot++) {
        const level = levels[at * slots + slot] ?? ABSENT
        const to = Math.floor((startMs + slot * stepMs - this.#startMs) / this.#stepMs)
        if (level === ABSENT || to < 0 || to >= this.#slots) continue
        const value = valueOf(level)
        if (key.metric === 'queueUseMax') raise(sum, to, value)
        else {
          sum.values[to] = (sum.values[to] ?? 0) + value * stepMs
          sum.counts[to] = (sum.counts[to] ?? 0) + stepMs
        }
        if (highest !== undefined) raise(highest, to, value)
      }
    })
  }

  /** NaN where there is nothing. */
  *series(): Generator<{ readonly key: SeriesKey; readonly values: Float64Array }> {
    for (const { key, values, counts } of this.#sums.values()) yield { key, values: values.map((value, slot) => value / (counts[slot] ?? 0)) }
  }

  columns(): { readonly list: SeriesList; readonly columns: { readonly slots: number; readonly levels: Uint16Array } } {
    const series = [...this.series()].filter(({ values }) => values.some((value) => !Number.isNaN(value)))
    const list = seriesList(series.map(({ key }) => key))
    const places = positionsIn(list)
    const levels = new Uint16Array(list.keys.length * this.#slots)
    for (const { key, values } of series) {
      const offset = (places.get(keyText(key)) ?? 0) * this.#slots
      values.forEach((value, slot) => {
        levels[offset + slot] = levelOf(value)
      })
    }
    return { list, columns: { slots: this.#slots, levels } }
  }

  #sum(key: SeriesKey): Sum {
    const text = keyText(key)
    const known = this.#sums.get(text)
    if (known !== undefined) return known
    const made = { key, values: new Float64Array(this.#slots), counts: new Float64Array(this.#slots) }
    this.#sums.set(text, made)
    return made
  }
}

function raise({ values, counts }: Sum, slot: number, value: number): void {
  values[slot] = Math.max(values[slot] ?? 0, value)
  counts[slot] = 1
}
