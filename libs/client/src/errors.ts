/** Errors that a user of the client can meet. */

export type ClientErrorCode =
  /** As many custom messages wait as may. */
  | 'full'
  /** The custom message belongs to no capability that we announced. */
  | 'not-announced'
  /** The Server does not do this. */
  | 'unsupported'
  /** The Server answered BAD_REQUEST. */
  | 'refused'
  /** The connection is not protected well enough for this. */
  | 'insecure'
  /** A later call took the place of this one. */
  | 'replaced'
  /** It does not fit in a message. */
  | 'too-large'
  | 'stopped'

export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: ClientErrorCode

  constructor(code: ClientErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
