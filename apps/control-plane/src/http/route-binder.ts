/** Binds routes of `@drover/api` to handlers: who may call, what the call holds, what goes back. */
import { API_PREFIX } from '@drover/api'
import type { AnyRoute } from '@drover/api'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Answer, BindRoute, BindStream, Call, Caller } from './bind-route.ts'
import { assertCsrfToken, assertSameOrigin } from './browser-guard.ts'
import { ForbiddenError, InvalidInputError, UnauthenticatedError } from './errors.ts'
import type { FieldError } from './errors.ts'
import type { Idempotency } from './idempotency.ts'
import { consoleLimits } from './limits.ts'

/** Who a request proves to be; `csrfToken` is set when the proof is a cookie, which browsers send unasked. */
export interface Identity {
  readonly caller: Caller
  readonly csrfToken?: string
  /** Calls back once the proof counts no more: signed out, revoked, expired. Returns how to stop watching. */
  readonly onEnded?: (ended: () => void) => () => void
}

/** Undefined: the request brings no credential. Throws when it brings one that does not count. */
export type Authenticate = (request: {
  readonly authorization: string | undefined
  readonly cookie: string | undefined
  readonly remoteAddress: string
}) => Promise<Identity | undefined>

export interface RouteBinderOptions {
  readonly authenticate: Authenticate
  readonly idempotency: Idempotency
  readonly publicOrigin: string | undefined
  readonly closing: AbortSignal
  readonly checkAnswers: boolean
}

/** What public routes see; nothing may be attributed to it. */
const NOBODY: Identity = { caller: { kind: 'session', name: 'nobody', access: 'read', id: '' } }

export function createRouteBinder(app: FastifyInstance, options: RouteBinderOptions): { bind: BindRoute; bindStream: BindStream } {
  const identities = new WeakMap<FastifyRequest, Identity>()
  const gate = (route: AnyRoute) => ({
    method: route.method,
    url: API_PREFIX + route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    // What a stranger sends is small, and read only where strangers are let in: a body is held in memory as a whole.
    ...(route.access === 'public' ? { bodyLimit: consoleLimits.maxPublicBodyBytes } : {}),
    onRequest: async (request: FastifyRequest) => void identities.set(request, await checkAccess(options, route, request)),
  })
  const identityOf = (request: FastifyRequest): Identity => {
    const identity = identities.get(request)
    if (identity === undefined) throw new Error('a route was called before its access check')
    return identity
  }
  const bind: BindRoute = (route, handler) => {
    const parse = createParser(route)
    app.route({
      ...gate(route),
      handler: async (request, reply) => {
        const call = openCall(route, identityOf(request).caller, parse, request, reply)
        sendAnswer(options, route, reply, await handleOnce(options, route, call, handler, request))
        return reply
      },
    })
  }
  const bindStream: BindStream = (route, handler) => {
    const parse = createParser(route)
    app.route({
      ...gate(route),
      // There is no head of a stream to give without the stream, which would be held open for nobody.
      exposeHeadRoute: false,
      handler: async (request, reply) => {
        const { caller, onEnded } = identityOf(request)
        const call = openCall(route, caller, parse, request, reply)
        const ended = new AbortController()
        const stream = handler({ ...call, signal: AbortSignal.any([call.signal, options.closing, ended.signal]) })
        const unwatch = onEnded?.(() => ended.abort())
        reply.hijack()
        for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value)
        // The answer has begun, so an error can only end it; a reader comes back by its cursor.
        await stream(reply.raw).catch(() => reply.raw.destroy())
        unwatch?.()
      },
    })
  }
  return { bind, bindStream }
}

