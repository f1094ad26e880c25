/** The OpAMP server that a Collector's `opamp` extension connects to: on this machine only, for one agent, over one connection at a time. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AgentDescription, AvailableComponents, ComponentHealth, CustomMessage, EffectiveConfig, InstanceUid } from '@drover/protocol'
import { bytesEqual } from '@drover/protocol'
import { createOpampServer } from '@drover/server'
import type { Admission, AgentReport, Clock, ConnectRequest, Offer, OpampServer, ServerLimits, ServerLog } from '@drover/server'
import { MessageQueue } from './message-queue.ts'

/** What the agent said. Each part is called when it is in a report, in this order. */
export interface LocalAgentHandler {
  onDescription(description: AgentDescription): void
  /** Complete: all components, not only their hash. */
  onComponents(components: AvailableComponents): void
  onEffectiveConfig(config: EffectiveConfig): void
  onCustomCapabilities(capabilities: readonly string[]): void
  onCustomMessage(message: CustomMessage): void
  onHealth(health: ComponentHealth): void
  /** All parts of a report were handed over. `components`: it has some, and what is known of them. */
  onReport(components: 'none' | 'asked' | 'known'): void
  /** Somebody connected who is not the agent that is expected. */
  onStranger(uid: InstanceUid, description: AgentDescription | undefined): void
}

export interface LocalServerOptions {
  /** 0: any free one. */
  readonly port: number
  readonly clock: Clock
  readonly log: ServerLog
  readonly handler: LocalAgentHandler
}

const host = '127.0.0.1'
const mebibyte = 1024 * 1024

/** The agent is ours and on this machine; it may say much at once, such as the state of each of its components. */
const limits: Partial<ServerLimits> = {
  maxMessageBytes: 16 * mebibyte,
  maxOutgoingBytes: 16 * mebibyte,
  maxConnections: 4,
  maxPendingAdmissions: 4,
  maxAgentsPerConnection: 1,
  maxRememberedAgents: 4,
  duplicateProbeMs: 1_000,
  messagesPerSecond: 500,
  messagesBurst: 2_000,
  bytesPerSecond: 16 * mebibyte,
  bytesBurst: 64 * mebibyte,
  maxInFlightBytes: 64 * mebibyte,
  retryAfterMinSeconds: 1,
  retryAfterMaxSeconds: 1,
}

export class LocalServer implements AsyncDisposable {
  readonly #options: LocalServerOptions
  readonly #opamp: OpampServer
  readonly #http: Server
  readonly #waiting = new MessageQueue()
  #port: number | undefined
  #expected: InstanceUid | undefined
  /** Each process of the agent is a generation; a connection belongs to the one in which it was made. */
  #generation = 0
  /** The last complete list. */
  #components: AvailableComponents | undefined
  #agentCapabilities: ReadonlySet<string> = new Set()

