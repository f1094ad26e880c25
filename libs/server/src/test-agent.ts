/** For this library's tests: a server with a recording handler on a free port, and bare clients that speak to it byte by byte. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { create } from '@bufbuild/protobuf'
import {
  agentCapabilities,
  type AgentCapability,
  type AgentToServer,
  AgentToServerSchema,
  decodeFrame,
  decodeServerToAgent,
  encodeAgentToServer,
  encodeFrame,
  type InstanceUid,
  instanceUidToBytes,
  parseInstanceUid,
  type ServerToAgent,
} from '@drover/protocol'
import { FakeClock } from '@drover/testing'
import { type ClientOptions, WebSocket } from 'ws'
import type { AgentReport, ConnectRequest, Disconnection, Duplicate, Offer, OpampHandler } from './handler.ts'
import type { InProcessConnection } from './in-process.ts'
import type { LogFields, LogLevel } from './log.ts'
import { createOpampServer, type OpampServer, type OpampServerOptions } from './opamp-server.ts'

export const uidA: InstanceUid = parseInstanceUid('01900000-0000-7000-8000-00000000000a')
export const uidB: InstanceUid = parseInstanceUid('01900000-0000-7000-8000-00000000000b')

/** What an agent that can do everything announces. */
export const allAgentCapabilities: readonly AgentCapability[] = agentCapabilities(0xffffn).names()

type Init = Omit<Partial<AgentToServer>, '$typeName' | '$unknown' | 'capabilities' | 'sequenceNum'> & {
  sequenceNum?: number
  capabilities?: readonly AgentCapability[]
}

export function report(uid: InstanceUid, init: Init = {}): AgentToServer {
  const { sequenceNum = 0, capabilities = ['ReportsStatus'], ...rest } = init
  return create(AgentToServerSchema, {
    instanceUid: instanceUidToBytes(uid),
    sequenceNum: BigInt(sequenceNum),
    capabilities: agentCapabilities(capabilities).mask,
    ...rest,
  })
}

/** The first report of an agent: everything it promises with `ReportsStatus` alone. */
export function firstReport(uid: InstanceUid, init: Init = {}): AgentToServer {
  const description = create(AgentToServerSchema, {
    agentDescription: { identifyingAttributes: [{ key: 'service.name', value: { value: { case: 'stringValue', value: 'collector' } } }] },
  })
  return report(uid, { agentDescription: description.agentDescription!, ...init }) // !: just made
}

export function frameOf(message: AgentToServer): Uint8Array {
  return encodeFrame(encodeAgentToServer(message))
}

/** Names of the fields that are set, apart from the addressee. */
export function fieldsOf(message: ServerToAgent): string[] {
  const { $typeName: _, instanceUid: __, flags, capabilities, ...rest } = message
  const set = Object.entries(rest).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  return [...set, ...(flags === 0n ? [] : ['flags']), ...(capabilities === 0n ? [] : ['capabilities'])].toSorted()
}

/** One part of a report, made from plain values. */
export const part = <Name extends keyof AgentToServer>(
  init: Parameters<typeof create<typeof AgentToServerSchema>>[1],
  name: Name,
): { [N in Name]: NonNullable<AgentToServer[N]> } => ({ [name]: create(AgentToServerSchema, init)[name] }) as { [N in Name]: NonNullable<AgentToServer[N]> } // as: the caller sets that part

/** Keeps everything, and answers as the test says. */
export class RecordingHandler implements OpampHandler {
  readonly reports: AgentReport[] = []
  readonly gone: Disconnection[] = []
  readonly duplicates: Duplicate[] = []
  readonly requests: ConnectRequest[] = []
  onAuthenticate: OpampHandler['authenticate'] = (request) => ({ kind: 'accept', principal: request.headers['authorization'] ?? 'somebody' })
  answer: (report: AgentReport) => Offer | undefined | Promise<Offer | undefined> = () => undefined

  authenticate(request: ConnectRequest): ReturnType<OpampHandler['authenticate']> {
    this.requests.push(request)
    return this.onAuthenticate(request)
  }

  onReport(agentReport: AgentReport): ReturnType<OpampHandler['onReport']> {
    this.reports.push(agentReport)
    return this.answer(agentReport)
  }

  onDisconnect(gone: Disconnection): void {
    this.gone.push(gone)
  }

  onDuplicate(duplicate: Duplicate): void {
    this.duplicates.push(duplicate)
  }
}

