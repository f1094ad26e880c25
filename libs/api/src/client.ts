/** A typed client of the REST API over `fetch`: one method per route. Used by CLI and console. */
import { Problem } from './common.ts'
import type { AnyRoute, CallOf, ResponseOf } from './route.ts'
import { API_PREFIX, routes } from './routes/index.ts'
import type { RouteId, Routes } from './routes/index.ts'

/** The server refused a call; `problem` says what was wrong and what to do. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }
}

/** The server could not be reached, or did not answer as Drover does. `retryable`: trying again may help. */
export class ApiUnreachableError extends Error {
  override readonly name = 'ApiUnreachableError'
  readonly retryable: boolean
  constructor(message: string, options: { cause?: unknown; retryable: boolean }) {
    super(message, { cause: options.cause })
    this.retryable = options.retryable
  }
}

export interface CallOptions {
  readonly signal?: AbortSignal
  /** ETag that the resource must still have. */
  readonly ifMatch?: string
  readonly idempotencyKey?: string
}

export interface Answer<T> {
  readonly data: T
  /** For a later `ifMatch`; null where the route has none. */
  readonly etag: string | null
}

export type ApiClient = {
  readonly [Id in RouteId]: (call: CallOf<Routes[Id]> & CallOptions) => Promise<Answer<ResponseOf<Routes[Id]>>>
}

export interface ApiClientOptions {
  /** E.g. `http://127.0.0.1:4321`; empty in a browser that the server itself serves. */
  readonly baseUrl: string
  readonly fetch?: typeof fetch
  /** Asked before each call: authorization or CSRF header. */
  readonly headers?: () => Record<string, string>
}

export function createApiClient(options: ApiClientOptions): ApiClient {
  const entries = Object.entries(routes).map(([id, route]) => [id, (call: LooseCall = {}) => callRoute(options, route, call)])
  return Object.fromEntries(entries) as ApiClient // as: Object.fromEntries forgets which key has which function
}

type LooseCall = CallOptions & { params?: Record<string, unknown>; query?: Record<string, unknown>; body?: unknown }

async function callRoute(options: ApiClientOptions, route: AnyRoute, call: LooseCall): Promise<Answer<unknown>> {
  const headers: Record<string, string> = { accept: 'application/json', ...options.headers?.() }
  if (call.body !== undefined) headers['content-type'] = 'application/json'
  if (call.ifMatch !== undefined) headers['if-match'] = call.ifMatch
  if (call.idempotencyKey !== undefined) headers['idempotency-key'] = call.idempotencyKey
  const url = options.baseUrl.replace(/\/$/, '') + routeUrl(route, call.params ?? {}, call.query ?? {})
  let response: Response
  try {
    response = await (options.fetch ?? fetch)(url, {
      method: route.method,
      headers,
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    })
  } catch (cause) {
    if (call.signal?.aborted) throw cause
    throw new ApiUnreachableError(`cannot reach ${options.baseUrl === '' ? 'the server' : options.baseUrl}`, { cause, retryable: true })
  }
  return { data: await readAnswer(response), etag: response.headers.get('etag') }
}

/** Path and query of a call, e.g. `/api/v1/agents?limit=50`. */
export function routeUrl(route: AnyRoute, params: Record<string, unknown>, query: Record<string, unknown>): string {
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])))
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined && value !== null) search.set(key, String(value))
  return API_PREFIX + path + (search.size > 0 ? `?${search}` : '')
}

async function readAnswer(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined
  let body: unknown
  try {
    body = await response.json()
  } catch (cause) {
    throw new ApiUnreachableError(`the answer (HTTP ${response.status}) is not from a Drover server`, { cause, retryable: response.status >= 500 })
  }
  if (response.ok) return body
  const problem = Problem.safeParse(body)
  if (!problem.success) throw new ApiUnreachableError(`the answer (HTTP ${response.status}) is not from a Drover server`, { retryable: response.status >= 500 })
  throw new ApiError(problem.data)
}
