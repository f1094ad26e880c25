/** One connection over which messages flow both ways at any time: a WebSocket, or its stand-in within the process. */
import type { InstanceUid } from '@drover/protocol'
import type { Clock } from './clock.ts'
import type { ConnectionInfo, DisconnectReason } from './handler.ts'
import type { ServerLimits } from './limits.ts'
import type { Agent } from './registry.ts'
import type { Deadline, TimerWheel } from './timer-wheel.ts'
import { TokenBucket } from './token-bucket.ts'

/** What carries the bytes of a stream. An implementation reports what comes in to the AgentStream it was opened with. */
export interface Link {
  /** Sends one ServerToAgent. Does nothing once closed. */
  send(message: Uint8Array): void
  /** Bytes handed to `send` that have not left this process. */
  readonly bufferedBytes: number
  ping(): void
  /** Begins the closing handshake. */
  close(code: number, reason: string): void
  /** Ends the connection without one. */
  terminate(): void
  /** Stops and resumes the flow of incoming messages; a few may still come after `pause`. */
  pause(): void
  resume(): void
}

/** WebSocket close codes used here. */
export const closeCode = { normal: 1000, unsupportedData: 1003, policy: 1008, tooLarge: 1009, restart: 1012, overload: 1013 } as const

export interface StreamEvents {
  /** Answers one message; called in order, never twice at once. */
  receive(stream: AgentStream, message: Uint8Array): void | Promise<void>
  /** There is room again for what waits. */
  drained(stream: AgentStream): void
  /** The stream is over; nothing is sent on it any more. Called once. */
  ended(stream: AgentStream, reason: DisconnectReason): void
}

export interface StreamTools {
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly limits: ServerLimits
}

/** Messages that may wait for the one being handled before the peer is made to wait. */
const maxQueued = 16
const maxQueuedBytes = 64 * 1024

export class AgentStream {
  readonly info: ConnectionInfo
  readonly link: Link
  /** Those bound to this stream. */
  readonly agents = new Set<Agent>()
  /** Uids that belong to others, with what this peer was told to use in their place. */
  readonly renamed = new Map<InstanceUid, InstanceUid>()
  readonly #events: StreamEvents
  readonly #tools: StreamTools
  readonly #strikes: TokenBucket
  readonly #control: TokenBucket
  readonly #queue: Uint8Array[] = []
  #queuedBytes = 0
  #busy = false
  #ended = false
  #heardAtMs: number
  #liveness: Deadline | undefined
  #firstMessage: Deadline | undefined
  #stall: Deadline | undefined
  #pingsSent = 0
  #probe: Promise<boolean> | undefined
  #answerProbe: () => void = () => undefined

  constructor(info: ConnectionInfo, link: Link, events: StreamEvents, tools: StreamTools) {
    const nowMs = tools.clock.monotonic()
    this.info = info
    this.link = link
    this.#events = events
    this.#tools = tools
    this.#strikes = new TokenBucket({ perSecond: 1, burst: tools.limits.maxStrikes }, nowMs)
    this.#control = new TokenBucket({ perSecond: tools.limits.controlFramesPerSecond, burst: tools.limits.controlFramesBurst }, nowMs)
    this.#heardAtMs = nowMs
    this.#liveness = tools.wheel.after(tools.limits.pingMs, () => this.#checkLiveness())
    this.#firstMessage = tools.wheel.after(tools.limits.firstMessageMs, () => this.close(closeCode.policy, 'no message came', 'server'))
  }

  get isOpen(): boolean {
    return !this.#ended
  }

  /** Nothing waits and nothing is being answered: a message may be answered out of hand. */
  get isIdle(): boolean {
    return !this.#busy && this.#queue.length === 0 && this.#stall === undefined && !this.#ended
  }

  heard(): void {
    this.#heardAtMs = this.#tools.clock.monotonic()
  }

