/** When a delivery that failed is tried again. */
import { webhookLimits } from './limits.ts'

const { firstRetryMs, retryFactor, maxRetryMs, maxRetryAfterMs, giveUpAfterMs } = webhookLimits

export interface FailedTry {
  /** With the one that failed. */
  readonly tries: number
  readonly createdAt: number
  readonly now: number
  /** `Retry-After`, in milliseconds; undefined: the receiver named none. */
  readonly retryAfterMs: number | undefined
  /** From 0 to 1. */
  readonly random: number
}

/** Growing, with jitter of a quarter to both sides, so that what failed together does not come back together. Null: it is given up. */
export function nextTryAt({ tries, createdAt, now, retryAfterMs, random }: FailedTry): number | null {
  const delayMs = Math.min(firstRetryMs * retryFactor ** (tries - 1), maxRetryMs) * (0.75 + random / 2)
  const at = Math.round(now + Math.max(delayMs, Math.min(retryAfterMs ?? 0, maxRetryAfterMs)))
  return at - createdAt > giveUpAfterMs ? null : at
}

/** Seconds, or a date (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after). */
export function parseRetryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}
