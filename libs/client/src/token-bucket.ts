/** How often something may happen: so many at once, then so many a second. Pure. */

export interface TokenBucket {
  readonly tokens: number
  readonly atMs: number
}

export interface BucketRule {
  readonly burst: number
  /** Time in which one token comes back. */
  readonly tokenMs: number
}

export function fullBucket({ burst }: BucketRule, nowMs: number): TokenBucket {
  return { tokens: burst, atMs: nowMs }
}

/** The bucket without a token, or the time until there is one. */
export function takeToken(bucket: TokenBucket, { burst, tokenMs }: BucketRule, nowMs: number): TokenBucket | number {
  const tokens = Math.min(burst, bucket.tokens + (nowMs - bucket.atMs) / tokenMs)
  return tokens >= 1 ? { tokens: tokens - 1, atMs: nowMs } : Math.ceil((1 - tokens) * tokenMs)
}
