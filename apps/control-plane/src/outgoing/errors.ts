/** Why a call was not made or brought nothing, as a sentence for a person. */

export type OutgoingFailure = 'refused' | 'unreachable' | 'timed-out' | 'too-large' | 'redirected' | 'bad-answer' | 'cancelled'

/** Its message names at most scheme, host and port: path, query and headers may hold secrets. */
export class OutgoingError extends Error {
  override readonly name = 'OutgoingError'
  readonly failure: OutgoingFailure
  /** HTTP status, when there was one. */
  readonly status: number | null
  constructor(failure: OutgoingFailure, message: string, options: { readonly cause?: unknown; readonly status?: number } = {}) {
    super(message, { cause: options.cause })
    this.failure = failure
    this.status = options.status ?? null
  }
}
