/** Coarse deadlines on one timer. */
import { FakeClock } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { Deadlines } from './deadlines.ts'

describe('Deadlines', () => {
  it('meets many with one timer, never early and less than two seconds late', () => {
    const clock = new FakeClock(123)
    const deadlines = new Deadlines(clock)
    const late: number[] = []
    for (let i = 0; i < 1000; i++) {
      const delay = (i * 37) % 20_000
      const due = clock.now() + delay
      deadlines.after(delay, () => late.push(clock.now() - due))
    }
    expect(clock.pending).toBe(1)
    clock.advance(30_000)
    expect(late).toHaveLength(1000)
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...late)).toBeLessThan(2000)
    expect(clock.pending).toBe(0)
    expect(deadlines.size).toBe(0)
  })

  it('forgets cancelled ones, also those of the tick that is being met', () => {
    const clock = new FakeClock()
    const deadlines = new Deadlines(clock)
    const seen: string[] = []
    const first = deadlines.after(1000, () => {
      seen.push('first')
      second.cancel()
    })
    const second = deadlines.after(1000, () => seen.push('second'))
    deadlines.after(500, () => seen.push('early')).cancel()
    clock.advance(5000)
    first.cancel()
    expect(seen).toEqual(['first'])
    expect(deadlines.size).toBe(0)
  })

  it('starts again after a long time with nothing to do', () => {
    const clock = new FakeClock()
    const deadlines = new Deadlines(clock)
    let met = 0
    deadlines.after(1000, () => met++)
    clock.advance(10_000_000)
    deadlines.after(2000, () => met++)
    clock.advance(1999)
    expect(met).toBe(1)
    clock.advance(1001)
    expect(met).toBe(2)
  })

  it('holds none up when the clock is set back, and takes them along when it is set forward', () => {
    const clock = new FakeClock()
    let setByMs = 0
    const { monotonic, setTimeout, clearTimeout } = clock
    const deadlines = new Deadlines({ monotonic, setTimeout, clearTimeout, now: () => clock.now() + setByMs })
    const met: string[] = []
    deadlines.after(10_000, () => met.push('set before'))
    clock.advance(5_000)
    setByMs = -3_600_000
    deadlines.after(3_000, () => met.push('set after'))
    clock.advance(4_000)
    expect(met).toEqual(['set after'])
    clock.advance(4_000)
    expect(met).toEqual(['set after', 'set before'])
    deadlines.after(3_000_000, () => met.push('for a moment'))
    setByMs = 0
    clock.advance(2_000)
    expect(met).toHaveLength(3)
  })
})
