/** A server without a protocol of its own: sends whatever bytes a test wants and keeps what came, for everything that opamp-go's server cannot do. */
import { decodeFrame, encodeFrame } from '@drover/protocol'
import type { AgentToServer } from '@drover/protocol'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { gunzipSync } from 'node:zlib'
import { WebSocketServer } from 'ws'
import type { RawData, WebSocket } from 'ws'
import { ScriptedServer, everyServerCapability } from './scripted-server.ts'
import type { Answer, HeardRequest, ListenOptions, Refusal } from './scripted-server.ts'

/** A message as it was on the wire. */
export interface HeardBytes {
  readonly connection: number
  /** WebSocket: header included. HTTP: as sent, perhaps compressed. */
  readonly bytes: Uint8Array
  /** WebSocket only. */
  readonly isBinary?: boolean
}

/** An answer over plain HTTP as it goes out. */
export interface RawAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** How an open WebSocket was closed by the client. */
export interface HeardClose {
  readonly connection: number
  /** 1005: a close frame without a code; 1006: none at all. */
  readonly code: number
}

type QueuedAnswer = Answer | { readonly raw: RawAnswer }

export class RawServer extends ScriptedServer {
  readonly bytes: HeardBytes[] = []
  readonly closes: HeardClose[] = []
  /** Plain requests that are being answered now, and the most there ever were. */
  inFlight = 0
  mostInFlight = 0
  /** The most WebSockets that were open at a time. */
  mostOpen = 0
  readonly #http: Server
  readonly #sockets = new Map<number, WebSocket>()
  readonly #webSockets: WebSocketServer
  readonly #answers: QueuedAnswer[] = []
  readonly #refusals: { times: number; readonly refusal: Refusal }[] = []
  readonly #transports = new Set<Duplex>()
  #nextConnection = 1
  readonly #customCapabilities: readonly string[] | undefined
  /** WebSockets that were told them. */
  readonly #told = new Set<number>()
  #isSilent = false
  #gate: Promise<void> | undefined

