/** OpAMP over plain HTTP: one request, one message, one answer. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type CapabilitySet, decodeHttpBody, encodeHttpBody, ProtocolError, type ServerCapability } from '@drover/protocol'
import type { Origin } from './bindings.ts'
import type { Answer, Exchange } from './exchange.ts'
import { type BodyRefusal, readBody } from './http-body-reader.ts'
import type { InFlightBytes } from './in-flight-bytes.ts'
import type { ServerLimits } from './limits.ts'
import type { RefusalCause } from './log.ts'
import { refuseRequest } from './refusal.ts'
import { encodeContent } from './server-message.ts'
import type { TimerWheel } from './timer-wheel.ts'

export interface HttpTools {
  readonly exchange: Exchange
  readonly inFlight: InFlightBytes
  readonly limits: ServerLimits
  readonly wheel: TimerWheel
  readonly capabilities: CapabilitySet<ServerCapability>
  readonly retryAfterSeconds: () => number
  readonly refused: (cause: RefusalCause, remoteAddress: string) => void
}

export const protobufType = 'application/x-protobuf'

export class HttpTransport {
  readonly #tools: HttpTools

  constructor(tools: HttpTools) {
    this.#tools = tools
  }

  /** Serves one POST of a client that was let in. */
  async serve(request: IncomingMessage, response: ServerResponse, principal: string, remoteAddress: string): Promise<void> {
    const { inFlight } = this.#tools
    const read = await readBody(request, this.#tools)
    if ('refusal' in read) return this.#refuse(response, read.refusal, remoteAddress)
    let reserved = read.body.length
    try {
      const message = await this.#decode(request, response, read.body, remoteAddress)
      if (message === undefined) return
      if (message !== read.body) {
        if (!inFlight.reserve(message.length)) return this.#refuse(response, 'in-flight-bytes', remoteAddress)
        reserved += message.length
      }
      const origin: Origin = { transport: 'http', principal, remoteAddress, stream: undefined }
      await this.#send(request, response, await this.#answer(origin, message))
    } finally {
      inFlight.release(reserved)
    }
  }

  /** Every answer on plain HTTP tells the capabilities, as there is no connection to tell them once for. */
  #answer(origin: Origin, message: Uint8Array): Answer | Promise<Answer> {
    const { exchange, capabilities } = this.#tools
    const agent = exchange.heartbeat(origin, message, 0)
    return agent === undefined ? exchange.answer(origin, message) : { message: encodeContent(agent.addressee, capabilities, {}), agent }
  }

  async #decode(request: IncomingMessage, response: ServerResponse, body: Uint8Array, remoteAddress: string): Promise<Uint8Array | undefined> {
    const { exchange, limits } = this.#tools
    try {
      return await decodeHttpBody(body, request.headers['content-encoding'], limits.maxMessageBytes)
    } catch (error) {
      const code = error instanceof ProtocolError ? error.code : 'bad-encoding'
      if (code === 'too-large') this.#refuse(response, 'too-large', remoteAddress)
      else if (code === 'unsupported-encoding') this.#refuse(response, 'unsupported-encoding', remoteAddress)
      else await this.#send(request, response, exchange.refuseBytes({ transport: 'http', principal: '', remoteAddress, stream: undefined }, error))
      return undefined
    }
  }

  async #send(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
    const { body, contentEncoding } = await encodeHttpBody(answer.message, headerText(request.headers['accept-encoding']))
    if (response.destroyed) return
    const headers: Record<string, string | number> = { 'content-type': protobufType, 'content-length': body.length }
    if (contentEncoding !== undefined) Object.assign(headers, { 'content-encoding': contentEncoding, vary: 'accept-encoding' })
    if (answer.retryAfterSeconds !== undefined) headers['retry-after'] = answer.retryAfterSeconds
    response.writeHead(statusOf(answer), headers)
    response.end(body)
  }

  #refuse(response: ServerResponse, cause: BodyRefusal, remoteAddress: string): void {
    this.#tools.refused(cause, remoteAddress)
    const retryAfterSeconds = cause === 'in-flight-bytes' ? this.#tools.retryAfterSeconds() : undefined
    refuseRequest(response, { status: refusalStatus[cause], ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }, this.#tools.wheel)
  }
}

const refusalStatus: Record<BodyRefusal, number> = { 'too-large': 413, 'unsupported-encoding': 415, slow: 408, 'in-flight-bytes': 503, malformed: 400 }

/** What was processed, if only to say what is wrong with it, is 200: some clients read bodies of no other status. */
function statusOf({ refusal }: Answer): number {
  switch (refusal) {
    case undefined:
    case 'invalid':
      return 200
    case 'undecodable':
      return 400
    case 'conflict':
      return 409
    case 'rate':
      return 429
    case 'unavailable':
      return 503
    default:
      throw new TypeError(`not a refusal: ${String(refusal satisfies never)}`)
  }
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
