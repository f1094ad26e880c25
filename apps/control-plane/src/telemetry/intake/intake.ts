/** OTLP over HTTP on the agents' listener: who speaks, how much, in which encoding; what it says goes to a sink. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { Clock } from '../../seams.ts'
import { telemetryLimits } from '../limits.ts'
import { contentTypes, statusBody, successBody } from '../otlp/answers.ts'
import type { Encoding, OtlpSignal, PartialSuccess } from '../otlp/answers.ts'
import { OtlpError } from '../otlp/errors.ts'
import { Allowances } from './allowance.ts'
import { BodyReader } from './body.ts'
import { Refusal, refusalStatus } from './refusal.ts'
import type { RefusalCause } from './refusal.ts'

export interface TelemetrySink {
  /** Reads a body and keeps what it says. Undefined: all of it. @throws {OtlpError} and keeps nothing then */
  take(signal: OtlpSignal, agentId: string, body: Uint8Array, encoding: Encoding): PartialSuccess | undefined
}

export interface IntakeObserver {
  received(signal: OtlpSignal, bytes: number): void
  refused(cause: RefusalCause): void
}

export interface IntakeOptions {
  readonly sink: TelemetrySink
  /** Whose bearer token it is; undefined: nobody's, or that of an agent that is not known any more. */
  readonly agentOf: (token: string) => string | undefined
  readonly observer: IntakeObserver
  readonly clock: Clock
  readonly log: Pick<Logger, 'warn'>
  readonly limits?: Partial<IntakeLimits>
}

export type IntakeLimits = { readonly [Name in keyof typeof telemetryLimits]: number }

export interface TelemetryIntake {
  /** False: another path, which is left alone. */
  handle(request: IncomingMessage, response: ServerResponse): boolean
  /** Forgets agents that were silent for a while. */
  prune(): void
  /** Bytes of requests in memory. */
  readonly inFlightBytes: number
  /** Refuses what is new. */
  stop(): void
}

const paths: ReadonlyMap<string, OtlpSignal> = new Map([
  ['/v1/metrics', 'metrics'],
  ['/v1/logs', 'logs'],
  ['/v1/traces', 'traces'],
])
const LOG_EVERY_MS = 10_000
/** How long what is left of a refused body may take. */
const DRAIN_MS = 1_000

export function createTelemetryIntake(options: IntakeOptions): TelemetryIntake {
  const { clock, observer, log } = options
  const limits: IntakeLimits = { ...telemetryLimits, ...options.limits }
  const allowances = new Allowances(limits)
  const bodies = new BodyReader(limits)
  const logged = new Map<RefusalCause, { atMs: number; count: number }>()
  let isStopping = false

  /** One line per cause and ten seconds, with nothing that the other side wrote. */
  function tell(cause: RefusalCause, request: IncomingMessage): void {
    observer.refused(cause)
    const last = logged.get(cause) ?? { atMs: Number.NEGATIVE_INFINITY, count: 0 }
    const count = last.count + 1
    const isDue = Math.abs(clock.now() - last.atMs) >= LOG_EVERY_MS
    logged.set(cause, isDue ? { atMs: clock.now(), count: 0 } : { ...last, count })
    if (isDue) log.warn({ cause, remoteAddress: request.socket.remoteAddress, requests: count }, 'own telemetry of an agent was refused')
  }

  async function serve(signal: OtlpSignal, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const encoding = encodingOf(request) ?? 'protobuf'
    try {
      const agentId = admit(request)
      let partial: PartialSuccess | undefined
      await bodies.read(request, (body) => {
        allowances.charge(agentId, body.length, clock.now())
        observer.received(signal, body.length)
        partial = options.sink.take(signal, agentId, body, encoding)
      })
      answer(response, 200, encoding, successBody(signal, encoding, partial))
    } catch (error) {
      const refusal = asRefusal(error)
      if (refusal === undefined) log.warn({ err: error }, 'own telemetry of an agent could not be taken')
      else tell(refusal.why, request)
      refuse(request, response, encoding, refusal ?? new Refusal('busy', 'this could not be taken: come back later'), limits)
    }
  }

  /** Everything that needs no body. */
  function admit(request: IncomingMessage): string {
    if (isStopping) throw new Refusal('stopping', 'the server stops: come back later')
    if (request.rawHeaders.length / 2 > limits.maxHeaders) throw new Refusal('headers', `there are more than ${limits.maxHeaders} headers`)
    if (request.method !== 'POST') throw new Refusal('method', 'the method has to be POST')
    const agentId = options.agentOf(bearerOf(request) ?? '')
    if (agentId === undefined) throw new Refusal('unauthorized', 'the token is not one that this server gave to an agent it knows')
    if (encodingOf(request) === undefined) throw new Refusal('content-type', 'the content type has to be application/x-protobuf or application/json')
    if (!allowances.take(agentId, clock.now())) throw new Refusal('rate', 'too much at a time: come back later')
    return agentId
  }

  return {
    handle(request, response) {
      const signal = paths.get((request.url ?? '').split('?')[0] ?? '')
      if (signal === undefined) return false
      void serve(signal, request, response)
      return true
    },
    prune: () => allowances.prune(clock.now()),
    get inFlightBytes() {
      return bodies.inFlightBytes
    },
    stop() {
      isStopping = true
    },
  }
}

function asRefusal(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error
  return error instanceof OtlpError ? new Refusal(error.fault, error.message) : undefined
}

function encodingOf(request: IncomingMessage): Encoding | undefined {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type === contentTypes.protobuf || type === 'application/protobuf') return 'protobuf'
  return type === contentTypes.json ? 'json' : undefined
}

function bearerOf(request: IncomingMessage): string | undefined {
  return /^bearer +(\S{1,256})$/i.exec(request.headers.authorization ?? '')?.[1]
}

function answer(response: ServerResponse, status: number, encoding: Encoding, body: Buffer, headers: Record<string, string> = {}): void {
  if (response.destroyed || response.headersSent) return
  response.writeHead(status, { ...headers, 'content-type': contentTypes[encoding], 'content-length': body.length })
  response.end(body)
}

function refuse(request: IncomingMessage, response: ServerResponse, encoding: Encoding, { why, message }: Refusal, limits: IntakeLimits): void {
  const status = refusalStatus[why]
  const headers: Record<string, string> = {}
  if (status === 429 || status === 503) headers['retry-after'] = String(limits.retryAfterSeconds)
  if (status === 401) headers['www-authenticate'] = 'Bearer'
  // Whoever we do not know, or who sends too much, gets one such answer of a connection: thousands of requests that came at once would keep others waiting.
  if (status === 401 || status === 429) headers['connection'] = 'close'
  if (status === 405) headers['allow'] = 'POST'
  answer(response, status, encoding, statusBody(status, message, encoding), headers)
  drain(request, limits.maxDrainedBytes)
}

/** A client that still sends would see its connection break instead of the answer, so a little more is taken, and thrown away. */
function drain(request: IncomingMessage, maxBytes: number): void {
  if (request.complete || request.destroyed) return
  let bytes = 0
  const cut = () => request.socket.destroy()
  const timer = setTimeout(cut, DRAIN_MS)
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > maxBytes) cut()
  })
  request.once('close', () => clearTimeout(timer))
  request.resume()
}
