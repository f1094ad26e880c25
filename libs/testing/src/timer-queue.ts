/** One real timer for any number of waits, so that thousands of agents cost one timer. */
import type { Clock } from './fake-clock.ts'

export interface Wait {
  cancel(): void
}

interface Entry {
  readonly due: number
  readonly order: number
  callback: (() => void) | undefined
}

export interface TimerQueueOptions {
  readonly clock: Clock
  /** Waits end at multiples of this, so that many end in one wake-up; 1 is exact. */
  readonly granularityMs?: number
}

/** A binary heap by due time; cancelled entries stay until their time comes and then do nothing. */
export class TimerQueue {
  readonly #clock: Clock
  readonly #granularityMs: number
  readonly #heap: Entry[] = []
  #order = 0
  #armedFor = Number.POSITIVE_INFINITY
  #handle: unknown

  constructor(options: TimerQueueOptions) {
    this.#clock = options.clock
    this.#granularityMs = options.granularityMs ?? 1
  }

  now(): number {
    return this.#clock.now()
  }

  after(delayMs: number, callback: () => void): Wait {
    const due = Math.ceil((this.#clock.now() + Math.max(0, delayMs)) / this.#granularityMs) * this.#granularityMs
    const entry: Entry = { due, order: this.#order++, callback }
    this.#push(entry)
    this.#arm()
    return {
      cancel: () => {
        entry.callback = undefined
      },
    }
  }

  /** Forgets every wait. */
  clear(): void {
    this.#heap.length = 0
    this.#disarm()
  }

  #arm(): void {
    const first = this.#heap[0]
    if (first === undefined || first.due >= this.#armedFor) return
    this.#disarm()
    this.#armedFor = first.due
    this.#handle = this.#clock.setTimeout(() => this.#run(), Math.max(0, first.due - this.#clock.now()))
  }

  #disarm(): void {
    if (this.#handle !== undefined) this.#clock.clearTimeout(this.#handle)
    this.#handle = undefined
    this.#armedFor = Number.POSITIVE_INFINITY
  }

  #run(): void {
    this.#disarm()
    const now = this.#clock.now()
    for (let first = this.#heap[0]; first !== undefined && first.due <= now; first = this.#heap[0]) {
      this.#pop()
      first.callback?.()
    }
    this.#arm()
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.push(entry) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!isBefore(entry, heap[above])) break
      heap[at] = heap[above]! // in range: above < at
      at = above
    }
    heap[at] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      const right = heap[below + 1]
      if (right !== undefined && isBefore(right, heap[below])) below += 1
      if (!isBefore(heap[below], last)) break
      heap[at] = heap[below]! // in range: checked above
      at = below
    }
    heap[at] = last
  }
}

function isBefore(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === undefined || b === undefined) return false
  return a.due === b.due ? a.order < b.order : a.due < b.due
}
