/** Counts over time for the overview: a ring in memory, filled from the counters. */
import type { AgentCounts } from '@drover/api'

export interface Sample extends AgentCounts {
  readonly at: number
}

export class History {
  readonly intervalMs: number
  readonly #capacity: number
  #samples: Sample[] = []

  constructor(intervalMs: number, keepMs: number) {
    this.intervalMs = intervalMs
    this.#capacity = Math.ceil(keepMs / intervalMs)
  }

  add(at: number, counts: AgentCounts): void {
    this.#samples.push({ at, ...counts })
    // Cut in large pieces, so that the ring costs one copy in a long while.
    if (this.#samples.length >= 2 * this.#capacity) this.#samples = this.#samples.slice(-this.#capacity)
  }

  /** Oldest first. */
  samples(): readonly Sample[] {
    return this.#samples.slice(-this.#capacity)
  }
}
