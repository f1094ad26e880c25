/** What the client needs of time; a test passes one that it moves by hand. */

export interface Clock {
  /** Milliseconds since 1970. May jump when the host's clock is set; only for people to read, and for new instance uids. */
  now(): number
  /** Milliseconds from some fixed point, never going back. Every duration and deadline is measured with it. */
  monotonic(): number
  setTimeout(callback: () => void, delayMs: number): unknown
  clearTimeout(handle: unknown): void
}

/** The real clock. Its timers keep the process alive: a client that waits for its next attempt is at work until it is stopped. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout), // as: only what setTimeout above returned is given back
}
