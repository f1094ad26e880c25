import { describe, expect, it } from 'vitest'
import { defaultRetryPolicy as policy } from './limits.ts'
import { type Attempt, retryDelayMs } from './retry.ts'

const attempt = (failures: number, more: Partial<Attempt> = {}): Attempt => ({ failures, isOverload: false, retryAfterMs: undefined, ...more })
const highest = 1 - Number.EPSILON

describe('the wait before the next attempt', () => {
  it('is anything up to a bound that doubles with each failure, to a minute at most [CN-03]', () => {
    const bounds = [0, 1, 2, 6, 7, 8, 1_000].map((failures) => Math.round(retryDelayMs(attempt(failures), policy, highest)))
    expect(bounds).toEqual([500, 1_000, 2_000, 32_000, 60_000, 60_000, 60_000])
    expect(retryDelayMs(attempt(1_000), policy, 0)).toBe(0)
    expect(retryDelayMs(attempt(7), policy, 0.5)).toBe(30_000)
  })

  it('is as long as the server asks for, a little spread, when that is longer [TH-04] [TH-08] [CN-04]', () => {
    expect(retryDelayMs(attempt(0, { retryAfterMs: 90_000 }), policy, 0)).toBe(90_000)
    expect(retryDelayMs(attempt(0, { retryAfterMs: 90_000 }), policy, 0.5)).toBe(94_500)
    expect(retryDelayMs(attempt(7, { retryAfterMs: 1_000 }), policy, 0.5)).toBe(30_000)
  })

  it('is half a minute at least when the server only says that it is overloaded [TH-05] [TH-11]', () => {
    expect(retryDelayMs(attempt(0, { isOverload: true }), policy, 0)).toBe(30_000)
    expect(retryDelayMs(attempt(3, { isOverload: true }), policy, 0.5)).toBe(32_000)
  })

  it('is an hour at most, whatever the server says', () => {
    expect(retryDelayMs(attempt(0, { retryAfterMs: 1e15 }), policy, 0.5)).toBe(3_600_000)
  })
})
