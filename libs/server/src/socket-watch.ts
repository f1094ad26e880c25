/** Sees the bytes of a WebSocket before the WebSocket library does: bounds messages that never end, and answers heartbeats out of hand. */
import type { Duplex } from 'node:stream'
import { FrameScanner, soleFrame } from './frame-scanner.ts'
import type { InFlightBytes } from './in-flight-bytes.ts'
import type { ServerLimits } from './limits.ts'
import type { RefusalCause } from './log.ts'
import type { AgentStream } from './stream.ts'
import type { Streams } from './streams.ts'
import type { Deadline, TimerWheel } from './timer-wheel.ts'

export interface SocketWatchTools {
  readonly streams: Streams
  readonly limits: ServerLimits
  readonly wheel: TimerWheel
  readonly inFlight: InFlightBytes
  readonly refused: (cause: RefusalCause, remoteAddress: string) => void
}

export class SocketWatch {
  readonly #socket: Duplex
  readonly #stream: AgentStream
  readonly #tools: SocketWatchTools
  readonly #scanner = new FrameScanner()
  #reservedBytes = 0
  #deadline: Deadline | undefined
  #isOver = false
  /** What `completed` was when the deadline was set. */
  #completedThen = 0

  /** To be made when the library has just put its listener on the socket, before any byte was read. */
  constructor(socket: Duplex, stream: AgentStream, tools: SocketWatchTools) {
    this.#socket = socket
    this.#stream = stream
    this.#tools = tools
    const receive = socket.listeners('data').at(-1)
    if (receive === undefined) throw new Error('the WebSocket library does not listen to its socket')
    socket.removeAllListeners('data')
    socket.on('data', (chunk: Buffer) => {
      if (this.#isOver || this.#scanner.closed) return
      if (this.#scanner.isBetweenMessages && this.#answer(chunk)) return
      this.#scanner.scan(chunk)
      if (this.#account()) receive.call(socket, chunk)
    })
  }

  /** The library listens no more: the socket is closed, or what came was no WebSocket frame. What still comes is thrown away. */
  end(): void {
    this.#isOver = true
    this.#deadline?.cancel()
    this.#tools.inFlight.release(this.#reservedBytes)
    this.#reservedBytes = 0
  }

  #answer(chunk: Buffer): boolean {
    const frame = soleFrame(chunk)
    const acknowledgement = frame === undefined ? undefined : this.#tools.streams.heartbeat(this.#stream, frame)
    if (acknowledgement === undefined) return false
    this.#socket.write(acknowledgement)
    return true
  }

  /** Charges what the library must keep of an incomplete message to everybody's account, and gives it a time to be complete. */
  #account(): boolean {
    const { inFlight, limits, wheel } = this.#tools
    const { pendingBytes, completed } = this.#scanner
    inFlight.release(this.#reservedBytes)
    this.#reservedBytes = 0
    if (!inFlight.reserve(pendingBytes)) {
      this.#cut('in-flight-bytes')
      return false
    }
    this.#reservedBytes = pendingBytes
    if (pendingBytes === 0) {
      this.#deadline?.cancel()
      this.#deadline = undefined
    } else if (this.#deadline === undefined || completed !== this.#completedThen) {
      this.#deadline?.cancel()
      this.#completedThen = completed
      this.#deadline = wheel.after(limits.incompleteMessageMs, () => this.#cut('slow'))
    }
    return true
  }

  #cut(cause: RefusalCause): void {
    this.#tools.refused(cause, this.#stream.info.remoteAddress)
    this.#stream.abort('server')
    this.#socket.destroy()
  }
}
