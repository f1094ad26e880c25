/** Numbers of outgoing webhooks. */
const secondMs = 1_000
const hourMs = 3_600_000

export const webhookLimits = {
  maxWebhooks: 50,
  /** Calls to one receiver at a time; one alone after a failure, until it answers well again. */
  concurrency: 4,
  /** Deliveries of one webhook that may wait; beyond, its events wait in the log of events. */
  maxPending: 10_000,
  /** Deliveries of one webhook in its log that are done. */
  maxFinished: 10_000,
  keepFinishedMs: 7 * 24 * hourMs,
  giveUpAfterMs: 24 * hourMs,
  firstRetryMs: 5 * secondMs,
  retryFactor: 3,
  maxRetryMs: 4 * hourMs,
  /** After failures in a row nothing is sent for a while, however much waits: twice as long after each, at most so long. */
  firstHoldMs: secondMs,
  maxHoldMs: 30 * secondMs,
  /** A receiver may ask for more patience than ours, but not for ever. */
  maxRetryAfterMs: hourMs,
  /** An event says so at most this often for each webhook. */
  tellGivenUpEveryMs: hourMs,
  /** After the store could not be written. */
  storeRetryMs: 5 * secondMs,
} as const
