/** The HTTP server of the console listener: headers, errors, probes, and the place where routes are bound. */
import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { BindRoute, BindStream } from './bind-route.ts'
import { assertOwnHost, isLoopbackName, securityHeaders } from './browser-guard.ts'
import { createFaultLog } from './fault-log.ts'
import type { FaultLog } from './fault-log.ts'
import type { Idempotency } from './idempotency.ts'
import { consoleLimits } from './limits.ts'
import { isOurFault, toProblem } from './problems.ts'
import { createRouteBinder } from './route-binder.ts'
import type { Authenticate } from './route-binder.ts'

export interface ConsoleServerOptions {
  /** Where it will listen; on loopback the `Host` header is checked. */
  readonly listenHost: string
  /** The console's address as people see it, when a proxy publishes it. */
  readonly publicUrl?: URL
  readonly authenticate: Authenticate
  readonly idempotency: Idempotency
  readonly log: Logger
  /** Checks every answer against its schema; for tests. */
  readonly checkAnswers?: boolean
}

export interface ConsoleServer {
  readonly app: FastifyInstance
  readonly bind: BindRoute
  readonly bindStream: BindStream
  /** Ends the streams, lets calls under way finish for up to `graceMs`, then cuts the rest. */
  stop(graceMs: number): Promise<void>
}

export function createConsoleServer(options: ConsoleServerOptions): ConsoleServer {
  const closing = new AbortController()
  const logFault = createFaultLog(options.log)
  const app = createApp(options.log, logFault)
  const checkHost = isLoopbackName(options.listenHost)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders).header('x-request-id', request.id)
    if (checkHost) assertOwnHost(request.headers.host, options.publicUrl?.hostname)
  })
  app.setErrorHandler((error, request, reply) => sendProblem(logFault, error, request, reply))
  const binder = createRouteBinder(app, {
    authenticate: options.authenticate,
    idempotency: options.idempotency,
    publicOrigin: options.publicUrl?.origin,
    closing: closing.signal,
    checkAnswers: options.checkAnswers ?? false,
  })
  return {
    app,
    ...binder,
    stop: async (graceMs) => {
      closing.abort()
      const cut = setTimeout(() => app.server.closeAllConnections(), graceMs)
      await app.close()
      clearTimeout(cut)
    },
  }
}

function createApp(log: Logger, logFault: FaultLog): FastifyInstance {
  const app = fastify({
    logger: false,
    genReqId: () => randomUUID(),
    bodyLimit: consoleLimits.maxBodyBytes,
    requestTimeout: consoleLimits.requestTimeoutMs,
    keepAliveTimeout: consoleLimits.keepAliveTimeoutMs,
    trustProxy: false,
    forceCloseConnections: 'idle',
    http: { maxHeaderSize: consoleLimits.maxHeaderBytes, headersTimeout: consoleLimits.headersTimeoutMs },
    frameworkErrors: (error, request, reply) => sendProblem(logFault, error, request, reply),
  })
  app.removeContentTypeParser('text/plain')
  app.server.maxConnections = consoleLimits.maxConnections
  app.addHook('onResponse', async (request, reply) => {
    log.debug(
      { requestId: request.id, method: request.method, path: request.url.split('?')[0], status: reply.statusCode, durationMs: Math.round(reply.elapsedTime) },
      'call answered',
    )
  })
  return app
}

function sendProblem(logFault: FaultLog, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { problem, headers } = toProblem(error, request.id)
  if (isOurFault(problem.status))
    logFault({ err: error, requestId: request.id, method: request.method, path: request.url.split('?')[0] }, STATUS_CODES[problem.status] ?? 'error')
  reply.headers(headers).code(problem.status).type('application/problem+json').send(problem)
}
