/** The OpAMP server: puts the parts together, and is what a control plane holds. */
import type { Server } from 'node:http'
import { type InstanceUid, type ServerCapability, serverCapabilities } from '@drover/protocol'
import { AdmissionControl } from './admission.ts'
import { Bindings } from './bindings.ts'
import { type Clock, systemClock } from './clock.ts'
import { CustomCapabilities } from './custom-capabilities.ts'
import { Delivery } from './delivery.ts'
import { Exchange } from './exchange.ts'
import type { Admission, ConnectionInfo, Offer, OpampHandler } from './handler.ts'
import { HttpTransport } from './http-transport.ts'
import { InFlightBytes } from './in-flight-bytes.ts'
import { type InProcessConnection, InProcessPipe } from './in-process.ts'
import { defaultServerLimits, type ServerLimits } from './limits.ts'
import { Listener } from './listener.ts'
import { limitLog, type RefusalCause, type ServerLog, type ServerObserver } from './log.ts'
import { Registry } from './registry.ts'
import { closeCode } from './stream.ts'
import { Streams } from './streams.ts'
import { TimerWheel } from './timer-wheel.ts'
import { WebSocketTransport } from './websocket-transport.ts'

export interface OpampServerOptions {
  readonly handler: OpampHandler
  /** What this server does. Must include AcceptsStatus; offers of a kind not named here are never sent. */
  readonly capabilities: readonly ServerCapability[]
  /** Names as reverse FQDN, a period, a short name and perhaps `/version`. */
  readonly customCapabilities?: readonly string[]
  /** Default `/v1/opamp`. */
  readonly path?: string
  readonly limits?: Partial<ServerLimits>
  /** Compressed WebSocket messages cost memory per connection; off by default. */
  readonly perMessageDeflate?: boolean
  readonly clock?: Clock
  /** Fills an array with random bytes. */
  readonly random?: (bytes: Uint8Array) => void
  readonly log?: ServerLog
  readonly observe?: ServerObserver
}

export interface InProcessOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly remoteAddress?: string
}

export interface OpampServer extends AsyncDisposable {
  /** Serves the path on an HTTP or HTTPS server, which should not listen yet: its time limits are set here as well. */
  attach(server: Server): void
  connectInProcess(options?: InProcessOptions): InProcessConnection
  /**
   * Puts an offer in the agent's slots and sends it if it can. 'held': it waits for the next poll, a slow reader, or the
   * first report. 'absent': the agent is not connected, or takes nothing of it. What is held is forgotten when the agent
   * disconnects. Throws a TypeError for connection settings that the specification forbids.
   */
  offer(uid: InstanceUid, offer: Offer): 'sent' | 'held' | 'absent'
  /** Closes the agent's connection, and with it that of all agents on the same WebSocket. False when there is none. */
  disconnect(uid: InstanceUid, why: string): boolean
  /** The same for everybody who authenticated as `principal`. Returns the number of agents. */
  disconnectPrincipal(principal: string, why: string): number
  /** Replaces the custom capabilities; connected agents are told. For a server that passes messages on to another one. */
  setCustomCapabilities(names: readonly string[]): void
  connection(uid: InstanceUid): ConnectionInfo | undefined
  /** Milliseconds since 1970. Also known for a while after an agent went. */
  lastSeen(uid: InstanceUid): number | undefined
  /** Agents connected now. */
  connections(): number
  /** Refuses what is new, closes WebSockets spread over the first half of the time, and cuts what is left at its end. */
  drain(graceMs: number): Promise<void>
}

export function createOpampServer(options: OpampServerOptions): OpampServer {
  return new Program(options)
}

class Program implements OpampServer {
  readonly #clock: Clock
  readonly #wheel: TimerWheel
  readonly #limits: ServerLimits
  readonly #path: string
  readonly #registry: Registry
  readonly #bindings: Bindings
  readonly #delivery: Delivery
  readonly #admission: AdmissionControl
  readonly #streams: Streams
  readonly #customCapabilities: CustomCapabilities
  readonly #http: HttpTransport
  readonly #webSocket: WebSocketTransport
  readonly #listeners: Listener[] = []
  readonly #refused: (cause: RefusalCause, remoteAddress: string) => void
  #lastConnectionId = 0

