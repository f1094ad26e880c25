/** A server that a test plays: what it heard of an agent, and what it shall say. opamp-go's server and a raw one of our own are driven alike. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { AgentToServerSchema, ServerToAgentSchema } from '@drover/protocol'
import type { AgentToServer, ServerToAgent } from '@drover/protocol'
import type { Transport } from './agent-values.ts'
import { Watch } from './watch.ts'

/** A WebSocket upgrade, or a request over plain HTTP. */
export interface HeardRequest {
  readonly method: string
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  /** The status that it was refused with. */
  readonly refused?: number
  /** Common name in the client's certificate. */
  readonly certificate?: string
  /** Milliseconds, from `performance.now()`. */
  readonly at: number
}

export interface HeardMessage {
  /** Each WebSocket and each plain request has a number of its own. */
  readonly connection: number
  readonly message: AgentToServer
  readonly at: number
}

export type Answer = Exclude<MessageInitShape<typeof ServerToAgentSchema>, ServerToAgent>

export interface Refusal {
  /** How many requests in a row; once unless set. */
  readonly times?: number
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
}

/** PEM texts. */
export interface TlsOptions {
  readonly cert: string
  readonly key: string
  /** Client certificates are demanded … */
  readonly clientCa?: string
  /** … or looked at where one is shown. opamp-go's server only, as the next. */
  readonly isClientCertOptional?: true
  /** Speaks no newer TLS than 1.2. */
  readonly isOld?: true
}

export interface ListenOptions {
  readonly compression?: true
  readonly customCapabilities?: readonly string[]
  readonly tls?: TlsOptions
}

/** What every server of these suites promises, unless a test answers something else: all that the protocol has. */
export const everyServerCapability = 0x7fn

export abstract class ScriptedServer implements AsyncDisposable {
  readonly requests: HeardRequest[] = []
  readonly messages: HeardMessage[] = []
  /** Numbers of the connections that ended. */
  readonly closed: number[] = []
  readonly #watch = new Watch(() => this.summary())
  protected port = 0
  protected isTls = false

  url(transport: Transport): string {
    return `${transport === 'http' ? 'http' : 'ws'}${this.isTls ? 's' : ''}://127.0.0.1:${this.port}/v1/opamp`
  }

  /** Queues what the next message, if it is no goodbye, gets instead of the usual answer. Without a uid it has that of the message. */
  abstract answer(answer: Answer): Promise<void>
  /** Pushes over every open WebSocket. The uid must be set. */
  abstract send(message: Answer): Promise<void>
  /** Queues a refusal for the next requests. */
  abstract refuse(refusal: Refusal): Promise<void>
  /** Whether messages get no answer (over plain HTTP: an empty one). */
  abstract setSilent(silent: boolean): Promise<void>
  /** Cuts every open WebSocket without a word. */
  abstract cut(): Promise<void>
  abstract [Symbol.asyncDispose](): Promise<void>

  protected note(remember: () => void): void {
    this.#watch.note(remember)
  }

  protected encode(answer: Answer): Uint8Array {
    return toBinary(ServerToAgentSchema, create(ServerToAgentSchema, answer))
  }

  protected noteMessage(connection: number, bytes: Uint8Array): AgentToServer {
    const message = fromBinary(AgentToServerSchema, bytes)
    this.note(() => this.messages.push({ connection, message, at: performance.now() }))
    return message
  }

  /** Asks `look` now and after everything that happens, until it gives something. */
  until<T>(look: () => T | undefined, what: string): Promise<T> {
    return this.#watch.until(look, what)
  }

  /** The first message, counted from `since`, that fits. */
  async untilMessage(fits: (message: AgentToServer) => boolean, what: string, since = 0): Promise<AgentToServer> {
    return (await this.until(() => this.messages.slice(since).find(({ message }) => fits(message)), what)).message
  }

  /** The message with this place in the order of arrival, counted from 0. */
  async message(index: number): Promise<AgentToServer> {
    return (await this.until(() => this.messages[index], `message ${index}`)).message
  }

  async request(index: number): Promise<HeardRequest> {
    return this.until(() => this.requests[index], `request ${index}`)
  }

  summary(): string {
    return `heard ${this.requests.length} requests, ${this.messages.length} messages, ${this.closed.length} ends`
  }
}
