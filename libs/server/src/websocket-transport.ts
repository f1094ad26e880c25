/** OpAMP over WebSocket: upgrades, and the link between a `ws` socket and an AgentStream. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { encodeFrame } from '@drover/protocol'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { InFlightBytes } from './in-flight-bytes.ts'
import type { ServerLimits } from './limits.ts'
import type { RefusalCause } from './log.ts'
import { type AgentStream, closeCode, type Link } from './stream.ts'
import { SocketWatch } from './socket-watch.ts'
import type { Streams } from './streams.ts'
import type { TimerWheel } from './timer-wheel.ts'

export interface WebSocketTools {
  readonly streams: Streams
  readonly limits: ServerLimits
  readonly wheel: TimerWheel
  readonly inFlight: InFlightBytes
  readonly perMessageDeflate: boolean
  readonly refused: (cause: RefusalCause, remoteAddress: string) => void
}

export class WebSocketTransport {
  readonly #tools: WebSocketTools
  readonly #server: WebSocketServer
  readonly #sockets = new Set<WebSocket>()
  #whenEmpty: (() => void) | undefined

  constructor(tools: WebSocketTools) {
    const { limits, perMessageDeflate } = tools
    this.#tools = tools
    const options = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate,
      maxPayload: limits.maxMessageBytes,
      maxFragments: limits.maxFragments,
      // Chunks of one frame as the network cut it; a slow sender of one large message makes many.
      maxBufferedChunks: 16_384,
      closeTimeout: limits.closeMs,
    }
    this.#server = new WebSocketServer(options)
  }

  /** Completes the handshake of a client that was let in. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, principal: string, remoteAddress: string): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#open(webSocket, socket, principal, remoteAddress))
  }

  /** Resolves when every socket has finished its closing handshake. */
  async closed(): Promise<void> {
    if (this.#sockets.size > 0) await new Promise<void>((resolve) => (this.#whenEmpty = resolve))
  }

  /** Cuts the sockets that are left. */
  terminate(): void {
    for (const webSocket of this.#sockets) webSocket.terminate()
  }

  #open(webSocket: WebSocket, socket: Duplex, principal: string, remoteAddress: string): void {
    const { streams, refused } = this.#tools
    const link = new WebSocketLink(webSocket)
    const stream = streams.open('websocket', principal, remoteAddress, link)
    link.stream = stream
    const watch = new SocketWatch(socket, stream, this.#tools)
    webSocket.on('message', (data: RawData, isBinary: boolean) => {
      if (!isBinary) {
        refused('text-frame', remoteAddress)
        return stream.close(closeCode.unsupportedData, 'OpAMP messages are binary', 'server')
      }
      stream.push(data as Buffer) // as: binaryType is nodebuffer, the default
    })
    webSocket.on('ping', () => stream.controlFrame(false))
    webSocket.on('pong', () => stream.controlFrame(true))
    webSocket.on('error', (error: Error & { code?: string }) => {
      watch.end()
      refused(error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 'too-large' : 'malformed', remoteAddress)
    })
    this.#sockets.add(webSocket)
    webSocket.on('close', () => {
      this.#sockets.delete(webSocket)
      watch.end()
      if (this.#sockets.size === 0) this.#whenEmpty?.()
      stream.end('closed')
    })
  }
}

class WebSocketLink implements Link {
  readonly #webSocket: WebSocket
  stream: AgentStream | undefined

  constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount
  }

  send(message: Uint8Array): void {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return
    this.#webSocket.send(encodeFrame(message), () => this.stream?.sent())
  }

  ping(): void {
    if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#webSocket.ping()
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, reason)
    // Whatever still comes is not read, but the peer's Close frame must get through.
    if (this.#webSocket.isPaused) this.#webSocket.resume()
  }

  terminate(): void {
    this.#webSocket.terminate()
  }

  pause(): void {
    if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#webSocket.pause()
  }

  resume(): void {
    if (this.#webSocket.isPaused) this.#webSocket.resume()
  }
}
