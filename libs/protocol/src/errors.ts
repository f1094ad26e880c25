/** The one error that bytes from a peer can cause. */

export type ProtocolErrorCode =
  /** A WebSocket message does not begin with the header 0. */
  | 'bad-header'
  /** Not the Protobuf encoding of the expected message. */
  | 'malformed'
  | 'too-large'
  | 'too-deep'
  | 'too-many-elements'
  /** An instance uid is not 16 bytes, or its text is not a UUID. */
  | 'bad-instance-uid'
  /** The content coding is known, but the body does not follow it. */
  | 'bad-encoding'
  | 'unsupported-encoding'
  /** A string is not valid UTF-8. */
  | 'invalid-text'

/**
 * What a peer sent cannot be used. Sending the same bytes again never helps. The message is written by us and holds
 * nothing of what the peer sent, so it may be logged and may go into the answer.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ProtocolErrorCode
  /** Path of the field at fault in the names of the schema, for example `health.component_health_map.value`. */
  readonly field?: string

  constructor(code: ProtocolErrorCode, message: string, options?: ErrorOptions & { readonly field?: string | undefined }) {
    super(message, options)
    this.code = code
    if (options?.field !== undefined) this.field = options.field
  }
}
