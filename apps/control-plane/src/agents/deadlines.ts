/** Many coarse deadlines on one timer: setting or cancelling one costs the same for ten agents as for a hundred thousand. */

/** Time as this part needs it; tests move it by hand. */
export interface Timing {
  now(): number
  /** Milliseconds since some moment, which no clock that is set moves. */
  monotonic(): number
  setTimeout(callback: () => void, delayMs: number): unknown
  clearTimeout(handle: unknown): void
}

/** Real timers, which do not keep the process alive. */
export function realTiming(clock: { now(): number }): Timing {
  return {
    now: () => clock.now(),
    monotonic: () => performance.now(),
    setTimeout: (callback, delayMs) => setTimeout(callback, delayMs).unref(),
    clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout), // as: only what setTimeout above returned is given back
  }
}

export interface Deadline {
  cancel(): void
}

interface Entry {
  readonly callback: () => void
}

const TICK_MS = 1000

/**
 * A deadline is met at the first tick at or after its time: up to a second late, never early. Set forward, the system's clock takes its
 * deadlines along, as some wait for a moment and not for a while; set back, it holds none up.
 */
export class Deadlines {
  readonly #timing: Timing
  readonly #ticks = new Map<number, Set<Entry>>()
  #doneTick: number
  #timer: unknown
  #size = 0
  /** What the system's clock was set back by. */
  #setBackMs = 0
  #lastNow: number
  #lastMonotonic: number

  constructor(timing: Timing) {
    this.#timing = timing
    this.#lastNow = timing.now()
    this.#lastMonotonic = timing.monotonic()
    this.#doneTick = Math.floor(timing.now() / TICK_MS)
  }

  get size(): number {
    return this.#size
  }

  after(delayMs: number, callback: () => void): Deadline {
    if (this.#size === 0) this.#doneTick = Math.floor(this.#now() / TICK_MS)
    const tick = Math.max(this.#doneTick + 1, Math.ceil((this.#now() + delayMs) / TICK_MS))
    const entry: Entry = { callback }
    const entries = this.#ticks.get(tick) ?? new Set<Entry>()
    this.#ticks.set(tick, entries.add(entry))
    this.#size += 1
    this.#arm()
    return {
      cancel: () => {
        if (entries.delete(entry)) this.#size -= 1
      },
    }
  }

  /** The system's clock, but going on where it was when it is set back. */
  #now(): number {
    const now = this.#timing.now()
    const monotonic = this.#timing.monotonic()
    const setBackMs = monotonic - this.#lastMonotonic - (now - this.#lastNow)
    if (setBackMs > TICK_MS) this.#setBackMs += setBackMs
    this.#lastNow = now
    this.#lastMonotonic = monotonic
    return now + this.#setBackMs
  }

  clear(): void {
    this.#ticks.clear()
    this.#size = 0
    if (this.#timer !== undefined) this.#timing.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#size === 0) return
    // Never more than a tick: the clock may be set forward meanwhile.
    const untilTickMs = (this.#doneTick + 1) * TICK_MS - this.#now()
    this.#timer = this.#timing.setTimeout(() => this.#turn(), Math.min(TICK_MS, Math.max(0, untilTickMs)))
  }

  #turn(): void {
    this.#timer = undefined
    const nowTick = Math.floor(this.#now() / TICK_MS)
    // A clock set forward must not walk through each tick of a year.
    const passed =
      nowTick - this.#doneTick > 3600
        ? [...this.#ticks.keys()].filter((tick) => tick <= nowTick).toSorted((a, b) => a - b)
        : ticksFrom(this.#doneTick + 1, nowTick)
    this.#doneTick = Math.max(this.#doneTick, nowTick)
    for (const tick of passed) this.#meet(tick)
    if (this.#size === 0) this.#ticks.clear()
    this.#arm()
  }

  #meet(tick: number): void {
    const entries = this.#ticks.get(tick)
    this.#ticks.delete(tick)
    for (const entry of entries ?? []) {
      if (entries?.delete(entry) !== true) continue
      this.#size -= 1
      entry.callback()
    }
  }
}

function ticksFrom(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i)
}