export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

export interface TestServer extends AsyncDisposable {
  readonly server: OpampServer
  readonly handler: RecordingHandler
  readonly http: Server
  readonly port: number
  readonly url: string
  readonly lines: readonly LogLine[]
}

/** A server that listens on a port of its own; with everything offered unless the test says otherwise. */
export async function startTestServer(options: Partial<OpampServerOptions> = {}): Promise<TestServer> {
  const handler = new RecordingHandler()
  const lines: LogLine[] = []
  const server = createOpampServer({
    handler,
    capabilities: ['AcceptsStatus', 'OffersRemoteConfig', 'AcceptsEffectiveConfig', 'OffersConnectionSettings'],
    log: (level, message, fields) => lines.push({ level, message, fields }),
    ...options,
  })
  const http = createServer()
  server.attach(http)
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo // as: listening on TCP
  return {
    server,
    handler,
    http,
    port,
    url: `127.0.0.1:${port}${options.path ?? '/v1/opamp'}`,
    lines,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

export interface InProcessFixture {
  readonly server: OpampServer
  readonly handler: RecordingHandler
  readonly clock: FakeClock
  readonly dropped: { readonly slot: string; readonly bytes: number }[]
  readonly refused: string[]
  /** The principal is what the agent says it is. */
  readonly connect: (principal?: string) => TestPipe
}

/** A server without a socket and with a clock that stands still. */
export function inProcessFixture(options: Partial<OpampServerOptions> = {}): InProcessFixture {
  const handler = new RecordingHandler()
  const clock = new FakeClock()
  const dropped: { slot: string; bytes: number }[] = []
  const refused: string[] = []
  const server = createOpampServer({
    handler,
    clock,
    capabilities: ['AcceptsStatus', 'OffersRemoteConfig', 'OffersConnectionSettings'],
    observe: { droppedForSize: ({ slot, bytes }) => dropped.push({ slot, bytes }), refused: (cause) => refused.push(cause) },
    ...options,
  })
  const connect = (principal = 'token-1') => new TestPipe(server.connectInProcess({ headers: { authorization: principal } }))
  return { server, handler, clock, dropped, refused, connect }
}

/** Messages and the end of one connection, to be awaited one by one. */
export class Inbox {
  readonly #items: ServerToAgent[] = []
  readonly #waiting: ((item: ServerToAgent) => void)[] = []

  put(frame: Uint8Array): void {
    const message = decodeServerToAgent(decodeFrame(frame))
    const next = this.#waiting.shift()
    if (next === undefined) this.#items.push(message)
    else next(message)
  }

  get size(): number {
    return this.#items.length
  }

  next(): Promise<ServerToAgent> {
    const item = this.#items.shift()
    return item === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(item)
  }
}

/** A WebSocket client that does what it is told and nothing else. */
export class TestSocket implements Disposable {
  readonly socket: WebSocket
  readonly inbox = new Inbox()
  readonly closed: Promise<{ code: number; reason: string }>

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data: Buffer) => this.inbox.put(data))
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })))
  }

  static async connect(url: string, options: ClientOptions = {}, scheme: 'ws' | 'wss' = 'ws'): Promise<TestSocket> {
    const socket = new WebSocket(`${scheme}://${url}`, { perMessageDeflate: false, ...options })
    const client = new TestSocket(socket)
    await once(socket, 'open')
    return client
  }

  send(message: AgentToServer): void {
    this.socket.send(frameOf(message))
  }

  /** Sends and waits for the next message, which need not be the reply. */
  async ask(message: AgentToServer): Promise<ServerToAgent> {
    this.send(message)
    return this.inbox.next()
  }

  [Symbol.dispose](): void {
    this.socket.terminate()
  }
}

/** The agent's side of an in-process connection. */
export class TestPipe {
  readonly connection: InProcessConnection
  readonly inbox = new Inbox()
  readonly closed: Promise<{ code: number; reason: string }>

  constructor(connection: InProcessConnection) {
    this.connection = connection
    connection.onMessage((frame) => this.inbox.put(frame))
    this.closed = new Promise((resolve) => connection.onClose((code, reason) => resolve({ code, reason })))
  }

  send(message: AgentToServer): void {
    this.connection.send(frameOf(message))
  }

  async ask(message: AgentToServer): Promise<ServerToAgent> {
    this.send(message)
    return this.inbox.next()
  }
}

/** Lets promises and microtasks run, and the event loop turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}
