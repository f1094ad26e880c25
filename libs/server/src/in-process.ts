/** A connection without a socket: the real protocol, frames and sessions between two sides of one process. */
import { encodeFrame } from '@drover/protocol'
import type { Admission } from './handler.ts'
import type { Link } from './stream.ts'

/** The agent's side. */
export interface InProcessConnection {
  /** Whether the server let it in. Messages sent before are kept until then. */
  readonly admitted: Promise<Admission>
  /** Sends one binary message: the header, then an AgentToServer. */
  send(frame: Uint8Array): void
  /** Binary messages from the server: the header, then a ServerToAgent. One listener; what came before it is kept for it. */
  onMessage(listener: (frame: Uint8Array) => void): void
  /** The server closed the connection, or refused it (1008). Called once, and not after `close`. */
  onClose(listener: (code: number, reason: string) => void): void
  close(): void
  /** Falls silent without closing, as when a cable is cut: pings stay unanswered. */
  cut(): void
}

/** What the server's side does with what comes in. */
export interface InProcessPeer {
  frame(frame: Uint8Array): void
  pong(): void
  closed(): void
}

/** Messages an agent may send before it is admitted. */
const maxEarly = 64

/** Both ends of it. What one side sends reaches the other in a later microtask, never inside the call. */
export class InProcessPipe {
  readonly agent: InProcessConnection
  readonly link: Link
  readonly #toAgent: Uint8Array[] = []
  readonly #toServer: Uint8Array[] = []
  #peer: InProcessPeer | undefined
  #listener: ((frame: Uint8Array) => void) | undefined
  #closeListener: ((code: number, reason: string) => void) | undefined
  #closed: { readonly code: number; readonly reason: string } | undefined
  #isCut = false
  #isPaused = false

  constructor(admitted: Promise<Admission>) {
    this.agent = {
      admitted,
      send: (frame) => this.#sendToServer(frame),
      onMessage: (listener) => {
        this.#listener = listener
        queueMicrotask(() => this.#deliver())
      },
      onClose: (listener) => {
        this.#closeListener = listener
        if (this.#closed !== undefined) this.#reportClose()
      },
      close: () => this.#closeByAgent(),
      cut: () => {
        this.#isCut = true
      },
    }
    this.link = {
      bufferedBytes: 0,
      send: (message) => this.#sendToAgent(message),
      ping: () => queueMicrotask(() => this.#answerPing()),
      close: (code, reason) => this.#closeByServer(code, reason),
      terminate: () => this.#closeByServer(1006, ''),
      pause: () => {
        this.#isPaused = true
      },
      resume: () => this.#resume(),
    }
  }

  /** The agent was let in. */
  open(peer: InProcessPeer): void {
    this.#peer = peer
    queueMicrotask(() => this.#pump())
  }

  #sendToServer(frame: Uint8Array): void {
    if (this.#closed !== undefined || this.#isCut) return
    if (this.#peer === undefined && this.#toServer.length >= maxEarly) throw new Error('too many messages before the connection was admitted')
    this.#toServer.push(frame)
    queueMicrotask(() => this.#pump())
  }

  #sendToAgent(message: Uint8Array): void {
    if (this.#closed !== undefined || this.#isCut) return
    this.#toAgent.push(encodeFrame(message))
    queueMicrotask(() => this.#deliver())
  }

  #answerPing(): void {
    if (this.#closed === undefined && !this.#isCut) this.#peer?.pong()
  }

  #resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    queueMicrotask(() => this.#pump())
  }

  #closeByAgent(): void {
    if (this.#closed !== undefined) return
    this.#closed = { code: 1000, reason: '' }
    this.#closeListener = undefined
    queueMicrotask(() => {
      this.#pump()
      this.#peer?.closed()
    })
  }

  #closeByServer(code: number, reason: string): void {
    if (this.#closed !== undefined) return
    this.#closed = { code, reason }
    this.#reportClose()
  }

  #reportClose(): void {
    queueMicrotask(() => {
      this.#deliver()
      const listener = this.#closeListener
      this.#closeListener = undefined
      if (this.#closed !== undefined) listener?.(this.#closed.code, this.#closed.reason)
    })
  }

  #pump(): void {
    while (this.#peer !== undefined && !this.#isPaused) {
      const frame = this.#toServer.shift()
      if (frame === undefined) return
      this.#peer.frame(frame)
    }
  }

  #deliver(): void {
    while (this.#listener !== undefined) {
      const frame = this.#toAgent.shift()
      if (frame === undefined) return
      this.#listener(frame)
    }
  }
}