interface Input {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

/** Checked input as the handler sees it. */
function openCall<R extends AnyRoute>(
  route: R,
  caller: Caller,
  parse: (request: FastifyRequest) => Input,
  request: FastifyRequest,
  reply: FastifyReply,
): Call<R> {
  const input = parse(request)
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  const call: Call<AnyRoute> = {
    ...input,
    caller,
    ifMatch: readIfMatch(route, request),
    signal: gone.signal,
    requestId: request.id,
    remoteAddress: remoteAddressOf(request),
    header: (name) => textOf(request.headers[name]),
    answer: async (_tx, answer) => answer,
  }
  return call as Call<R> // as: `input` was just parsed by the route's own schemas
}

/** Runs before the body is read. */
async function checkAccess(options: RouteBinderOptions, route: AnyRoute, request: FastifyRequest): Promise<Identity> {
  const changes = route.method !== 'GET'
  if (route.access === 'public') {
    if (changes) assertSameOrigin(request.headers, options.publicOrigin, false)
    return NOBODY
  }
  const { authorization, cookie } = request.headers
  const identity = await options.authenticate({ authorization, cookie, remoteAddress: remoteAddressOf(request) })
  if (identity === undefined) throw new UnauthenticatedError('sign in to the console with a one-time link, or send an API token as Authorization: Bearer …')
  const { caller, csrfToken } = identity
  if (csrfToken !== undefined) {
    if (changes) {
      assertSameOrigin(request.headers, options.publicOrigin, true)
      assertCsrfToken(request.headers['x-csrf-token'], csrfToken)
    } else if (textOf(request.headers['sec-fetch-site']) === 'cross-site') {
      throw new ForbiddenError('another site may not read this', 'foreign-origin')
    }
  }
  if (route.access === 'write' && caller.access !== 'write') throw new ForbiddenError(`${caller.name} may read, but not change anything`, 'read-only-access')
  return identity
}

function remoteAddressOf(request: FastifyRequest): string {
  return request.socket.remoteAddress ?? ''
}

function readIfMatch(route: AnyRoute, request: FastifyRequest): string {
  const ifMatch = textOf(request.headers['if-match'])
  if (route.ifMatch && ifMatch === undefined) {
    throw new InvalidInputError(
      'send the ETag of what you read as If-Match, so that nobody’s change is lost',
      [{ field: 'headers.if-match', message: 'is required' }],
      'precondition-required',
    )
  }
  return ifMatch ?? ''
}

async function handleOnce<R extends AnyRoute>(
  options: RouteBinderOptions,
  route: R,
  call: Call<R>,
  handler: (call: Call<R>) => Promise<Answer<R>> | Answer<R>,
  request: FastifyRequest,
): Promise<Answer<R>> {
  const key = route.idempotent ? textOf(request.headers['idempotency-key']) : undefined
  if (key === undefined) return handler(call)
  if (key.length === 0 || key.length > consoleLimits.maxIdempotencyKeyLength) {
    throw new InvalidInputError('the Idempotency-Key cannot be used', [
      { field: 'headers.idempotency-key', message: `has to have 1 to ${consoleLimits.maxIdempotencyKeyLength} characters` },
    ])
  }
  const scope = `${call.caller.kind} ${call.caller.id} ${route.id}`
  return options.idempotency.once<Answer<R>>({ scope, key, input: [call.params, call.body] }, async (keep) => handler({ ...call, answer: keep }))
}

function sendAnswer(options: RouteBinderOptions, route: AnyRoute, reply: FastifyReply, answer: Answer<AnyRoute>): void {
  if (options.checkAnswers && route.response) checkAnswer(route, answer.data)
  if (answer.etag !== undefined) reply.header('etag', `"${answer.etag}"`)
  if (answer.headers) reply.headers(answer.headers)
  reply.header('cache-control', 'no-store').code(route.status ?? 200)
  if (answer.data === undefined) reply.send()
  else reply.type('application/json; charset=utf-8').send(JSON.stringify(answer.data))
}

function checkAnswer(route: AnyRoute, data: unknown): void {
  const checked = (route.response as z.ZodType).safeParse(data) // as: AnyRoute has lost the type
  if (!checked.success) throw new Error(`the answer of ${route.id} is not what its schema says: ${z.prettifyError(checked.error)}`)
}

/** Parses all three and names every field that does not fit. Unknown fields are refused: a misspelt filter must not select everything. */
function createParser(route: AnyRoute): (request: FastifyRequest) => Input {
  const schemas: Record<keyof Input, z.ZodType | undefined> = { params: route.params, query: strict(route.query), body: strict(route.body) }
  return (request) => {
    const errors: FieldError[] = []
    const read = (part: keyof Input): unknown => {
      const schema = schemas[part]
      if (schema === undefined) return undefined
      const parsed = schema.safeParse(request[part] ?? (part === 'body' ? undefined : {}))
      if (parsed.success) return parsed.data
      errors.push(...parsed.error.issues.map((issue) => toFieldError(part, issue)))
      return undefined
    }
    const input = { params: read('params'), query: read('query'), body: read('body') }
    if (errors.length > 0)
      throw new InvalidInputError(
        errors
          .map((error) => `${error.field}: ${error.message}`)
          .slice(0, 5)
          .join('; '),
        errors.slice(0, 100),
      )
    return input
  }
}

function strict(schema: z.ZodType | undefined): z.ZodType | undefined {
  return schema instanceof z.ZodObject ? schema.strict() : schema
}

function toFieldError(part: keyof Input, issue: z.core.$ZodIssue): FieldError {
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined
  const path = unknown === undefined ? issue.path : [...issue.path, unknown]
  return { field: [part, ...path].map(String).join('.'), message: unknown === undefined ? issue.message : 'is not known here' }
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
