/** For this library's tests: servers that say exactly what the test tells them to, and clients with everything recorded. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import {
  type AgentCapability,
  agentCapabilities,
  AgentDescriptionSchema,
  type AgentToServer,
  ComponentHealthSchema,
  decodeAgentToServer,
  decodeFrame,
  decodeHttpBody,
  encodeFrame,
  encodeServerToAgent,
  keyValues,
  ServerToAgentSchema,
} from '@drover/protocol'
import { FakeClock, settle } from '@drover/testing'
import { type WebSocket, WebSocketServer } from 'ws'
import type { ConnectionSettings, ConnectionStatus, OpampClient, OpampClientOptions } from './client.ts'
import type { LogFields, LogLevel } from './log.ts'
import { openOpampClient } from './opamp-client.ts'
import { memoryStore } from './stores/memory-store.ts'

export type Reply = MessageInitShape<typeof ServerToAgentSchema>

export const allAgentCapabilities: readonly AgentCapability[] = agentCapabilities(0xffffn).names()

/** Things that come, to be awaited one by one. */
export class Queue<Item> {
  readonly all: Item[] = []
  #taken = 0
  #wake: (() => void) | undefined

  put(item: Item): void {
    this.all.push(item)
    this.#wake?.()
  }

  async next(): Promise<Item> {
    while (this.#taken >= this.all.length) await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.all[this.#taken++]! // !: there is one
  }

  /** The first from here on that the test waits for. */
  async find(predicate: (item: Item) => boolean): Promise<Item> {
    for (;;) {
      const item = await this.next()
      if (predicate(item)) return item
    }
  }

  get waiting(): number {
    return this.all.length - this.#taken
  }
}

/** The server's end of a WebSocket. */
export class RawConnection {
  readonly socket: WebSocket
  readonly request: IncomingMessage
  readonly messages = new Queue<AgentToServer>()
  /** Close code and whether the last message before it was `agent_disconnect`. */
  readonly closed: Promise<number>

  constructor(socket: WebSocket, request: IncomingMessage) {
    this.socket = socket
    this.request = request
    this.closed = new Promise((resolve) => socket.on('close', resolve))
    socket.on('error', () => undefined)
  }

  send(reply: Reply): void {
    this.sendBytes(encodeServerToAgent(create(ServerToAgentSchema, reply)))
  }

  sendBytes(message: Uint8Array): void {
    this.socket.send(encodeFrame(message))
  }

  /** Takes the next message and answers it. */
  async answer(reply: Reply = {}): Promise<AgentToServer> {
    const message = await this.messages.next()
    this.send(reply)
    return message
  }
}

/** Nothing more comes: what is on its way over loopback has arrived by then. */
export async function silence({ messages }: RawConnection): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await settle()
  if (messages.waiting > 0) throw new Error(`${messages.waiting} messages came`)
}

export interface RawWebSocketServer extends AsyncDisposable {
  readonly http: Server
  readonly port: number
  readonly endpoint: string
  readonly connections: Queue<RawConnection>
}

/** Upgrades everybody unless `refuse` answers the request itself. */
export async function rawWebSocketServer(
  options: { readonly http?: Server; readonly scheme?: 'ws' | 'wss'; readonly refuse?: (request: IncomingMessage, socket: Socket) => boolean } = {},
): Promise<RawWebSocketServer> {
  const { http = createServer(), scheme = 'ws', refuse = () => false } = options
  const sockets = new WebSocketServer({ noServer: true })
  const connections = new Queue<RawConnection>()
  http.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (refuse(request, socket)) return
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = new RawConnection(webSocket, request)
      webSocket.on('message', (data: Buffer) => connection.messages.put(decodeAgentToServer(decodeFrame(data))))
      connections.put(connection)
    })
  })
  const port = await listen(http)
  return {
    http,
    port,
    endpoint: `${scheme}://localhost:${port}/v1/opamp`,
    connections,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets.clients) socket.terminate()
      await end(http)
    },
  }
}

