/** Limits of the console listener. */
export const consoleLimits = {
  /** A whole request body; the largest is a version with its files. */
  maxBodyBytes: 8 * 1024 * 1024,
  /** A body of somebody who has not shown who they are. */
  maxPublicBodyBytes: 4 * 1024,
  maxHeaderBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 10_000,
  maxConnections: 2_000,
  maxIdempotencyKeyLength: 128,
  idempotencyKeepMs: 24 * 60 * 60 * 1000,
  /** Followers of events at a time. */
  maxEventStreams: 200,
  /** A follower that takes nothing for this long is dropped; it resumes by its cursor. */
  eventStreamStallMs: 30_000,
  eventStreamCommentMs: 15_000,
} as const
