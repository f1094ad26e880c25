/** The fake clock and the queue of waits on one timer. */
import { describe, expect, it } from 'vitest'
import { FakeClock } from './fake-clock.ts'
import { TimerQueue } from './timer-queue.ts'

describe('FakeClock', () => {
  it('runs due timers in order of time, each at its own time', () => {
    const clock = new FakeClock(1000)
    const seen: [string, number][] = []
    clock.setTimeout(() => seen.push(['later', clock.now()]), 50)
    clock.setTimeout(() => {
      seen.push(['first', clock.now()])
      clock.setTimeout(() => seen.push(['nested', clock.now()]), 10)
    }, 20)
    clock.advance(49)
    expect(seen).toEqual([
      ['first', 1020],
      ['nested', 1030],
    ])
    clock.advance(1)
    expect(seen.at(-1)).toEqual(['later', 1050])
    expect(clock.now()).toBe(1050)
  })

  it('does not run a cancelled timer', () => {
    const clock = new FakeClock()
    const handle = clock.setTimeout(() => expect.unreachable(), 5)
    clock.clearTimeout(handle)
    clock.advance(10)
    expect(clock.pending).toBe(0)
  })
})

describe('TimerQueue', () => {
  it('serves thousands of waits with one timer, in order', () => {
    const clock = new FakeClock()
    const queue = new TimerQueue({ clock })
    const seen: number[] = []
    for (let i = 0; i < 5000; i++) {
      const delay = (i * 7919) % 5000
      queue.after(delay, () => seen.push(delay))
    }
    expect(clock.pending).toBe(1)
    clock.advance(5000)
    expect(seen).toHaveLength(5000)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(clock.pending).toBe(0)
  })

  it('forgets what was cancelled, and re-arms for an earlier wait', () => {
    const clock = new FakeClock()
    const queue = new TimerQueue({ clock })
    const seen: string[] = []
    const late = queue.after(100, () => seen.push('late'))
    queue.after(10, () => seen.push('early'))
    late.cancel()
    clock.advance(200)
    expect(seen).toEqual(['early'])
  })

  it('gathers waits at multiples of its granularity', () => {
    const clock = new FakeClock(0)
    const queue = new TimerQueue({ clock, granularityMs: 100 })
    const seen: number[] = []
    queue.after(1, () => seen.push(clock.now()))
    queue.after(99, () => seen.push(clock.now()))
    clock.advance(1000)
    expect(seen).toEqual([100, 100])
  })
})
