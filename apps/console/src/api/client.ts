/** The typed client of the server that serves this page, and the CSRF token that changes need. */
import { ApiError, ApiUnreachableError, createApiClient } from '@drover/api'

let csrfToken: string | undefined

/** Called with each answer that carries a session; the cookie itself is out of a script's reach. */
export function rememberCsrfToken(token: string | undefined): void {
  csrfToken = token
}

/** Browsers send at most 64 KiB for a page that is gone; some is left for the headers. */
const MOST_BYTES_WHEN_LEAVING = 60_000

/** What a page sends while it is out of sight arrives also when its tab is being closed. */
const fetchAlsoWhenLeaving: typeof fetch = (input, init) => {
  const body = init?.body
  const isLeaving = document.visibilityState === 'hidden' && typeof body === 'string'
  return fetch(input, isLeaving && new TextEncoder().encode(body).length <= MOST_BYTES_WHEN_LEAVING ? { ...init, keepalive: true } : init)
}

export const api = createApiClient({
  baseUrl: '',
  fetch: fetchAlsoWhenLeaving,
  headers: (): Record<string, string> => (csrfToken === undefined ? {} : { 'x-csrf-token': csrfToken }),
})

export const isSignedOut = (error: unknown): boolean => error instanceof ApiError && error.problem.status === 401
export const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.problem.status === 404
export const isConflict = (error: unknown): boolean => error instanceof ApiError && error.problem.status === 409

/** One text for a person: what was wrong and, field by field, what was refused. */
export function describeError(error: unknown): { title: string; detail: string; fields: readonly { field: string; message: string }[] } {
  if (error instanceof ApiError) return { title: error.problem.title, detail: error.problem.detail, fields: error.problem.errors ?? [] }
  if (error instanceof ApiUnreachableError)
    return { title: 'The server did not answer', detail: `${error.message}. Check that \`drover server\` is running.`, fields: [] }
  return { title: 'Something went wrong in the console', detail: error instanceof Error ? error.message : String(error), fields: [] }
}

/** The refusals of an API error by field name, without the leading `body.`. */
export function fieldErrors(error: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(describeError(error).fields.map(({ field, message }) => [field.replace(/^body\./, ''), message]))
}

/** A key that makes a repeated create harmless. `randomUUID` is missing on plain-HTTP pages other than localhost. */
export function createIdempotencyKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
