/** Virtual time: events in the order of their time, then of their making. */

interface Due {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

export class World {
  now = 0
  private made = 0
  private readonly heap: Due[] = []
  /** What happened, for the story of a failure. */
  readonly story: string[] = []
  readonly random: () => number
  private readonly isTold: boolean

  constructor(random: () => number, isTold: boolean) {
    this.random = random
    this.isTold = isTold
  }

  chance(share: number): boolean {
    return this.random() < share
  }

  between(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low))
  }

  /** The words are made only when somebody wants the story. */
  tell(line: () => string): void {
    if (!this.isTold) return
    if (this.story.length > 20_000) this.story.splice(0, 10_000)
    const days = Math.floor(this.now / 86_400_000)
    this.story.push(`${days === 0 ? '' : `day ${days + 1}, `}${new Date(this.now).toISOString().slice(11, 21)}  ${line()}`)
  }

  at(time: number, run: () => void): void {
    const due = { at: Math.max(time, this.now), order: this.made++, run }
    const { heap } = this
    let index = heap.push(due) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || !isBefore(due, above)) break
      heap[index] = above
      index = parent
    }
    heap[index] = due
  }

  in(ms: number, run: () => void): void {
    this.at(this.now + ms, run)
  }

  /** Runs what is due next. False: nothing is. */
  next(): boolean {
    const due = this.take()
    if (due === undefined) return false
    this.now = due.at
    due.run()
    return true
  }

  private take(): Due | undefined {
    const { heap } = this
    const [first] = heap
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      const [left, right] = [heap[child], heap[child + 1]]
      if (left === undefined) break
      if (right !== undefined && isBefore(right, left)) child++
      const least = heap[child]
      if (least === undefined || !isBefore(least, last)) break
      heap[index] = least
      index = child
    }
    heap[index] = last
    return first
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
