/** A bound on how long a promise of somebody else's code is waited for. */
import type { TimerWheel } from './timer-wheel.ts'

class TooSlow extends Error {
  override readonly name = 'TooSlow'
}

export function isSlow(error: unknown): boolean {
  return error instanceof TooSlow
}

/** Rejects when the promise takes longer. What it gives later is ignored. */
export function withinTime<T>(promise: Promise<T>, limitMs: number, wheel: TimerWheel): Promise<T> {
  return new Promise((resolve, reject) => {
    const deadline = wheel.after(limitMs, () => reject(new TooSlow(`no answer within ${limitMs} ms`)))
    promise.finally(() => deadline.cancel()).then(resolve, reject)
  })
}
