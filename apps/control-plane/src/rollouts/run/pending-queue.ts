/** Members of a wave that wait to be released, in order of their place. */

export interface Queued {
  readonly agent: string
  readonly point: number
}

/** Lowest point first, then id. What no longer waits is passed over, so nothing has to be taken out. */
export class PendingQueue {
  /** The next one is last. */
  readonly #waiting: Queued[]

  constructor(members: Iterable<Queued> = []) {
    this.#waiting = [...members].toSorted(last)
  }

  /** One that is in it already is not added again. */
  add(one: Queued): void {
    const at = this.#place(one)
    if (this.#waiting[at]?.agent === one.agent) return
    this.#waiting.splice(at, 0, { agent: one.agent, point: one.point })
  }

  /** Up to `count` of those for whom `isPending` holds. Takes none of them out. */
  first(count: number, isPending: (agent: string) => boolean): string[] {
    while (this.#waiting.length > 0 && !isPending(this.#waiting.at(-1)?.agent ?? '')) this.#waiting.pop()
    const found: string[] = []
    for (let at = this.#waiting.length - 1; at >= 0 && found.length < count; at--) {
      const { agent } = this.#waiting[at] as Queued // as: `at` is inside
      if (isPending(agent)) found.push(agent)
    }
    return found
  }

  #place(one: Queued): number {
    let [low, high] = [0, this.#waiting.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (last(this.#waiting[middle] as Queued, one) < 0)
        low = middle + 1 // as: below length
      else high = middle
    }
    return low
  }
}

function last(a: Queued, b: Queued): number {
  return b.point - a.point || (a.agent < b.agent ? 1 : a.agent > b.agent ? -1 : 0)
}