  constructor(options: OpampServerOptions) {
    if (!options.capabilities.includes('AcceptsStatus')) throw new TypeError('an OpAMP server must have the capability AcceptsStatus')
    const { handler, random = fillRandom, observe: observer = {} } = options
    const customCapabilities = (this.#customCapabilities = new CustomCapabilities(options.customCapabilities ?? []))
    const capabilities = serverCapabilities(options.capabilities)
    const clock = (this.#clock = options.clock ?? systemClock)
    const wheel = (this.#wheel = new TimerWheel(clock))
    const limits = (this.#limits = { ...defaultServerLimits, ...options.limits })
    this.#path = options.path ?? '/v1/opamp'
    const log = limitLog(options.log ?? (() => undefined), clock, limits.logLinesPerSecond)
    const retryAfterSeconds = () => randomBetween(limits.retryAfterMinSeconds, limits.retryAfterMaxSeconds, random)
    const nextConnectionId = () => (this.#lastConnectionId += 1)
    const refused = (this.#refused = (cause, remoteAddress) => {
      observer.refused?.(cause)
      log(cause, 'warn', 'A request was refused', { remoteAddress })
    })
    const inFlight = new InFlightBytes(limits.maxInFlightBytes)
    const registry = (this.#registry = new Registry(limits))
    const shared = {
      handler,
      registry,
      capabilities,
      customCapabilities,
      limits,
      clock,
      wheel,
      random,
      observer,
      log,
      retryAfterSeconds,
      nextConnectionId,
      inFlight,
      refused,
    }
    const bindings = (this.#bindings = new Bindings(shared))
    const delivery = (this.#delivery = new Delivery({ ...shared, warn: (cause, message, fields) => log(cause, 'warn', message, fields) }))
    const exchange = new Exchange({ ...shared, bindings, delivery })
    const streams = (this.#streams = new Streams({ ...shared, exchange, bindings, delivery }))
    this.#admission = new AdmissionControl({ ...shared, connections: () => Math.max(registry.connections, streams.size) })
    this.#http = new HttpTransport({ ...shared, exchange })
    this.#webSocket = new WebSocketTransport({ ...shared, streams, perMessageDeflate: options.perMessageDeflate ?? false })
  }

  attach(server: Server): void {
    const tools = {
      path: this.#path,
      admission: this.#admission,
      http: this.#http,
      webSocket: this.#webSocket,
      limits: this.#limits,
      wheel: this.#wheel,
      refused: this.#refused,
    }
    this.#listeners.push(new Listener(server, tools))
  }

  connectInProcess(options: InProcessOptions = {}): InProcessConnection {
    const { headers = {}, remoteAddress = 'in-process' } = options
    const lowerCase = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
    const admitted = Promise.resolve(this.#admission.admit({ transport: 'in-process', headers: lowerCase, remoteAddress, path: this.#path }))
    const pipe = new InProcessPipe(admitted)
    void admitted.then((admission) => this.#openPipe(pipe, admission, remoteAddress))
    return pipe.agent
  }

  offer(uid: InstanceUid, offer: Offer): 'sent' | 'held' | 'absent' {
    const agent = this.#registry.find(uid)
    if (agent?.binding === undefined || !this.#delivery.post(agent, offer)) return 'absent'
    return agent.binding.stream !== undefined && this.#delivery.flush(agent) ? 'sent' : 'held'
  }

  disconnect(uid: InstanceUid, why: string): boolean {
    const agent = this.#registry.find(uid)
    const binding = agent?.binding
    if (agent === undefined || binding === undefined) return false
    if (binding.stream === undefined) this.#bindings.release(agent, binding, 'server')
    else binding.stream.close(closeCode.policy, closeReason(why), 'server')
    return true
  }

  disconnectPrincipal(principal: string, why: string): number {
    for (const stream of this.#streams.all())
      if (stream.info.principal === principal && stream.agents.size === 0) stream.close(closeCode.policy, closeReason(why), 'server')
    const agents = this.#registry.bound().filter((agent) => agent.binding?.info.principal === principal)
    for (const agent of agents) this.disconnect(agent.uid, why)
    return agents.length
  }

  setCustomCapabilities(names: readonly string[]): void {
    if (!this.#customCapabilities.replace(names)) return
    for (const agent of this.#registry.bound()) this.#delivery.announceCustomCapabilities(agent)
  }

  connection(uid: InstanceUid): ConnectionInfo | undefined {
    return this.#registry.find(uid)?.binding?.info
  }

  lastSeen(uid: InstanceUid): number | undefined {
    const agent = this.#registry.find(uid)
    return agent === undefined ? undefined : Math.round(this.#clock.now() - (this.#clock.monotonic() - agent.lastSeenMs))
  }

  connections(): number {
    return this.#registry.connections
  }

  async drain(graceMs: number): Promise<void> {
    this.#admission.drain()
    const cut = new Promise<void>((resolve) => {
      if (graceMs > 0) this.#wheel.after(graceMs, resolve)
      else resolve()
    })
    const closed = this.#streams.close(graceMs / 2).then(() => this.#webSocket.closed())
    await Promise.race([cut, Promise.all([closed, ...this.#listeners.map((listener) => listener.settled())])])
    for (const stream of this.#streams.all()) stream.abort('server')
    this.#webSocket.terminate()
    for (const agent of this.#registry.bound()) if (agent.binding !== undefined) this.#bindings.release(agent, agent.binding, 'server')
    for (const listener of this.#listeners.splice(0)) listener.detach()
    this.#wheel.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0)
  }

  #openPipe(pipe: InProcessPipe, admission: Admission, remoteAddress: string): void {
    if (admission.kind === 'reject') return pipe.link.close(closeCode.policy, closeReason(admission.message))
    const stream = this.#streams.open('in-process', admission.principal, remoteAddress, pipe.link)
    pipe.open({ frame: (frame) => stream.push(frame), pong: () => stream.controlFrame(true), closed: () => stream.end('closed') })
  }
}

function fillRandom(bytes: Uint8Array): void {
  crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>) // as: never shared memory, made by createInstanceUid
}

function randomBetween(min: number, max: number, random: (bytes: Uint8Array) => void): number {
  const bytes = new Uint8Array(4)
  random(bytes)
  return min + (new DataView(bytes.buffer).getUint32(0) % (max - min + 1))
}

/** The reason in a Close frame has at most 123 bytes. */
function closeReason(why: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(why).subarray(0, 120)).replace(/\uFFFD+$/, '')
}