  /** A message came in. */
  push(message: Uint8Array): void {
    if (this.#ended) return
    this.heard()
    this.#firstMessage?.cancel()
    this.#firstMessage = undefined
    this.#queue.push(message)
    this.#queuedBytes += message.length
    if (this.#busy) {
      if (this.#queue.length >= maxQueued || this.#queuedBytes >= maxQueuedBytes) this.link.pause()
      return
    }
    this.#work()
  }

  /** A ping or pong came in. Too many of them end the stream. */
  controlFrame(isPong: boolean): void {
    const nowMs = this.#tools.clock.monotonic()
    this.#heardAtMs = nowMs
    if (isPong) this.#answerProbe()
    // Answers to our own pings are free.
    if (isPong && this.#pingsSent > 0) this.#pingsSent -= 1
    else if (!this.#control.take(1, nowMs)) this.close(closeCode.policy, 'too many control frames', 'server')
  }

  /** The peer did something wrong that was answered. Doing so again and again ends the stream. */
  strike(): void {
    if (!this.#strikes.take(1, this.#tools.clock.monotonic())) this.close(closeCode.policy, 'too many refused messages', 'server')
  }

  /** Whether the peer answers a ping in time. Asked again meanwhile, it is the same question. */
  probe(): Promise<boolean> {
    if (this.#ended) return Promise.resolve(false)
    this.#probe ??= this.#askForPong().finally(() => (this.#probe = undefined))
    return this.#probe
  }

  #askForPong(): Promise<boolean> {
    const { wheel, limits } = this.#tools
    return new Promise((resolve) => {
      const deadline = wheel.after(limits.duplicateProbeMs, () => resolve(false))
      this.#answerProbe = () => {
        deadline.cancel()
        resolve(!this.#ended)
      }
      this.#ping()
    })
  }

  /** Whether more may be sent now. If not, the peer has some time to read; `drained` follows, or the end. */
  hasRoom(): boolean {
    const { limits, wheel } = this.#tools
    if (this.link.bufferedBytes <= limits.maxBufferedBytes) return true
    this.#stall ??= wheel.after(limits.stalledReaderMs, () => this.abort('lost'))
    return false
  }

  /** The link sent something off. */
  sent(): void {
    if (this.#stall === undefined || this.link.bufferedBytes > this.#tools.limits.maxBufferedBytes) return
    this.#stall.cancel()
    this.#stall = undefined
    this.#events.drained(this)
    this.#work()
  }

  /** Closes with the closing handshake; for the agents the stream is over at once. */
  close(code: number, reason: string, why: DisconnectReason): void {
    if (this.#ended) return
    this.link.close(code, reason)
    this.end(why)
  }

  abort(why: DisconnectReason): void {
    if (this.#ended) return
    this.end(why)
    this.link.terminate()
  }

  /** The link is closed, or as good as. */
  end(why: DisconnectReason = 'closed'): void {
    if (this.#ended) return
    this.#ended = true
    this.#queue.length = 0
    this.#liveness?.cancel()
    this.#firstMessage?.cancel()
    this.#stall?.cancel()
    this.#answerProbe()
    this.#events.ended(this, why)
  }

  /** Handles what waits, one message after the other, while the peer reads our answers. */
  #work(): void {
    while (!this.#busy && !this.#ended && this.#queue.length > 0) {
      if (!this.hasRoom()) return this.link.pause()
      const message = this.#queue.shift()! // !: not empty
      this.#queuedBytes -= message.length
      const working = this.#events.receive(this, message)
      if (!(working instanceof Promise)) continue
      this.#busy = true
      void working.finally(() => {
        this.#busy = false
        this.#work()
      })
      return
    }
    if (!this.#ended) this.link.resume()
  }

  #ping(): void {
    this.#pingsSent += 1
    this.link.ping()
  }

  #checkLiveness(): void {
    const { clock, wheel, limits } = this.#tools
    const idleMs = clock.monotonic() - this.#heardAtMs
    if (idleMs >= limits.deadMs) return this.abort('lost')
    if (idleMs >= limits.pingMs) this.#ping()
    const nextMs = idleMs >= limits.pingMs ? Math.min(limits.pingMs, limits.deadMs - idleMs) : limits.pingMs - idleMs
    this.#liveness = wheel.after(nextMs, () => this.#checkLiveness())
  }
}
