/** A small OpAMP server of a test's own: shows what a supervisor reports, and offers what the control plane does not offer yet. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { attributesToText, mergeStatus, parseInstanceUid } from '@drover/protocol'
import type { AgentStatus, AgentToServer, CapabilitySet, AgentCapability, CustomMessage, RemoteConfigStatuses } from '@drover/protocol'
import { createOpampServer, prepareRemoteConfig } from '@drover/server'
import type { ConnectionInfo, Offer, OpampServer } from '@drover/server'
import { configHash, toHex } from '@drover/protocol'

/** What one supervisor said so far. */
export interface SeenAgent {
  readonly uid: string
  readonly status: AgentStatus
  readonly capabilities: CapabilitySet<AgentCapability>
  /** Each report that said something, oldest first. */
  readonly reports: readonly AgentToServer[]
  /** Each status of a configuration, oldest first. */
  readonly configStatuses: readonly { readonly hash: string; readonly status: RemoteConfigStatuses; readonly errorMessage: string }[]
  readonly customMessages: readonly CustomMessage[]
  /** Since the peer started. */
  readonly connects: number
  readonly connection: ConnectionInfo | undefined
  /** Why earlier connections ended. */
  readonly goodbyes: readonly string[]
}

export interface PeerOptions {
  readonly port?: number
  /** PEM texts; with them the peer speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Only requests with `authorization: Bearer <token>` are let in. */
  readonly token?: string
  readonly customCapabilities?: readonly string[]
}

interface Seen extends SeenAgent {
  status: AgentStatus
  capabilities: CapabilitySet<AgentCapability>
  readonly reports: AgentToServer[]
  readonly configStatuses: { readonly hash: string; readonly status: RemoteConfigStatuses; readonly errorMessage: string }[]
  readonly customMessages: CustomMessage[]
  connects: number
  connection: ConnectionInfo | undefined
  readonly goodbyes: string[]
}

const waitLimitMs = 60_000

export class OpampPeer implements AsyncDisposable {
  readonly #options: PeerOptions
  readonly #agents = new Map<string, Seen>()
  readonly #listeners = new Set<() => void>()
  readonly #greetings = new Map<string, Offer>()
  #opamp: OpampServer | undefined
  #http: Server | undefined
  #port: number
  /** Headers of each accepted or refused request. */
  readonly requests: { readonly authorization: string | undefined; readonly headers: Readonly<Record<string, string | undefined>> }[] = []
  refused = 0
  heartbeats = 0

  private constructor(options: PeerOptions) {
    this.#options = options
    this.#port = options.port ?? 0
  }

  static async start(options: PeerOptions = {}): Promise<OpampPeer> {
    const peer = new OpampPeer(options)
    await peer.listen()
    return peer
  }

  /** E.g. `ws://127.0.0.1:1234/v1/opamp`. */
  get url(): string {
    return `${this.#options.tls === undefined ? 'ws' : 'wss'}://127.0.0.1:${this.#port}/v1/opamp`
  }

  get httpUrl(): string {
    return this.url.replace(/^ws/, 'http')
  }

  /** Starts to listen, again at the same place after `close`. What was seen stays. */
  async listen(): Promise<void> {
    this.#opamp = createOpampServer({
      capabilities: ['AcceptsStatus', 'AcceptsEffectiveConfig', 'OffersRemoteConfig', 'OffersConnectionSettings'],
      ...(this.#options.customCapabilities === undefined ? {} : { customCapabilities: this.#options.customCapabilities }),
      observe: {
        received: ({ kind }) => {
          if (kind === 'heartbeat') this.heartbeats += 1
          this.#changed()
        },
      },
      handler: {
        authenticate: ({ headers }) => {
          this.requests.push({ authorization: headers['authorization'], headers })
          const { token } = this.#options
          if (token === undefined || headers['authorization'] === `Bearer ${token}`) return { kind: 'accept', principal: 'supervisor' }
          this.refused += 1
          this.#changed()
          return { kind: 'reject', status: 401, message: 'not you' }
        },
        onReport: ({ uid, message, capabilities, connection, first, complete }) => {
          const seen = this.#see(uid)
          record(seen, message)
          seen.capabilities = capabilities
          seen.connection = connection
          if (first) seen.connects += 1
          this.#changed()
          const greeting = complete ? this.#greetings.get(uid) : undefined
          if (greeting !== undefined) this.#greetings.delete(uid)
          return greeting
        },
        onDisconnect: ({ uid, reason, connection }) => {
          const seen = this.#see(uid)
          seen.goodbyes.push(reason)
          if (seen.connection?.id === connection.id) seen.connection = undefined
          this.#changed()
        },
        onDuplicate: () => undefined,
      },
    })
    const { tls } = this.#options
    this.#http = tls === undefined ? createServer() : createTlsServer({ cert: tls.cert, key: tls.key })
    this.#opamp.attach(this.#http)
    this.#http.listen(this.#port, '127.0.0.1')
    await once(this.#http, 'listening')
    this.#port = (this.#http.address() as AddressInfo).port // as: a TCP listener's address is never text
  }

