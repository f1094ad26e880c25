/** A rate limit with a burst, refilled by looking at the clock, not by a timer. */

export interface BucketRule {
  readonly perSecond: number
  readonly burst: number
}

export class TokenBucket {
  #tokens: number
  #filledAtMs: number
  readonly #rule: BucketRule

  constructor(rule: BucketRule, nowMs: number) {
    this.#rule = rule
    this.#tokens = rule.burst
    this.#filledAtMs = nowMs
  }

  /** Takes `count` if there are that many. */
  take(count: number, nowMs: number): boolean {
    this.#fill(nowMs)
    if (this.#tokens < count) return false
    this.#tokens -= count
    return true
  }

  isEmpty(nowMs: number): boolean {
    this.#fill(nowMs)
    return this.#tokens < 1
  }

  isFull(nowMs: number): boolean {
    this.#fill(nowMs)
    return this.#tokens >= this.#rule.burst
  }

  #fill(nowMs: number): void {
    const elapsedMs = nowMs - this.#filledAtMs
    if (elapsedMs <= 0) return
    this.#tokens = Math.min(this.#rule.burst, this.#tokens + (elapsedMs * this.#rule.perSecond) / 1000)
    this.#filledAtMs = nowMs
  }
}
