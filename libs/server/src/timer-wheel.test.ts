import { FakeClock } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { TimerWheel } from './timer-wheel.ts'

describe('the timer wheel', () => {
  it('fires no deadline early and none more than a tick late', () => {
    const clock = new FakeClock()
    const wheel = new TimerWheel(clock, 500, 8)
    const late: number[] = []
    const startMs = clock.monotonic()
    for (const delayMs of [1, 499, 500, 501, 3_999, 4_000, 4_001, 30_000, 75_000]) wheel.after(delayMs, () => late.push(clock.monotonic() - startMs - delayMs))
    clock.advance(80_000)
    expect(late).toHaveLength(9)
    for (const ms of late) expect(ms >= 0 && ms <= 500).toBe(true)
  })

  it('needs one timer for any number of deadlines and none when there are none', () => {
    const clock = new FakeClock()
    const wheel = new TimerWheel(clock)
    const deadlines = Array.from({ length: 10_000 }, (_, index) => wheel.after(index, () => undefined))
    expect(clock.pending).toBe(1)
    for (const deadline of deadlines) deadline.cancel()
    expect([wheel.size, clock.pending]).toEqual([0, 0])
  })

  it('does not fire what was cancelled, even in the same tick', () => {
    const clock = new FakeClock()
    const wheel = new TimerWheel(clock)
    const fired: string[] = []
    const second = { cancel: () => undefined as void }
    wheel.after(100, () => {
      fired.push('first')
      second.cancel()
    })
    const deadline = wheel.after(100, () => fired.push('second'))
    second.cancel = () => deadline.cancel()
    clock.advance(10_000)
    expect(fired).toEqual(['first'])
  })

  it('finds everything that is due after the process stood still for longer than a round', () => {
    let nowMs = 0
    let wake: () => void = () => undefined
    const stalling = {
      now: () => nowMs,
      monotonic: () => nowMs,
      clearTimeout: () => undefined,
      setTimeout: (callback: () => void) => {
        wake = callback
        return 1
      },
    }
    const wheel = new TimerWheel(stalling, 500, 4)
    let fired = 0
    for (const delayMs of [100, 900, 1_900, 3_000]) wheel.after(delayMs, () => (fired += 1))
    nowMs = 60_000
    wake()
    expect(fired).toBe(4)
  })

  it('arms again from within a callback', () => {
    const clock = new FakeClock()
    const wheel = new TimerWheel(clock, 500, 4)
    let rounds = 0
    const again = (): void => {
      rounds += 1
      if (rounds < 5) wheel.after(2_000, again)
    }
    wheel.after(2_000, again)
    clock.advance(60_000)
    expect(rounds).toBe(5)
  })
})
