/** Every limit of the server with its default; each may be set by the operator. */

const kibibyte = 1024
const mebibyte = 1024 * kibibyte

export interface ServerLimits {
  /** An incoming message, header included, after decompression as well. */
  readonly maxMessageBytes: number
  /** An outgoing message; a larger one is never sent. */
  readonly maxOutgoingBytes: number
  /** Frames that one WebSocket message may consist of. */
  readonly maxFragments: number
  /** How long a WebSocket message may stay incomplete, a body unsent, a TCP connection without a request. */
  readonly incompleteMessageMs: number
  readonly handshakeMs: number
  /** How long an open WebSocket may take for its first message; answering pings is not enough. */
  readonly firstMessageMs: number
  readonly headersMs: number
  readonly bodyMs: number
  readonly maxHeaderCount: number
  /** An idle WebSocket is pinged after this long … */
  readonly pingMs: number
  /** … and given up when nothing at all came for this long. */
  readonly deadMs: number
  /** How long a closed WebSocket may take for its closing handshake. */
  readonly closeMs: number
  /** How long the holder of an instance uid has to answer a ping before a newcomer takes its place. */
  readonly duplicateProbeMs: number
  /** Polling interval assumed of a plain HTTP agent until it shows or is given another. */
  readonly pollMs: number
  /** Intervals without a poll after which a plain HTTP agent is gone. */
  readonly missedPolls: number
  /** How long `onReport` and `authenticate` may take. */
  readonly handlerMs: number
  readonly messagesPerSecond: number
  readonly messagesBurst: number
  readonly bytesPerSecond: number
  readonly bytesBurst: number
  /** Pings and pongs of one WebSocket. */
  readonly controlFramesPerSecond: number
  readonly controlFramesBurst: number
  /** Refusals (too fast, not decodable) after which a connection is closed instead of answered; one is forgiven a second. */
  readonly maxStrikes: number
  /** Bytes waiting for a slow reader beyond which nothing more is handed to its socket. */
  readonly maxBufferedBytes: number
  /** How long that may last before the connection is cut. */
  readonly stalledReaderMs: number
  /** Agents that one WebSocket may carry. */
  readonly maxAgentsPerConnection: number
  readonly maxConnections: number
  /** Authentications under way at once. */
  readonly maxPendingAdmissions: number
  /** Failed authentications per second from one /24 (IPv6: /64) before it is answered 429 unheard. */
  readonly failedConnectsPerSecond: number
  /** Bytes of messages read or waiting, over all connections. */
  readonly maxInFlightBytes: number
  /** Instance uids remembered while they are not connected, so that they may go on with compressed status. */
  readonly maxRememberedAgents: number
  readonly maxCustomCapabilities: number
  /** An agent that leaves a request for its full state unanswered is asked again no earlier than this, then twice that, and so on. */
  readonly fullStateRetryMs: number
  readonly fullStateMaxRetryMs: number
  /** Lines logged per second and cause. */
  readonly logLinesPerSecond: number
  /** The wait that a refused agent is told: at least the first, spread up to the second. */
  readonly retryAfterMinSeconds: number
  readonly retryAfterMaxSeconds: number
}

export const defaultServerLimits: ServerLimits = {
  maxMessageBytes: 4 * mebibyte,
  maxOutgoingBytes: 4 * mebibyte,
  maxFragments: 64,
  incompleteMessageMs: 10_000,
  handshakeMs: 10_000,
  firstMessageMs: 30_000,
  headersMs: 10_000,
  bodyMs: 10_000,
  maxHeaderCount: 100,
  pingMs: 30_000,
  deadMs: 75_000,
  closeMs: 5_000,
  duplicateProbeMs: 5_000,
  pollMs: 30_000,
  missedPolls: 2.5,
  handlerMs: 20_000,
  messagesPerSecond: 20,
  messagesBurst: 60,
  bytesPerSecond: 256 * kibibyte,
  bytesBurst: 8 * mebibyte,
  controlFramesPerSecond: 5,
  controlFramesBurst: 30,
  maxStrikes: 20,
  maxBufferedBytes: mebibyte,
  stalledReaderMs: 30_000,
  maxAgentsPerConnection: 1_000,
  maxConnections: 100_000,
  maxPendingAdmissions: 1_024,
  failedConnectsPerSecond: 20,
  maxInFlightBytes: 256 * mebibyte,
  maxRememberedAgents: 100_000,
  maxCustomCapabilities: 64,
  fullStateRetryMs: 30_000,
  fullStateMaxRetryMs: 900_000,
  logLinesPerSecond: 10,
  retryAfterMinSeconds: 30,
  retryAfterMaxSeconds: 90,
}