/** Refuses an upgrade with a bare status line. */
export function refuseUpgrade(socket: Socket, status: number, headers: Readonly<Record<string, string>> = {}): true {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} No\r\nconnection: close\r\ncontent-length: 0\r\n${lines.join('')}\r\n`)
  return true
}

/** One request of a plain HTTP client, which waits for its answer. */
export class RawExchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: Uint8Array
  readonly message: AgentToServer

  constructor(request: IncomingMessage, response: ServerResponse, body: Uint8Array, message: AgentToServer) {
    this.request = request
    this.response = response
    this.body = body
    this.message = message
  }

  answer(reply: Reply = {}, headers: Readonly<Record<string, string>> = {}): void {
    this.answerBytes(encodeServerToAgent(create(ServerToAgentSchema, reply)), headers)
  }

  answerBytes(body: Uint8Array, headers: Readonly<Record<string, string>> = {}, status = 200): void {
    this.response.writeHead(status, { 'content-type': 'application/x-protobuf', ...headers }).end(body)
  }

  fail(status: number, headers: Readonly<Record<string, string>> = {}): void {
    this.response.writeHead(status, headers).end()
  }
}

export interface RawHttpServer extends AsyncDisposable {
  readonly http: Server
  readonly port: number
  readonly endpoint: string
  readonly exchanges: Queue<RawExchange>
}

export async function rawHttpServer(http: Server = createServer(), scheme: 'http' | 'https' = 'http'): Promise<RawHttpServer> {
  const exchanges = new Queue<RawExchange>()
  http.on('request', (request: IncomingMessage, response: ServerResponse) => void take(request, response, exchanges))
  const port = await listen(http)
  return { http, port, endpoint: `${scheme}://localhost:${port}/v1/opamp`, exchanges, [Symbol.asyncDispose]: () => end(http) }
}

async function take(request: IncomingMessage, response: ServerResponse, exchanges: Queue<RawExchange>): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer) // as: no encoding is set
  const body = Buffer.concat(chunks)
  const message = decodeAgentToServer(await decodeHttpBody(body, request.headers['content-encoding'], 1 << 26))
  exchanges.put(new RawExchange(request, response, body, message))
}

async function listen(http: Server): Promise<number> {
  http.listen(0, 'localhost')
  await once(http, 'listening')
  return (http.address() as AddressInfo).port // as: listening on TCP
}

async function end(http: Server): Promise<void> {
  http.closeAllConnections()
  await new Promise((resolve) => http.close(resolve))
}

/** A client on a WebSocket, whose first report was answered. */
export async function connected(server: RawWebSocketServer, agent: TestClient): Promise<RawConnection> {
  agent.client.start()
  const connection = await server.connections.next()
  await connection.answer({ capabilities: 0x7fn })
  await agent.statuses.find(({ state }) => state === 'connected')
  return connection
}

/** A port on which nobody listens. */
export async function deadPort(): Promise<number> {
  const http = createServer()
  const port = await listen(http)
  await end(http)
  return port
}

export interface TestClient extends AsyncDisposable {
  readonly client: OpampClient
  readonly clock: FakeClock
  readonly statuses: Queue<ConnectionStatus>
  readonly lines: Queue<{ readonly level: LogLevel; readonly message: string; readonly fields: LogFields }>
}

export function settingsFor(endpoint: string, more: Partial<ConnectionSettings> = {}): ConnectionSettings {
  return { endpoint, headers: [], tls: {}, proxy: { kind: 'none' }, heartbeatIntervalSeconds: 30, ...more }
}

/** With a description and a health; time stands still unless the test moves it, and random numbers are all zero. */
export async function testClient(
  endpoint: string,
  options: Partial<Omit<OpampClientOptions, 'clock'>> & { readonly startMs?: number } = {},
): Promise<TestClient> {
  const clock = new FakeClock(options.startMs)
  const statuses = new Queue<ConnectionStatus>()
  const lines: TestClient['lines'] = new Queue()
  const client = await openOpampClient({
    settings: settingsFor(endpoint),
    capabilities: [],
    store: memoryStore(),
    clock,
    random: (bytes) => void bytes.fill(0),
    log: (level, message, fields) => lines.put({ level, message, fields }),
    ...options,
    handler: {
      ...options.handler,
      onConnectionStatus: (status) => {
        statuses.put(status)
        options.handler?.onConnectionStatus?.(status)
      },
    },
  })
  client.setAgentDescription(create(AgentDescriptionSchema, { identifyingAttributes: keyValues({ 'service.name': 'collector' }) }))
  client.setHealth(create(ComponentHealthSchema, { healthy: true }))
  const stop = async () => {
    const stopped = client.stop()
    await clock.advanceAsync(60_000)
    await stopped
  }
  return { client, clock, statuses, lines, [Symbol.asyncDispose]: stop }
}
