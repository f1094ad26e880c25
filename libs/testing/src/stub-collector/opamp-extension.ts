/** The Collector's opamp extension: one WebSocket to the supervisor, the newest state of each part, the whole state when asked. */
import { create } from '@bufbuild/protobuf'
import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  AgentDisconnectSchema,
  AgentToServerSchema,
  ServerToAgentFlags,
  decodeFrame,
  decodeServerToAgent,
  encodeAgentToServer,
  encodeFrame,
  instanceUidFromBytes,
  instanceUidToBytes,
  parseInstanceUid,
} from '@drover/protocol'
import type { AgentToServer, CustomMessage, InstanceUid, ServerToAgent } from '@drover/protocol'
import { WebSocket } from 'ws'

export type ExtensionPart = 'agentDescription' | 'health' | 'effectiveConfig' | 'availableComponents' | 'customCapabilities'

/** The present value of each part; absent: nothing to say. */
export type ExtensionState = Partial<Pick<AgentToServer, ExtensionPart>>

export interface ExtensionOptions {
  readonly endpoint: string
  readonly instanceUid: string
  readonly capabilities: bigint
  /** Asked for each report, so that it is never older than the report. `complete`: with the full list of components. */
  readonly state: (complete: boolean) => ExtensionState
  readonly onCustomMessage: (message: CustomMessage) => void
  /** Each successful connection. */
  readonly onConnected: () => void
  readonly log: (level: 'info' | 'error', message: string) => void
}

const heartbeatMs = 30_000
const firstRetryMs = 500
const lastRetryMs = 30_000
const closeGraceMs = 1000

export class OpampExtension {
  readonly #options: ExtensionOptions
  #uid: InstanceUid
  #socket: WebSocket | undefined
  #sequenceNum = 0n
  #isFirst = true
  #sendsComponents = false
  #retryMs = firstRetryMs
  #retry: NodeJS.Timeout | undefined
  #heartbeat: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(options: ExtensionOptions) {
    this.#options = options
    this.#uid = parseInstanceUid(options.instanceUid)
  }

  /** Connects, and again whenever the connection is lost. */
  start(): void {
    const socket = new WebSocket(this.#options.endpoint, { perMessageDeflate: false, handshakeTimeout: 10_000 })
    this.#socket = socket
    socket.binaryType = 'nodebuffer'
    socket.on('open', () => this.#opened())
    socket.on('message', (data: Buffer) => this.#receive(decodeServerToAgent(decodeFrame(data))))
    socket.on('error', (error) => this.#options.log('error', `Failed to connect to the OpAMP server: ${error.message}`))
    socket.on('close', () => this.#closed())
  }

  #opened(): void {
    this.#retryMs = firstRetryMs
    this.#heartbeat = setInterval(() => this.#send({}), heartbeatMs)
    // the first connection tells everything, a later one goes on where the last one ended
    this.#send(this.#isFirst ? this.#options.state(false) : {})
    this.#isFirst = false
    this.#options.onConnected()
  }

  #closed(): void {
    clearInterval(this.#heartbeat)
    if (this.#isStopped) return
    this.#retry = setTimeout(() => this.start(), this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 1.5, lastRetryMs)
  }

  /** Reports what changed; without a connection the next first report has it. */
  report(...parts: readonly ExtensionPart[]): void {
    const state = this.#options.state(this.#sendsComponents)
    this.#send(Object.fromEntries(parts.map((part) => [part, state[part]])))
  }

  /** False: not connected. */
  sendCustomMessage(message: CustomMessage): boolean {
    return this.#send({ customMessage: message })
  }

  #send(parts: MessageInitShape<typeof AgentToServerSchema>): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false
    const { capabilities } = this.#options
    const message = create(AgentToServerSchema, {
      instanceUid: instanceUidToBytes(this.#uid),
      sequenceNum: this.#sequenceNum++,
      capabilities,
      ...definedParts(parts),
    })
    this.#socket.send(encodeFrame(encodeAgentToServer(message)))
    return true
  }

  #receive(message: ServerToAgent): void {
    if (message.agentIdentification !== undefined) this.#uid = instanceUidFromBytes(message.agentIdentification.newInstanceUid)
    if ((message.flags & BigInt(ServerToAgentFlags.ServerToAgentFlags_ReportFullState)) !== 0n) this.#send(this.#options.state(this.#sendsComponents))
    if ((message.flags & BigInt(ServerToAgentFlags.ServerToAgentFlags_ReportAvailableComponents)) !== 0n) {
      this.#sendsComponents = true
      this.report('availableComponents')
    }
    if (message.customMessage !== undefined) this.#options.onCustomMessage(message.customMessage)
  }

  /** Says goodbye and closes; settles at the latest after a second. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#retry)
    clearInterval(this.#heartbeat)
    const socket = this.#socket
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return
    this.#send({ agentDisconnect: create(AgentDisconnectSchema) })
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(() => socket.terminate(), closeGraceMs)
    socket.once('close', () => resolve())
    socket.close(1000)
    await promise
    clearTimeout(timer)
  }
}

function definedParts<T extends object>(parts: T): T {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as T // as: only absent ones were left out
}
