/** All open streams: opening one, answering what comes in on it, sending what waits, ending them together. */
import { messageOffset } from '@drover/protocol'
import type { Bindings, Origin } from './bindings.ts'
import type { Clock } from './clock.ts'
import type { Delivery } from './delivery.ts'
import type { Answer, Exchange } from './exchange.ts'
import type { Transport } from './handler.ts'
import type { InFlightBytes } from './in-flight-bytes.ts'
import type { ServerLimits } from './limits.ts'
import { AgentStream, closeCode, type Link } from './stream.ts'
import type { TimerWheel } from './timer-wheel.ts'

export interface StreamsTools {
  readonly exchange: Exchange
  readonly bindings: Bindings
  readonly delivery: Delivery
  readonly inFlight: InFlightBytes
  readonly limits: ServerLimits
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly nextConnectionId: () => number
}

export class Streams {
  readonly #tools: StreamsTools
  readonly #open = new Map<AgentStream, Origin>()
  #whenEmpty: (() => void) | undefined

  constructor(tools: StreamsTools) {
    this.#tools = tools
  }

  get size(): number {
    return this.#open.size
  }

  open(transport: Transport, principal: string, remoteAddress: string, link: Link): AgentStream {
    const info = { id: this.#tools.nextConnectionId(), transport, principal, remoteAddress, connectedAt: this.#tools.clock.now() }
    const stream = new AgentStream(
      info,
      link,
      {
        receive: (from, frame) => this.#receive(from, frame),
        drained: (from) => {
          for (const agent of from.agents) this.#tools.delivery.flush(agent)
        },
        ended: (from, reason) => {
          this.#open.delete(from)
          this.#tools.bindings.streamEnded(from, reason)
          if (this.#open.size === 0) this.#whenEmpty?.()
        },
      },
      this.#tools,
    )
    this.#open.set(stream, { transport, principal, remoteAddress, stream })
    return stream
  }

  /** Takes in an unchanged heartbeat out of turn when nothing is before it. Returns the WebSocket frame to answer with, otherwise undefined. */
  heartbeat(stream: AgentStream, frame: Uint8Array): Uint8Array | undefined {
    if (frame[0] !== 0 || !stream.isIdle || !stream.hasRoom()) return undefined
    const origin = this.#open.get(stream)
    const agent = origin === undefined ? undefined : this.#tools.exchange.heartbeat(origin, frame, 1)
    if (agent !== undefined) stream.heard()
    return agent?.acknowledgement
  }

  all(): AgentStream[] {
    return [...this.#open.keys()]
  }

  /** Closes all, evenly spread over `spreadMs`, so that not all agents look for another server in the same instant. */
  async close(spreadMs: number): Promise<void> {
    const streams = this.all()
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve
      if (streams.length === 0) resolve()
    })
    streams.forEach((stream, index) => {
      const close = () => stream.close(closeCode.restart, 'the server is going away', 'server')
      const delayMs = (spreadMs * index) / streams.length
      if (delayMs < 1) close()
      else this.#tools.wheel.after(delayMs, close)
    })
    await empty
  }

  #receive(stream: AgentStream, frame: Uint8Array): void | Promise<void> {
    const origin = this.#open.get(stream)
    if (origin === undefined) return
    const heartbeat = frame[0] === 0 ? this.#tools.exchange.heartbeat(origin, frame, 1) : undefined
    if (heartbeat !== undefined) return stream.link.send(heartbeat.addressee)
    if (!this.#tools.inFlight.reserve(frame.length)) return stream.close(closeCode.overload, 'try again later', 'server')
    const answer = this.#answer(origin, frame)
    if (!(answer instanceof Promise)) return this.#reply(stream, answer, frame.length)
    return answer.then((late) => this.#reply(stream, late, frame.length))
  }

  #answer(origin: Origin, frame: Uint8Array): Answer | Promise<Answer> {
    const { exchange } = this.#tools
    let offset: number
    try {
      offset = messageOffset(frame)
    } catch (error) {
      return exchange.refuseBytes(origin, error)
    }
    return exchange.answer(origin, frame.subarray(offset))
  }

  #reply(stream: AgentStream, answer: Answer, frameBytes: number): void {
    this.#tools.inFlight.release(frameBytes)
    if (!stream.isOpen) return
    stream.link.send(answer.message)
    // That we could not do our part is not the agent's fault.
    if (answer.refusal !== undefined && answer.refusal !== 'unavailable') stream.strike()
    if (answer.agent !== undefined && stream.isOpen) this.#tools.delivery.flush(answer.agent)
  }
}
