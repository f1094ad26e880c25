/** How much agents may send of their own telemetry, and how much of it is kept. */

const kibibyte = 1024
const mebibyte = 1024 * kibibyte

export const telemetryLimits = {
  /** A body as it comes. */
  maxBodyBytes: 4 * mebibyte,
  /** A body after decompression. */
  maxDecodedBytes: 8 * mebibyte,
  maxHeaders: 100,
  bodyTimeoutMs: 10_000,
  /** Fields that are read of one protobuf body, or values of one JSON body. Bounds time and memory. */
  maxElements: 200_000,
  /** Values inside each other in a JSON body. */
  maxJsonDepth: 32,
  /** Points of metrics that Drover keeps, log records, spans; of one request. */
  maxItems: 20_000,
  /** Of one point or log record. */
  maxAttributes: 64,
  maxNameBytes: 256,
  /** Of one agent. */
  requestsPerSecond: 5,
  requestsBurst: 30,
  bytesPerSecond: 256 * kibibyte,
  bytesBurst: 16 * mebibyte,
  /** Of all requests together. */
  maxInFlightBytes: 64 * mebibyte,
  /** Bodies that are decompressed at the same time; each takes up to `maxDecodedBytes`. */
  maxDecompressions: 4,
  retryAfterSeconds: 10,
  /** What is left of a refused body is read up to this, so that the client gets to read the answer. */
  maxDrainedBytes: 256 * kibibyte,
  /** Of one agent: receivers and exporters with a signal. What is beyond counts in the totals alone. */
  maxComponents: 32,
  /** Of one agent: counters with their attributes. */
  maxCounters: 256,
  /** Agents whose counters are remembered. */
  maxAgents: 100_000,
} as const

export const logLimits = {
  keepMs: 60 * 60 * 1000,
  maxLinesPerRequest: 1_000,
  maxLinesPerAgent: 1_000,
  maxBytesPerAgent: 256 * kibibyte,
  maxBytes: 64 * mebibyte,
  maxBodyChars: 4_096,
  maxAttributes: 16,
  maxAttributeChars: 512,
} as const
