import { describe, expect, it } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

describe('a token bucket', () => {
  it('allows a burst, then the rate', () => {
    const bucket = new TokenBucket({ perSecond: 2, burst: 3 }, 0)
    expect([1, 2, 3, 4].map(() => bucket.take(1, 0))).toEqual([true, true, true, false])
    expect(bucket.isEmpty(499)).toBe(true)
    expect([bucket.take(1, 500), bucket.take(1, 500)]).toEqual([true, false])
  })

  it('never holds more than the burst', () => {
    const bucket = new TokenBucket({ perSecond: 2, burst: 3 }, 0)
    expect([1, 2, 3, 4].map(() => bucket.take(1, 1_000_000))).toEqual([true, true, true, false])
  })

  it('is not refilled by a clock that stands still or steps back', () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, 1000)
    expect(bucket.take(1, 1000)).toBe(true)
    expect(bucket.take(1, 0)).toBe(false)
    expect(bucket.take(1, 1999)).toBe(false)
  })
})
