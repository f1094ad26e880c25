/** Timers that a test can hold in its hands. */

export interface Timers {
  /** Returns how to cancel it. */
  after(delayMs: number, callback: () => void): () => void
  /** Resolves early when the signal aborts. */
  wait(delayMs: number, signal: AbortSignal): Promise<void>
}

export interface TimerSource {
  setTimeout(callback: () => void, delayMs: number): unknown
  clearTimeout(handle: unknown): void
}

/** The real ones; they do not keep the process alive. */
const systemTimers: TimerSource = {
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs).unref(),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout), // as: only what setTimeout above returned is given back
}

export function createTimers(source: TimerSource = systemTimers): Timers {
  const after: Timers['after'] = (delayMs, callback) => {
    const handle = source.setTimeout(callback, delayMs)
    return () => source.clearTimeout(handle)
  }
  return {
    after,
    wait: (delayMs, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve()
        const done = (): void => {
          cancel()
          signal.removeEventListener('abort', done)
          resolve()
        }
        const cancel = after(delayMs, done)
        signal.addEventListener('abort', done)
      }),
  }
}
