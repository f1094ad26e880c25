/** Our client with a handler that remembers everything, set up as the agents of these suites are. */
import { create } from '@bufbuild/protobuf'
import { memoryStore, openOpampClient } from '@drover/client'
import type {
  ClientHandler,
  ClientStore,
  Clock,
  ConnectionSettings,
  ConnectionStatus,
  LogFields,
  LogLevel,
  OpampClient,
  OpampClientOptions,
} from '@drover/client'
import { RemoteConfigStatusSchema, RemoteConfigStatuses } from '@drover/protocol'
import type { AgentCapability, AgentRemoteConfig, ConnectionSettingsOffers, CustomMessage, InstanceUid } from '@drover/protocol'
import { components, description, effectiveConfig, everyCapability, health } from './agent-values.ts'
import type { Transport } from './agent-values.ts'
import type { ScriptedServer } from './scripted-server.ts'
import { Watch } from './watch.ts'

export interface AgentOptions extends Partial<Omit<OpampClientOptions, 'settings' | 'handler'>> {
  readonly settings?: Partial<ConnectionSettings>
  /** Besides remembering. */
  readonly handler?: ClientHandler
  /** Instead of setting every part to what these suites report. */
  readonly prepare?: (client: OpampClient) => void
}

export type OtherSettings = Pick<ConnectionSettingsOffers, 'ownMetrics' | 'ownTraces' | 'ownLogs' | 'otherConnections'>

export interface LogEntry {
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

/** Quick attempts, so that tests are. */
export const quickRetry = { baseMs: 20, maxMs: 200, overloadMs: 50 } as const

export class AgentUnderTest implements AsyncDisposable {
  readonly configs: AgentRemoteConfig[] = []
  readonly settingsOffers: OtherSettings[] = []
  readonly customMessages: CustomMessage[] = []
  readonly serverCustomCapabilities: (readonly string[])[] = []
  readonly uids: InstanceUid[] = []
  readonly statuses: ConnectionStatus[] = []
  readonly adopted: ConnectionSettings[] = []
  readonly logged: LogEntry[] = []
  restarts = 0
  readonly #watch = new Watch(() => `saw ${this.statuses.map(({ state }) => state).join(', ')}; logged ${this.logged.map(({ message }) => message).join('; ')}`)
  #client: OpampClient | undefined

  get client(): OpampClient {
    if (this.#client === undefined) throw new Error('not open yet')
    return this.#client
  }

  /** Opened and started. */
  static async start(
    server: ScriptedServer | { url(transport: Transport): string },
    transport: Transport,
    options: AgentOptions = {},
  ): Promise<AgentUnderTest> {
    return AgentUnderTest.startAt(server.url(transport), options)
  }

  static async startAt(endpoint: string, options: AgentOptions = {}): Promise<AgentUnderTest> {
    const agent = new AgentUnderTest()
    const { settings, handler = {}, prepare = setEverything, ...rest } = options
    agent.#client = await openOpampClient({
      capabilities: everyCapability,
      store: memoryStore(),
      retry: quickRetry,
      ...rest,
      settings: { ...plainSettings(endpoint), ...settings },
      log: (level, message, fields) => agent.#watch.note(() => agent.logged.push({ level, message, fields })),
      handler: agent.#handler(handler),
    })
    prepare(agent.#client)
    agent.#client.start()
    return agent
  }

  #handler(own: ClientHandler): ClientHandler {
    const note = (remember: () => void) => this.#watch.note(remember)
    return {
      ...own,
      onRemoteConfig: (offer) => {
        note(() => this.configs.push(offer))
        own.onRemoteConfig?.(offer)
      },
      onConnectionSettings: async (offer) => {
        note(() => this.settingsOffers.push(offer))
        await own.onConnectionSettings?.(offer)
      },
      onRestart: () => note(() => (this.restarts += 1)),
      onCustomMessage: (message) => note(() => this.customMessages.push(message)),
      onServerCustomCapabilities: (names) => note(() => this.serverCustomCapabilities.push(names)),
      onInstanceUid: (uid) => note(() => this.uids.push(uid)),
      onConnectionStatus: (status) => note(() => this.statuses.push(status)),
      onConnectionSettingsAdopted: (settings) => note(() => this.adopted.push(settings)),
    }
  }

  until<T>(look: () => T | undefined, what: string): Promise<T> {
    return this.#watch.until(look, what)
  }

  /** Once `count` things are in the list. */
  async untilCount(list: readonly unknown[], count: number, what: string): Promise<void> {
    await this.until(() => (list.length >= count ? true : undefined), what)
  }

  untilStatus<State extends ConnectionStatus['state']>(state: State): Promise<Extract<ConnectionStatus, { state: State }>> {
    const isIt = (status: ConnectionStatus): status is Extract<ConnectionStatus, { state: State }> => status.state === state
    return this.until(() => this.statuses.find(isIt), `status ${state}`)
  }

  /** Answers an offer as an agent would that could use it, or could not. */
  report(offer: AgentRemoteConfig, status: 'APPLIED' | 'APPLYING' | 'FAILED', errorMessage = ''): void {
    const value = RemoteConfigStatuses[`RemoteConfigStatuses_${status}`]
    this.client.setRemoteConfigStatus(create(RemoteConfigStatusSchema, { lastRemoteConfigHash: offer.configHash, status: value, errorMessage }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]()
  }
}

export function plainSettings(endpoint: string): ConnectionSettings {
  return { endpoint, headers: [], tls: {}, proxy: { kind: 'none' }, heartbeatIntervalSeconds: 30 }
}

export function setEverything(client: OpampClient): void {
  client.setAgentDescription(description())
  client.setHealth(health())
  client.setEffectiveConfig(effectiveConfig())
  client.setAvailableComponents(components(true))
}

export const withoutCapability = (missing: AgentCapability) => everyCapability.filter((name) => name !== missing)

/** Certificates are taken only where they can be kept; a test's process lives long enough. */
export const durableStore = (): ClientStore => ({ ...memoryStore(), isDurable: true })

/** A clock that runs faster than the real one, for time limits that only the client's own timers hold. */
export function fasterClock(factor: number): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now() * factor,
    setTimeout: (callback, delayMs) => setTimeout(callback, delayMs / factor),
    clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout), // as: only what setTimeout above returned is given back
  }
}