  constructor(options: LocalServerOptions) {
    this.#options = options
    this.#http = createServer()
    this.#opamp = createOpampServer({
      capabilities: ['AcceptsStatus', 'AcceptsEffectiveConfig'],
      clock: options.clock,
      log: options.log,
      limits,
      handler: {
        authenticate: (request) => this.#admit(request),
        onReport: (report) => this.#onReport(report),
        onDisconnect: () => undefined,
        // Cannot come to pass while `#admit` lets nobody in beside the agent; if it does, the newcomer is a stranger under its new uid.
        onDuplicate: () => undefined,
      },
    })
    this.#opamp.attach(this.#http)
  }

  /** The port to connect to. Throws when it cannot be had. */
  async start(): Promise<number> {
    if (this.#port !== undefined) return this.#port
    const { port } = this.#options
    this.#http.listen({ host, port })
    try {
      await once(this.#http, 'listening')
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`cannot listen on port ${port} for the agent: ${why}`, { cause: error })
    }
    this.#port = (this.#http.address() as AddressInfo).port // as: a TCP server that listens has one
    return this.#port
  }

  /** A process of the agent is about to start, or to begin anew within itself: what is said on connections made before does not count any more. */
  expect(uid: InstanceUid): void {
    this.#expected = uid
    this.#generation += 1
    this.#agentCapabilities = new Set()
    this.#waiting.clear()
  }

  /** The agent has ended. */
  expectNobody(): void {
    // The agent's end of the connection is gone; that may not have been noticed yet.
    if (this.#expected !== undefined) this.#opamp.disconnect(this.#expected, 'the agent has ended')
    this.#expected = undefined
    this.#generation += 1
    this.#waiting.clear()
  }

  /** Kept for a moment when the agent is not connected; dropped when it does not know the capability. */
  sendCustomMessage(message: CustomMessage): void {
    if (this.#isConnected()) this.#send(message)
    else if (this.#expected !== undefined && !this.#waiting.add(message))
      this.#options.log('warn', 'A custom message for the agent was dropped', { reason: 'too many wait' })
  }

  /** What the Server of the supervisor announced: the agent is told, and may send messages of these. */
  setServerCustomCapabilities(capabilities: readonly string[]): void {
    this.#opamp.setCustomCapabilities(capabilities)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.expectNobody()
    await this.#opamp[Symbol.asyncDispose]()
    if (this.#port === undefined) return
    this.#http.close()
    this.#http.closeAllConnections()
    this.#port = undefined
  }

  #isConnected(): boolean {
    return this.#expected !== undefined && this.#opamp.connection(this.#expected)?.principal === String(this.#generation)
  }

  #admit({ transport }: ConnectRequest): Admission {
    if (transport !== 'websocket') return { kind: 'reject', status: 403, message: 'only a WebSocket is served here' }
    if (this.#expected === undefined || this.#isConnected())
      return { kind: 'reject', status: 503, message: 'another agent is connected, or none is expected', retryAfterSeconds: 1 }
    return { kind: 'accept', principal: String(this.#generation) }
  }

  #onReport({ uid, connection, message }: AgentReport): Offer | undefined {
    const { handler } = this.#options
    if (connection.principal !== String(this.#generation)) return undefined
    if (uid !== this.#expected) {
      handler.onStranger(uid, message.agentDescription)
      this.#opamp.disconnect(uid, 'another instance uid is expected')
      return undefined
    }
    if (message.agentDescription !== undefined) handler.onDescription(message.agentDescription)
    const components = this.#takeComponents(message.availableComponents)
    if (message.effectiveConfig !== undefined) handler.onEffectiveConfig(message.effectiveConfig)
    if (message.customCapabilities !== undefined) this.#takeCustomCapabilities(message.customCapabilities.capabilities)
    if (message.customMessage !== undefined) handler.onCustomMessage(message.customMessage)
    if (message.health !== undefined) handler.onHealth(message.health)
    handler.onReport(components)
    return components === 'asked' ? { reportAvailableComponents: true } : undefined
  }

  /** The hash comes first, the list only when it is asked for. */
  #takeComponents(components: AvailableComponents | undefined): 'none' | 'asked' | 'known' {
    if (components === undefined) return 'none'
    const isComplete = Object.keys(components.components).length > 0
    if (isComplete) this.#components = components
    if (this.#components === undefined || !bytesEqual(this.#components.hash, components.hash)) return 'asked'
    this.#options.handler.onComponents(this.#components)
    return 'known'
  }

  #takeCustomCapabilities(capabilities: readonly string[]): void {
    this.#agentCapabilities = new Set(capabilities)
    this.#options.handler.onCustomCapabilities(capabilities)
    // Not before this report is dealt with: until then the capabilities are not the agent's in the session's eyes.
    const waiting = this.#waiting.takeAll()
    if (waiting.length > 0) queueMicrotask(() => waiting.forEach((message) => this.#send(message)))
  }

  #send(message: CustomMessage): void {
    if (this.#expected === undefined || !this.#agentCapabilities.has(message.capability)) return
    this.#opamp.offer(this.#expected, { customMessage: message })
  }
}
