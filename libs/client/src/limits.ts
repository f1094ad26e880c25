/** Every limit of the client with its default; each may be set by whoever opens it. */

const mebibyte = 1024 * 1024

export interface ClientLimits {
  /** An incoming message, after decompression as well. A larger one is malformed: the connection is closed with 1009, an HTTP exchange has failed. */
  readonly maxIncomingBytes: number
  /** An outgoing message, uncompressed; a larger one is never sent. */
  readonly maxOutgoingBytes: number
  /** From the first packet to the end of the WebSocket upgrade, redirects included. */
  readonly connectTimeoutMs: number
  /** How long the Server may take to answer the first report of a connection, and to complete an HTTP exchange. */
  readonly responseTimeoutMs: number
  /** An idle WebSocket is pinged after this long … */
  readonly pingMs: number
  /** … and given up when nothing at all came for this long. */
  readonly deadMs: number
  /** How long a WebSocket may take for its closing handshake. */
  readonly closeMs: number
  readonly maxRedirects: number
  /** How long offered settings may take to prove themselves, repeated attempts included. */
  readonly trialMs: number
  /** Custom messages that may wait. */
  readonly maxCustomMessages: number
  /** Bytes of messages handed to a WebSocket that a slow Server has not taken; more are held back. */
  readonly maxBufferedBytes: number
  /** Messages sent at once when something changed; beyond the burst they are spread. Heartbeats do not count. */
  readonly messagesPerSecond: number
  readonly messagesBurst: number
  /** Full reports that the Server may ask for in a row; beyond that it gets one in `fullReportMs`. */
  readonly fullReportBurst: number
  readonly fullReportMs: number
}

export const defaultClientLimits: ClientLimits = {
  maxIncomingBytes: 64 * mebibyte,
  maxOutgoingBytes: 64 * mebibyte,
  connectTimeoutMs: 10_000,
  responseTimeoutMs: 15_000,
  pingMs: 30_000,
  deadMs: 75_000,
  closeMs: 2_000,
  maxRedirects: 5,
  trialMs: 20_000,
  maxCustomMessages: 64,
  maxBufferedBytes: mebibyte,
  messagesPerSecond: 10,
  messagesBurst: 30,
  fullReportBurst: 4,
  fullReportMs: 10_000,
}

export interface RetryPolicy {
  /** Upper bound of the random wait before the first attempt after a loss; it doubles with every failed one … */
  readonly baseMs: number
  /** … up to this. */
  readonly maxMs: number
  /** At least this long after the Server said it is overloaded without saying for how long. */
  readonly overloadMs: number
  /** No wait is longer, whatever the Server says. */
  readonly longestMs: number
  /** A connection that lasted this long counts as a good one: the next loss is followed by a quick attempt. */
  readonly stableMs: number
}

export const defaultRetryPolicy: RetryPolicy = { baseMs: 500, maxMs: 60_000, overloadMs: 30_000, longestMs: 3_600_000, stableMs: 10_000 }
