/** How long to wait before the next attempt. Pure. */
import type { RetryPolicy } from './limits.ts'

export interface Attempt {
  /** Attempts since the last good connection that failed; 0: a good connection was lost just now. */
  readonly failures: number
  /** The Server said that it has too much to do. */
  readonly isOverload: boolean
  /** What it asked us to wait. */
  readonly retryAfterMs: number | undefined
}

/** Of the wait that a Server asks for, this much is added at random, so that those who were told the same do not return together. */
const spread = 0.1

/**
 * Full jitter: somewhere between nothing and a bound that doubles with each failure. So a lost connection is followed by an attempt
 * within `baseMs`, and a fleet that lost its Server does not come back in one instant.
 *
 * @param random at least 0, below 1
 */
export function retryDelayMs({ failures, isOverload, retryAfterMs }: Attempt, policy: RetryPolicy, random: number): number {
  const backoffMs = random * Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(failures, 30))
  return Math.min(policy.longestMs, Math.max(backoffMs, askedMs(backoffMs)))

  function askedMs(jitterMs: number): number {
    if (retryAfterMs !== undefined) return retryAfterMs * (1 + spread * random)
    return isOverload ? policy.overloadMs + jitterMs : 0
  }
}
