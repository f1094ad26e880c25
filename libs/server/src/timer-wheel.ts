/** Many coarse deadlines on one timer: arming, moving and cancelling one costs the same for ten agents and for a hundred thousand. */
import type { Clock } from './clock.ts'

export interface Deadline {
  cancel(): void
}

interface Entry extends Deadline {
  readonly callback: () => void
  readonly dueTick: number
}

/** Deadlines fire at the first tick at or after their time, so up to one tick late and never early. */
export class TimerWheel {
  readonly #clock: Clock
  readonly #tickMs: number
  readonly #slots: Set<Entry>[]
  readonly #startedAtMs: number
  #doneTick = 0
  #size = 0
  #timer: unknown

  constructor(clock: Clock, tickMs = 500, slots = 512) {
    this.#clock = clock
    this.#tickMs = tickMs
    this.#slots = Array.from({ length: slots }, () => new Set<Entry>())
    this.#startedAtMs = clock.monotonic()
  }

  /** Deadlines not yet fired or cancelled. */
  get size(): number {
    return this.#size
  }

  after(delayMs: number, callback: () => void): Deadline {
    const dueTick = Math.max(this.#doneTick + 1, Math.ceil((this.#clock.monotonic() + delayMs - this.#startedAtMs) / this.#tickMs))
    const slot = this.#slot(dueTick)
    const entry: Entry = { callback, dueTick, cancel: () => this.#remove(slot, entry) }
    slot.add(entry)
    this.#size += 1
    this.#arm()
    return entry
  }

  /** Forgets every deadline. */
  clear(): void {
    for (const slot of this.#slots) slot.clear()
    this.#size = 0
    this.#disarm()
  }

  #slot(tick: number): Set<Entry> {
    return this.#slots[tick % this.#slots.length]! // in range by the remainder
  }

  #remove(slot: Set<Entry>, entry: Entry): void {
    if (!slot.delete(entry)) return
    this.#size -= 1
    if (this.#size === 0) this.#disarm()
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#size === 0) return
    // With nothing armed no tick was looked at; those that passed meanwhile held nothing that is due.
    const nowTick = Math.floor((this.#clock.monotonic() - this.#startedAtMs) / this.#tickMs)
    const delayMs = this.#startedAtMs + (nowTick + 1) * this.#tickMs - this.#clock.monotonic()
    this.#timer = this.#clock.setTimeout(() => this.#turn(), Math.max(1, delayMs))
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #turn(): void {
    this.#timer = undefined
    const nowTick = Math.floor((this.#clock.monotonic() - this.#startedAtMs) / this.#tickMs)
    // After a long stall one round over all slots finds everything that is due.
    const first = Math.max(this.#doneTick + 1, nowTick - this.#slots.length + 1)
    this.#doneTick = nowTick
    for (let tick = first; tick <= nowTick; tick++) this.#fire(this.#slot(tick), nowTick)
    this.#arm()
  }

  #fire(slot: Set<Entry>, nowTick: number): void {
    // A callback may add to this very slot; what it adds is due a round later.
    for (const entry of slot) {
      if (entry.dueTick > nowTick || !slot.delete(entry)) continue
      this.#size -= 1
      entry.callback()
    }
  }
}
