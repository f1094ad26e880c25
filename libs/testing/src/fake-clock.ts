/** A clock that only moves when told: timers run in order, at their own time. */

/** What code under test needs of time; `now` is in milliseconds since 1970. */
export interface Clock {
  now(): number
  setTimeout(callback: () => void, delayMs: number): unknown
  clearTimeout(handle: unknown): void
}

/** The real one. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs).unref(),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout), // as: only what setTimeout above returned is given back
}

interface FakeTimer {
  readonly due: number
  readonly order: number
  readonly callback: () => void
}

export class FakeClock implements Clock {
  #now: number
  #order = 0
  readonly #timers = new Set<FakeTimer>()

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#now = startMs
  }

  readonly now = (): number => this.#now

  /** The same time for code that measures durations, in milliseconds. */
  readonly monotonic = (): number => this.#now

  readonly setTimeout = (callback: () => void, delayMs: number): unknown => {
    const timer: FakeTimer = { due: this.#now + Math.max(0, delayMs), order: this.#order++, callback }
    this.#timers.add(timer)
    return timer
  }

  readonly clearTimeout = (handle: unknown): void => {
    this.#timers.delete(handle as FakeTimer) // as: a handle of another kind is simply not in the set
  }

  /** How many timers wait; a closed program leaves none. */
  get pending(): number {
    return this.#timers.size
  }

  /** Moves on by `ms`, running due timers in order, each with `now` at its own time. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) this.#run(next)
    this.#now = end
  }

  /** Like `advance`, and lets promises settle and sockets be served after each timer. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#run(next)
      await settle()
    }
    this.#now = end
    await settle()
  }

  #next(end: number): FakeTimer | undefined {
    let first: FakeTimer | undefined
    for (const timer of this.#timers) {
      if (timer.due > end) continue
      if (first === undefined || timer.due < first.due || (timer.due === first.due && timer.order < first.order)) first = timer
    }
    return first
  }

  #run(timer: FakeTimer): void {
    this.#timers.delete(timer)
    this.#now = Math.max(this.#now, timer.due)
    timer.callback()
  }
}

/** Lets everything run that is ready to run now: promises, then one turn of the event loop. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}
