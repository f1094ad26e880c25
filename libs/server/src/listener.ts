/** Takes the OpAMP path of an HTTP server: sorts requests to their transport, after the checks that need no body. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { AdmissionControl } from './admission.ts'
import type { Admission, ConnectRequest, Transport } from './handler.ts'
import { type HttpTransport, protobufType } from './http-transport.ts'
import type { ServerLimits } from './limits.ts'
import type { RefusalCause } from './log.ts'
import { type HttpRefusal, refuseRequest, refuseUpgrade } from './refusal.ts'
import type { TimerWheel } from './timer-wheel.ts'
import type { WebSocketTransport } from './websocket-transport.ts'

export interface ListenerTools {
  readonly path: string
  readonly admission: AdmissionControl
  readonly http: HttpTransport
  readonly webSocket: WebSocketTransport
  readonly limits: ServerLimits
  readonly wheel: TimerWheel
  readonly refused: (cause: RefusalCause, remoteAddress: string) => void
}

export class Listener {
  readonly #tools: ListenerTools
  readonly #server: Server
  readonly #active = new Set<Promise<void>>()
  /** What to call when the first request of a connection has arrived, TLS handshake included. */
  readonly #handshakes = new Map<string, () => void>()

  constructor(server: Server, tools: ListenerTools) {
    this.#tools = tools
    this.#server = server
    const { headersMs, handshakeMs, bodyMs, maxHeaderCount } = tools.limits
    server.headersTimeout = headersMs
    server.requestTimeout = headersMs + bodyMs
    // One more than allowed is kept, so that too many can be told from just enough.
    server.maxHeadersCount = maxHeaderCount + 1
    Object.assign(server, {
      // Read when the server begins to listen; Node's own default would let a slow client have 30 s more.
      connectionsCheckingInterval: Math.min(1_000, handshakeMs),
      // Some HTTP clients offer an upgrade to HTTP/2 with each POST. That is to be ignored, not taken for a WebSocket.
      shouldUpgradeCallback: (request: IncomingMessage) => request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket',
    })
    server.on('connection', this.#onConnection)
    server.on('request', this.#onRequest)
    server.on('upgrade', this.#onUpgrade)
  }

  /** Lets go of the HTTP server. */
  detach(): void {
    this.#server.off('connection', this.#onConnection)
    this.#server.off('request', this.#onRequest)
    this.#server.off('upgrade', this.#onUpgrade)
  }

  /** Requests being served. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#active)
  }

  /** A connection that sends no request in time is closed: a client that trickles a byte a second as well as one that sends none. */
  readonly #onConnection = (socket: Socket): void => {
    const { wheel, limits } = this.#tools
    const peer = peerOf(socket)
    const deadline = wheel.after(limits.handshakeMs, () => socket.destroy())
    const done = () => {
      deadline.cancel()
      this.#handshakes.delete(peer)
    }
    this.#handshakes.set(peer, done)
    socket.once('close', done)
  }

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    this.#handshakes.get(peerOf(request.socket))?.()
    if (pathOf(request) !== this.#tools.path) return this.#refuseOtherPath(response)
    this.#track(this.#serve(request, response))
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    this.#handshakes.get(peerOf(request.socket))?.()
    if (pathOf(request) !== this.#tools.path) {
      if (this.#server.listenerCount('upgrade') === 1) refuseUpgrade(socket, { status: 404 }, this.#tools.wheel)
      return
    }
    this.#track(this.#upgrade(request, socket, head))
  }

  /** Other paths belong to other listeners of the same server; alone, we answer for them. */
  #refuseOtherPath(response: ServerResponse): void {
    if (this.#server.listenerCount('request') === 1) this.#refuse(response, { status: 404 }, 'path')
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = this.#checkRequest(request)
    if (refusal !== undefined) return this.#refuse(response, refusal.answer, refusal.cause)
    const connect = connectRequest(request, 'http', this.#tools.path)
    const admission = await this.#tools.admission.admit(connect)
    if (response.destroyed) return
    if (admission.kind === 'reject') return refuseRequest(response, asRefusal(admission), this.#tools.wheel)
    await this.#tools.http.serve(request, response, admission.principal, connect.remoteAddress)
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const gone = () => socket.destroy()
    socket.on('error', gone)
    if (tooManyHeaders(request, this.#tools.limits)) return refuseUpgrade(socket, { status: 431 }, this.#tools.wheel)
    const connect = connectRequest(request, 'websocket', this.#tools.path)
    const admission = await this.#tools.admission.admit(connect)
    if (socket.destroyed) return
    if (admission.kind === 'reject') return refuseUpgrade(socket, asRefusal(admission), this.#tools.wheel)
    this.#tools.webSocket.accept(request, socket, head, admission.principal, connect.remoteAddress)
    socket.off('error', gone)
  }

  /** A request of the protobuf type is plain HTTP; any other GET is a WebSocket handshake gone wrong. */
  #checkRequest(request: IncomingMessage): { readonly answer: HttpRefusal; readonly cause: RefusalCause } | undefined {
    if (tooManyHeaders(request, this.#tools.limits)) return { answer: { status: 431 }, cause: 'too-large' }
    if (request.method === 'POST') {
      const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
      if (type === protobufType) return undefined
      return { answer: { status: 415, message: `the content type must be ${protobufType}` }, cause: 'unsupported-media-type' }
    }
    if (request.method === 'GET')
      return { answer: { status: 426, message: 'connect with WebSocket, or POST', headers: { Upgrade: 'websocket' } }, cause: 'method' }
    return { answer: { status: 405, headers: { Allow: 'GET, POST' } }, cause: 'method' }
  }

  #refuse(response: ServerResponse, refusal: HttpRefusal, cause: RefusalCause): void {
    this.#tools.refused(cause, response.req.socket.remoteAddress ?? '')
    refuseRequest(response, refusal, this.#tools.wheel)
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch(() => undefined)
    this.#active.add(tracked)
    void tracked.then(() => this.#active.delete(tracked))
  }
}

/** The same for the TCP connection and for the TLS connection on it, which are different objects. */
function peerOf(socket: Socket): string {
  return `${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0} ${socket.localPort ?? 0}`
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?')[0] ?? ''
}

function tooManyHeaders(request: IncomingMessage, limits: ServerLimits): boolean {
  return request.rawHeaders.length / 2 > limits.maxHeaderCount
}

function connectRequest(request: IncomingMessage, transport: Transport, path: string): ConnectRequest {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]))
  return { transport, headers, remoteAddress: request.socket.remoteAddress ?? '', path }
}

function asRefusal({ status, message, retryAfterSeconds }: Admission & { kind: 'reject' }): HttpRefusal {
  return { status, message, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
}
