/**
 * The one way by which the server calls an address that a person gave. The name is resolved once, every address of it is checked, and only those are
 * connected to, so that no second answer of a name server counts. Nothing is followed, kept open, or sent through a proxy of the environment.
 */
import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { request as requestPlain } from 'node:http'
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http'
import { request as requestEncrypted } from 'node:https'
import { isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import type { AllowedTarget } from '../config/allowed-targets.ts'
import { OutgoingError } from './errors.ts'
import { readBody } from './read-body.ts'
import { hostOf, parseTarget, portOf, resolveTarget } from './target.ts'
import type { Resolve } from './target.ts'

export interface OutgoingRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Gives up earlier. */
  readonly signal?: AbortSignal
}

export interface OutgoingAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Decompressed. */
  readonly body: Buffer
}

export interface Outgoing {
  /** Resolves for every status but a redirect. @throws {OutgoingError} */
  send(request: OutgoingRequest): Promise<OutgoingAnswer>
  /** Why this address will never be called, as far as can be told without asking a name server; undefined: it may be. */
  refusalOf(url: string): string | undefined
}

export interface OutgoingOptions {
  /** What may be called besides the public internet by https. */
  readonly allowed: readonly AllowedTarget[]
  readonly timeoutMs?: number
  readonly maxBodyBytes?: number
  readonly resolve?: Resolve
  /** Certificates (PEM) to trust instead of those of the system. */
  readonly trusted?: string
}

const defaultTimeoutMs = 5_000
const defaultMaxBodyBytes = 1024 * 1024
const maxHeaderBytes = 16 * 1024

const resolveBySystem: Resolve = (hostname) => lookup(hostname, { all: true, order: 'verbatim' })

export function createOutgoing(options: OutgoingOptions): Outgoing {
  const { allowed, timeoutMs = defaultTimeoutMs, maxBodyBytes = defaultMaxBodyBytes, resolve = resolveBySystem, trusted } = options

  async function send(request: OutgoingRequest): Promise<OutgoingAnswer> {
    const url = parseTarget(request.url, allowed)
    const limit = startLimit(url, timeoutMs, request.signal)
    try {
      const addresses = await limit.race(resolveTarget(url, allowed, resolve))
      const answer = await limit.race(exchange(url, addresses, request, limit.signal, trusted))
      return await limit.race(readAnswer(answer, maxBodyBytes))
    } catch (error) {
      throw error instanceof OutgoingError ? error : describeFailure(url, error)
    } finally {
      limit.end()
    }
  }

  function refusalOf(url: string): string | undefined {
    try {
      parseTarget(url, allowed)
      return undefined
    } catch (error) {
      if (error instanceof OutgoingError) return error.message
      throw error
    }
  }

  return { send, refusalOf }
}

interface TimeLimit {
  readonly signal: AbortSignal
  /** Rejects when the time is up or the caller gave up, also when the work does not notice. */
  race<T>(work: Promise<T>): Promise<T>
  /** Lets go of everything that may still be open. */
  end(): void
}

function startLimit(url: URL, timeoutMs: number, outer: AbortSignal | undefined): TimeLimit {
  const controller = new AbortController()
  const { promise: over, reject } = Promise.withResolvers<never>()
  over.catch(() => {})
  const stop = (error: OutgoingError): void => {
    reject(error)
    controller.abort(error)
  }
  const cancelled = (): void => stop(new OutgoingError('cancelled', `the call to ${url.host} was given up`))
  const timer = setTimeout(() => stop(new OutgoingError('timed-out', `${url.host} gave no whole answer within ${timeoutMs / 1000} seconds`)), timeoutMs)
  outer?.addEventListener('abort', cancelled)
  if (outer?.aborted === true) cancelled()
  return {
    signal: controller.signal,
    race: (work) => Promise.race([work, over]),
    end: () => {
      clearTimeout(timer)
      outer?.removeEventListener('abort', cancelled)
      controller.abort()
    },
  }
}

/** Sends the request and waits for the head of the answer. */
function exchange(
  url: URL,
  addresses: readonly LookupAddress[],
  request: OutgoingRequest,
  signal: AbortSignal,
  trusted: string | undefined,
): Promise<IncomingMessage> {
  const options: RequestOptions & { readonly autoSelectFamily: boolean } = {
    method: request.method,
    host: hostOf(url),
    port: portOf(url),
    path: `${url.pathname}${url.search}`,
    headers: { 'user-agent': 'drover', 'accept-encoding': 'identity', ...request.headers, host: url.host, ...lengthOf(request.body) },
    lookup: onlyThese(addresses),
    autoSelectFamily: true,
    // A connection of its own: no pool, no proxy of the environment.
    agent: false,
    maxHeaderSize: maxHeaderBytes,
    signal,
  }
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const call: ClientRequest = url.protocol === 'https:' ? requestEncrypted({ ...options, ...encryption(url, trusted) }) : requestPlain(options)
  call.on('response', (answer) => {
    // Whoever reads it hears of errors; an answer that nobody reads has none.
    answer.on('error', () => {})
    resolve(answer)
  })
  call.on('error', reject)
  call.end(request.body)
  return promise
}

function encryption(
  url: URL,
  trusted: string | undefined,
): RequestOptions & { readonly servername: string; readonly rejectUnauthorized: true; readonly ca?: string } {
  const servername = isIP(hostOf(url)) === 0 ? hostOf(url) : ''
  return { servername, rejectUnauthorized: true, ...(trusted === undefined ? {} : { ca: trusted }) }
}

function lengthOf(body: string | Uint8Array | undefined): Record<string, string> {
  return body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
}

function onlyThese(addresses: readonly LookupAddress[]): LookupFunction {
  return (_, options, callback) => {
    const [first] = addresses
    if (options.all === true) callback(null, [...addresses])
    else callback(null, first?.address ?? '', first?.family)
  }
}

async function readAnswer(answer: IncomingMessage, maxBodyBytes: number): Promise<OutgoingAnswer> {
  const status = answer.statusCode ?? 0
  if (status >= 300 && status < 400)
    throw new OutgoingError('redirected', `the answer is a redirect (${status})${leadsTo(answer)}, which is not followed`, { status })
  try {
    return { status, headers: answer.headers, body: await readBody(answer, maxBodyBytes) }
  } catch (error) {
    if (error instanceof OutgoingError) throw new OutgoingError(error.failure, error.message, { cause: error.cause, status })
    throw error
  }
}

function leadsTo({ headers }: IncomingMessage): string {
  const origin = URL.parse(headers.location ?? '')?.origin
  return origin === undefined || origin === 'null' || origin.length > 200 ? '' : ` to ${origin}`
}

const knownFailures: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses the connection',
  ECONNRESET: 'broke the connection',
  EPIPE: 'broke the connection',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  ETIMEDOUT: 'cannot be reached',
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate for another name',
  CERT_HAS_EXPIRED: 'has a certificate that has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'has a certificate that nobody trusted has signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'has a certificate that nobody trusted has signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'has a certificate that nobody trusted has signed',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'has a certificate that nobody trusted has signed',
  HPE_HEADER_OVERFLOW: 'answered with headers that are too large',
}

function describeFailure(url: URL, error: unknown): OutgoingError {
  const code = codeOf(error)
  const what = knownFailures[code] ?? (code.startsWith('HPE_') ? 'did not answer in HTTP' : 'could not be asked')
  return new OutgoingError('unreachable', `${url.host} ${what}${code === '' || code in knownFailures ? '' : ` (${code})`}`, { cause: error })
}

/** Of the first attempt, where several addresses were tried. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
