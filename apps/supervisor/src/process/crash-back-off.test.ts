import { describe, expect, it } from 'vitest'
import { nextCrash } from './crash-back-off.ts'
import type { CrashHistory } from './crash-back-off.ts'

const delays = (ranForMs: readonly number[], random: () => number): readonly number[] => {
  let history: CrashHistory | undefined
  return ranForMs.map((ranMs) => {
    const next = nextCrash(history, ranMs, random)
    history = next.history
    return next.delayMs
  })
}

describe('nextCrash', () => {
  it('restarts quickly once, then doubles up to half a minute and stays there', () => {
    expect(delays(Array<number>(9).fill(100), () => 0)).toEqual([250, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  })

  it('begins anew after a minute of steady run', () => {
    expect(delays([10, 10, 10, 59_999, 60_000, 10], () => 0)).toEqual([250, 1000, 2000, 4000, 250, 1000])
  })

  it('shortens each wait by up to a fifth', () => {
    expect(delays([10, 10, 10], () => 0.5)).toEqual([225, 900, 1800])
    expect(delays([10, 10, 10], () => 1)).toEqual([200, 800, 1600])
  })

  it('does not overflow after thousands of crashes', () => {
    expect(nextCrash({ crashes: 100_000 }, 1, () => 0)).toEqual({ history: { crashes: 100_001 }, delayMs: 30_000 })
  })
})
