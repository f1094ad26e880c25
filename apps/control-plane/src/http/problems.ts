/** The one table from errors to answers (RFC 9457). Causes are logged, never sent. */
import { STATUS_CODES } from 'node:http'
import type { Problem } from '@drover/api'
import { BlobCorruptError, StoreUnavailableError, isDamage } from '../storage/errors.ts'
import { ConflictError, ForbiddenError, InvalidInputError, NotFoundError, ThrottledError, UnauthenticatedError, VersionConflictError } from './errors.ts'

export interface ProblemAnswer {
  readonly problem: Problem
  readonly headers: Readonly<Record<string, string>>
}

/** Anything that a handler or the HTTP layer may throw. */
export function toProblem(error: unknown, requestId: string): ProblemAnswer {
  const { status, code, detail, headers, ...more } = describe(error)
  return {
    problem: { type: `urn:drover:problem:${code}`, title: TITLES[status] ?? 'Refused', status, code, detail, requestId, ...more },
    headers: headers ?? {},
  }
}

interface Described {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly errors?: { field: string; message: string }[]
  readonly current?: unknown
  readonly headers?: Record<string, string>
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  413: 'Too large',
  415: 'Unsupported media type',
  421: 'Wrong host',
  422: 'Cannot be accepted',
  428: 'Precondition required',
  429: 'Too many attempts',
  431: 'Headers too large',
  500: 'Internal error',
  503: 'Unavailable',
}

function describe(error: unknown): Described {
  if (error instanceof NotFoundError) return { status: 404, code: 'not-found', detail: error.message }
  if (error instanceof VersionConflictError)
    return { status: 409, code: 'version-conflict', detail: error.message, current: error.current, headers: { etag: `"${error.etag}"` } }
  if (error instanceof ConflictError) return { status: 409, code: error.code, detail: error.message }
  if (error instanceof InvalidInputError) return { status: statusOfInvalid(error), code: error.code, detail: error.message, errors: [...error.errors] }
  if (error instanceof UnauthenticatedError)
    return { status: 401, code: 'unauthenticated', detail: error.message, headers: { 'www-authenticate': 'Bearer realm="drover"' } }
  if (error instanceof ForbiddenError) return { status: error.code === 'wrong-host' ? 421 : 403, code: error.code, detail: error.message }
  if (error instanceof ThrottledError)
    return { status: 429, code: 'throttled', detail: error.message, headers: { 'retry-after': String(error.retryAfterSeconds) } }
  if (error instanceof StoreUnavailableError) return { status: 503, code: 'store-unavailable', detail: error.message, headers: { 'retry-after': '5' } }
  if (error instanceof BlobCorruptError) return { status: 500, code: 'stored-data-damaged', detail: error.message }
  if (isDamage(error)) return { status: 500, code: 'stored-data-damaged', detail: 'the database is damaged: stop the server and restore a backup' }
  return (
    fromHttpLayer(error) ?? { status: 500, code: 'internal', detail: 'something went wrong inside the server; its log has the cause under this request id' }
  )
}

/** A body that does not fit is 422, an address that does not is 400. */
function statusOfInvalid(error: InvalidInputError): number {
  if (error.code === 'precondition-required') return 428
  return error.errors.some((entry) => !entry.field.startsWith('body')) ? 400 : 422
}

/** Fastify's own refusals, which carry a code and a status. */
function fromHttpLayer(error: unknown): Described | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { status: 413, code: 'too-large', detail: 'the request body is too large' }
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return { status: 415, code: 'unsupported-media-type', detail: 'send the body as application/json' }
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return { status: 400, code: 'malformed-json', detail: 'the request body is not valid JSON', errors: [{ field: 'body', message: 'not valid JSON' }] }
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return { status: 404, code: 'not-found', detail: 'no name is as long as one in this path' }
    case 'FST_ERR_BAD_URL':
      return { status: 400, code: 'bad-url', detail: 'the path of the request is not valid' }
    default:
      return fromStatus(error)
  }
}

/** Whatever else the HTTP layer refuses is the caller's fault, and no line in our log. */
function fromStatus(error: Error): Described | undefined {
  const status = 'statusCode' in error ? Number(error.statusCode) : 0
  return status >= 400 && status < 500 ? { status, code: 'bad-request', detail: `the request is refused: ${STATUS_CODES[status] ?? 'bad request'}` } : undefined
}

/** Worth an error line in the log: nobody but us can do something about it. A store that cannot write says so itself, once. */
export function isOurFault(status: number): boolean {
  return status === 500
}