  private constructor(http: Server, options: ListenOptions) {
    super()
    this.#http = http
    this.isTls = options.tls !== undefined
    this.#customCapabilities = options.customCapabilities
    this.#webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: options.compression === true ? { threshold: 0 } : false })
    http.on('connection', (socket: Duplex) => {
      this.#transports.add(socket)
      socket.once('close', () => this.#transports.delete(socket))
    })
    http.on('request', (request, response) => void this.#onRequest(request, response))
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#onUpgrade(request, socket, head))
  }

  static async start(options: ListenOptions = {}): Promise<RawServer> {
    const { tls } = options
    const http =
      tls === undefined
        ? createServer()
        : createTlsServer({
            cert: tls.cert,
            key: tls.key,
            ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
          })
    const server = new RawServer(http, options)
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    server.port = (http.address() as AddressInfo).port // as: a TCP listener's address is never text
    return server
  }

  #hear(request: IncomingMessage): Refusal | undefined {
    const [next] = this.#refusals
    if (next !== undefined && --next.times <= 0) this.#refusals.shift()
    const certificate = request.socket instanceof TLSSocket ? request.socket.getPeerCertificate().subject?.CN : undefined
    const heard: HeardRequest = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headersDistinct as Record<string, string[]>, // as: a header that is there has values
      ...(next === undefined ? {} : { refused: next.refusal.status }),
      ...(typeof certificate === 'string' ? { certificate } : {}),
      at: performance.now(),
    }
    this.note(() => this.requests.push(heard))
    return next?.refusal
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refusal = this.#hear(request)
    if (refusal !== undefined) {
      const headers = Object.entries(refusal.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`)
      socket.end(`HTTP/1.1 ${refusal.status} No\r\n${headers.join('')}Content-Length: 0\r\nConnection: close\r\n\r\n`)
      return
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#onOpen(webSocket))
  }

  #onOpen(webSocket: WebSocket): void {
    const connection = this.#nextConnection++
    this.#sockets.set(connection, webSocket)
    this.mostOpen = Math.max(this.mostOpen, this.#sockets.size)
    webSocket.on('error', () => undefined) // a broken connection is also closed
    webSocket.on('message', (data, isBinary) => this.#onFrame(connection, webSocket, data, isBinary))
    webSocket.on('close', (code) => {
      this.#sockets.delete(connection)
      this.note(() => {
        this.closed.push(connection)
        this.closes.push({ connection, code })
      })
    })
  }

  #onFrame(connection: number, webSocket: WebSocket, data: RawData, isBinary: boolean): void {
    const bytes = Uint8Array.from(data as Buffer) // as: the default `binaryType` of ws gives Buffers
    this.note(() => this.bytes.push({ connection, bytes, isBinary }))
    const message = this.noteMessage(connection, decodeFrame(bytes))
    const answer = this.#nextAnswer(connection, message)
    if (answer !== undefined) webSocket.send('raw' in answer ? answer.raw.body : encodeFrame(this.encode(answer)))
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'HEAD') return void response.writeHead(204).end() // a test that only wants to know that time passed
    this.inFlight += 1
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight)
    response.once('close', () => (this.inFlight -= 1))
    const body = Uint8Array.from(Buffer.concat(await request.toArray()))
    const refusal = this.#hear(request)
    if (refusal !== undefined) {
      response.writeHead(refusal.status, refusal.headers).end()
      return
    }
    const connection = this.#nextConnection++
    this.note(() => this.bytes.push({ connection, bytes: body }))
    const message = this.noteMessage(connection, request.headers['content-encoding'] === 'gzip' ? Uint8Array.from(gunzipSync(body)) : body)
    const answer = this.#nextAnswer(connection, message)
    await this.#gate
    const raw = answer === undefined ? { body: new Uint8Array(0) } : 'raw' in answer ? answer.raw : { body: this.encode(answer) }
    response.writeHead(raw.status ?? 200, { 'content-type': 'application/x-protobuf', ...raw.headers }).end(raw.body)
  }

  #nextAnswer(connection: number, message: AgentToServer): QueuedAnswer | undefined {
    if (this.#isSilent) return undefined
    // A goodbye takes nothing from the queue: which of a test's answers it met would be a matter of luck.
    const queued = message.agentDisconnect === undefined ? this.#answers.shift() : undefined
    const answer = queued ?? { capabilities: everyServerCapability }
    if ('raw' in answer) return answer
    const isFirst = !this.#told.has(connection) && this.#customCapabilities !== undefined
    this.#told.add(connection)
    const custom = isFirst ? { customCapabilities: { capabilities: [...(this.#customCapabilities ?? [])] } } : {}
    return { instanceUid: message.instanceUid, ...custom, ...answer }
  }

  async answer(answer: Answer): Promise<void> {
    this.#answers.push(answer)
  }

  /** Over a WebSocket the body goes out as one binary message, and the caller writes the header. */
  answerRaw(raw: RawAnswer): void {
    this.#answers.push({ raw })
  }

  async send(message: Answer): Promise<void> {
    this.sendBytes(encodeFrame(this.encode(message)))
  }

  /** One WebSocket message on each open connection. */
  sendBytes(bytes: Uint8Array, binary = true): void {
    for (const webSocket of this.#sockets.values()) webSocket.send(bytes, { binary })
  }

  /** Settles when each open WebSocket answered a ping. */
  async ping(): Promise<void> {
    await Promise.all(
      [...this.#sockets.values()].map(async (webSocket) => {
        const pong = once(webSocket, 'pong')
        webSocket.ping()
        await pong
      }),
    )
  }

  /** Closes every WebSocket by the book. */
  close(code: number): void {
    for (const webSocket of this.#sockets.values()) webSocket.close(code)
  }

  async refuse(refusal: Refusal): Promise<void> {
    this.#refusals.push({ times: refusal.times ?? 1, refusal })
  }

  async setSilent(silent: boolean): Promise<void> {
    this.#isSilent = silent
  }

  /** Plain requests get no answer until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gate = promise
    return () => {
      this.#gate = undefined
      resolve()
    }
  }

  async cut(): Promise<void> {
    for (const webSocket of this.#sockets.values()) webSocket.terminate()
  }

  /** Takes nothing in any more and says nothing, as a host that lost its network: not even pings are answered. */
  freeze(): void {
    for (const webSocket of this.#sockets.values()) webSocket.pause()
  }

  /** Every TCP connection, plain requests in flight included. */
  cutTransports(): void {
    for (const socket of this.#transports) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutTransports()
    this.#webSockets.close()
    this.#http.close()
    await once(this.#http, 'close')
  }
}