  /** Goes away at once, as a server that crashed. */
  async close(): Promise<void> {
    await this.#opamp?.drain(0)
    this.#http?.closeAllConnections()
    const closed = this.#http === undefined ? undefined : once(this.#http, 'close')
    this.#http?.close()
    await closed
    this.#http = undefined
  }

  #see(uid: string): Seen {
    const known = this.#agents.get(uid)
    if (known !== undefined) return known
    const seen = emptyAgent(uid)
    this.#agents.set(uid, seen)
    return seen
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }

  agent(uid: string): SeenAgent {
    return this.#see(uid)
  }

  get agents(): readonly SeenAgent[] {
    return [...this.#agents.values()]
  }

  offer(uid: string, offer: Offer): void {
    const result = this.#opamp?.offer(parseInstanceUid(uid), offer)
    if (result === 'absent' || result === undefined) throw new Error(`${uid} is not connected, or takes nothing of ${Object.keys(offer).join(', ')}`)
  }

  /** Offers with the answer to the next complete report: the way to an agent that polls. */
  greet(uid: string, offer: Offer): void {
    this.#greetings.set(uid, offer)
  }

  /** Offers configuration files and returns their hash in hex. */
  offerConfig(uid: string, files: Readonly<Record<string, string>>): string {
    const { offer, hash } = configOffer(files)
    this.offer(uid, offer)
    return hash
  }

  /** Looks now and after each message until `look` gives something; throws with what was last said. */
  async until<T>(uid: string, look: (agent: SeenAgent) => T | undefined | false, options: { what: string; timeoutMs?: number }): Promise<T> {
    const found = await this.within(uid, look, options.timeoutMs ?? waitLimitMs)
    if (found !== undefined) return found
    throw new Error(`${options.what}: not within ${options.timeoutMs ?? waitLimitMs} ms; last seen: ${describe(this.agent(uid))}`)
  }

  /** The same; undefined when the time passed. */
  async within<T>(uid: string, look: (agent: SeenAgent) => T | undefined | false, timeoutMs: number): Promise<T | undefined> {
    const { promise, resolve } = Promise.withResolvers<T | undefined>()
    const check = () => {
      const found = look(this.agent(uid))
      if (found !== undefined && found !== false) resolve(found)
    }
    const timer = setTimeout(() => resolve(undefined), timeoutMs)
    this.#listeners.add(check)
    check()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#listeners.delete(check)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function emptyAgent(uid: string): Seen {
  return {
    uid,
    status: {},
    capabilities: { has: () => false, names: () => [], mask: 0n, equals: () => false },
    reports: [],
    configStatuses: [],
    customMessages: [],
    connects: 0,
    connection: undefined,
    goodbyes: [],
  }
}

function record(seen: Seen, message: AgentToServer): void {
  seen.status = mergeStatus(seen.status, message)
  seen.reports.push(message)
  const { remoteConfigStatus: status, customMessage } = message
  if (customMessage !== undefined) seen.customMessages.push(customMessage)
  if (status === undefined) return
  const value = { hash: toHex(status.lastRemoteConfigHash), status: status.status, errorMessage: status.errorMessage }
  const last = seen.configStatuses.at(-1)
  if (last?.hash !== value.hash || last.status !== value.status || last.errorMessage !== value.errorMessage) seen.configStatuses.push(value)
}

/** Makes an offer of configuration files. */
export function configOffer(files: Readonly<Record<string, string>>): { offer: Offer; hash: string } {
  const list = Object.entries(files).map(([name, body]) => ({ name, contentType: 'text/yaml', body: new TextEncoder().encode(body) }))
  const hash = configHash(list)
  return { offer: { remoteConfig: prepareRemoteConfig(list, hash) }, hash: toHex(hash) }
}

export function effectiveText(agent: SeenAgent): string {
  return new TextDecoder().decode(agent.status.effectiveConfig?.configMap?.configMap['']?.body)
}

export function attributesOf(agent: SeenAgent): ReadonlyMap<string, string> {
  const { identifyingAttributes = [], nonIdentifyingAttributes = [] } = agent.status.agentDescription ?? {}
  return attributesToText([...identifyingAttributes, ...nonIdentifyingAttributes])
}

export function describe(agent: SeenAgent): string {
  const { health, remoteConfigStatus } = agent.status
  return JSON.stringify({
    connected: agent.connection !== undefined,
    connects: agent.connects,
    healthy: health?.healthy,
    lastError: health?.lastError,
    configStatus: remoteConfigStatus?.status,
    configError: remoteConfigStatus?.errorMessage,
    reports: agent.reports.length,
    goodbyes: agent.goodbyes,
  })
}
