/** How far a rollout is, as seen from outside of the server, in units small enough to kill it between any two of them. */
import { watch } from 'node:fs'
import { join } from 'node:path'
import type { RolloutAgents } from './rollout-agents.ts'

/**
 * - `write`: the database's log was written to. Commits are a few such writes, so that most of these points are inside of one or right after it.
 * - `message`: an agent sent a message, or acted on one that it got.
 * - `time`: a millisecond went by.
 */
export type Measure = 'write' | 'message' | 'time'
export const measures: readonly Measure[] = ['write', 'message', 'time']

export interface Point {
  readonly measure: Measure
  readonly at: number
}

/** Counts from its beginning on. */
export class Course implements Disposable {
  readonly #startedAt = performance.now()
  readonly #agents: RolloutAgents
  readonly #messagesBefore: number
  readonly #watcher: ReturnType<typeof watch>
  #timer: NodeJS.Timeout | undefined
  #writes = 0
  #point: Point | undefined
  #onReached: () => void = () => undefined

  constructor(dataDir: string, agents: RolloutAgents) {
    this.#agents = agents
    this.#messagesBefore = agents.messages
    agents.onMessage = () => this.#look()
    this.#watcher = watch(join(dataDir, 'drover.sqlite-wal'), () => {
      this.#writes += 1
      this.#look()
    })
  }

  /** How far it is now, by each measure. */
  get length(): Readonly<Record<Measure, number>> {
    return { write: this.#writes, message: this.#agents.messages - this.#messagesBefore, time: performance.now() - this.#startedAt }
  }

  /** Calls once, in the same turn in which the point is reached. */
  whenReached(point: Point, onReached: () => void): void {
    this.#point = point
    this.#onReached = onReached
    if (point.measure === 'time') this.#timer = setTimeout(() => this.#reach(), point.at)
    else this.#look()
  }

  #look(): void {
    const point = this.#point
    if (point !== undefined && point.measure !== 'time' && this.length[point.measure] >= point.at) this.#reach()
  }

  #reach(): void {
    if (this.#point === undefined) return
    this.#point = undefined
    this.#onReached()
  }

  [Symbol.dispose](): void {
    this.#point = undefined
    clearTimeout(this.#timer)
    this.#watcher.close()
    this.#agents.onMessage = () => undefined
  }
}
