/** Errors that handlers throw. `problems.ts` turns them into answers; everything else is an internal error. */

/** What was asked for does not exist. */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError'
  /** E.g. `new NotFoundError('agent', 'agt_1')`. */
  constructor(kind: string, name: string) {
    super(`there is no ${kind} ${JSON.stringify(name)}`)
  }
}

/** The request is fine, but not in the present state; `message` says which and what to do. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError'
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Somebody changed the resource since the caller read it. */
export class VersionConflictError extends Error {
  override readonly name = 'VersionConflictError'
  readonly current: unknown
  readonly etag: string
  constructor(what: string, current: unknown, etag: string) {
    super(`${what} was changed since you read it: compare with the current state, then try again`)
    this.current = current
    this.etag = etag
  }
}

export interface FieldError {
  /** Path such as `body.selector`. */
  readonly field: string
  readonly message: string
}

/** Well-formed, but cannot be accepted; names the fields. */
export class InvalidInputError extends Error {
  override readonly name = 'InvalidInputError'
  readonly errors: readonly FieldError[]
  readonly code: string
  constructor(message: string, errors: readonly FieldError[], code = 'invalid-input') {
    super(message)
    this.errors = errors
    this.code = code
  }
}

/** Nobody is signed in, or not in a way that counts. */
export class UnauthenticatedError extends Error {
  override readonly name = 'UnauthenticatedError'
}

/** Known, but not allowed. */
export class ForbiddenError extends Error {
  override readonly name = 'ForbiddenError'
  readonly code: string
  constructor(message: string, code = 'forbidden') {
    super(message)
    this.code = code
  }
}

/** Too many guesses from one source. */
export class ThrottledError extends Error {
  override readonly name = 'ThrottledError'
  readonly retryAfterSeconds: number
  constructor(message: string, retryAfterSeconds: number) {
    super(message)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Throws unless the caller's `If-Match` names the resource as it is; call it inside the transaction that changes it. */
export function requireMatch(ifMatch: string, what: string, etag: string, current: unknown): void {
  const tags = ifMatch.split(',').map((tag) => tag.trim().replace(/^W\//, '').replaceAll('"', ''))
  if (!tags.includes('*') && !tags.includes(etag)) throw new VersionConflictError(what, current, etag)
}
