/** The client itself: joins the session, the connection, the store and the handler. */
import { create } from '@bufbuild/protobuf'
import {
  type AgentCapability,
  type AgentDescription,
  type AgentStatus,
  type AvailableComponents,
  type ComponentHealth,
  createInstanceUid,
  CustomCapabilitiesSchema,
  type CustomMessage,
  type EffectiveConfig,
  type InstanceUid,
  type PackageStatuses,
  type RemoteConfigStatus,
  RemoteConfigStatuses,
  RemoteConfigStatusSchema,
  type StatusPart,
} from '@drover/protocol'
import type { ClientHandler, ConnectionSettings, ConnectionStatus, OpampClient, OpampClientOptions } from './client.ts'
import { type Clock, systemClock } from './clock.ts'
import { CertificateRequests } from './certificate-requests.ts'
import { CustomMessages } from './custom-messages.ts'
import { ConnectionDriver } from './driver.ts'
import { isSafeForSecrets, parseEndpoint } from './endpoint.ts'
import { type ClientLimits, defaultClientLimits, defaultRetryPolicy, type RetryPolicy } from './limits.ts'
import type { ClientLog } from './log.ts'
import { Memory } from './memory.ts'
import { createConnector } from './proxy/connector.ts'
import { retryDelayMs } from './retry.ts'
import type { PartValue } from './session/parts.ts'
import type { Instruction } from './session/receive.ts'
import { createSession, releaseWithheld, requestUid, type Session, setCapabilities, setPart } from './session/session.ts'
import { heartbeatFromOffer } from './settings/from-offer.ts'
import { type OtherOffers, SettingsDriver } from './settings-driver.ts'
import type { Channel } from './transport/channel.ts'
import type { HeaderList } from './transport/redirect.ts'

/** Over plain HTTP, where an interval of 0 says nothing. */
const defaultPollSeconds = 30
/** The longest that a timer of Node can wait. */
const maxIntervalSeconds = 2_147_483

/**
 * Reads the store and settles with a client that is not yet started. Rejects with a TypeError when the endpoint cannot be used, and with the store's
 * error when it cannot be read: beginning with another instance uid or former settings would be worse than not beginning.
 */
export async function openOpampClient(options: OpampClientOptions): Promise<OpampClient> {
  const { settings, clock = systemClock, random = defaultRandom, log = () => undefined, store } = options
  try {
    parseEndpoint(settings.endpoint)
  } catch (cause) {
    throw new TypeError((cause as Error).message, { cause }) // as: a ChannelError
  }
  const memory = new Memory(store, log)
  const uid = options.instanceUid ?? (await memory.instanceUid()) ?? createInstanceUid(clock.now(), random)
  await memory.keepInstanceUid(uid)
  const remoteConfigStatus = await memory.remoteConfigStatus()
  const limits = { ...defaultClientLimits, ...options.limits }
  const retry = { ...defaultRetryPolicy, ...options.retry }
  const { trialMs } = limits
  const settingsDriver = await SettingsDriver.load(settings, { store, clock, log, trialMs, allowWeakerTls: options.allowWeakerTls ?? false })
  const values: AgentStatus = { ...(remoteConfigStatus && { remoteConfigStatus }), connectionSettingsStatus: settingsDriver.status }
  const session = createSession({ uid, capabilities: options.capabilities, values })
  const certificateKey = await CertificateRequests.storedKey(store)
  return new Client({ ...options, clock, random, log, limits, retry, memory, settingsDriver, certificateKey }, session)
}

function defaultRandom(bytes: Uint8Array<ArrayBuffer>): void {
  crypto.getRandomValues(bytes)
}

interface ClientTools extends OpampClientOptions {
  readonly clock: Clock
  readonly random: (bytes: Uint8Array<ArrayBuffer>) => void
  readonly log: ClientLog
  readonly limits: ClientLimits
  readonly retry: RetryPolicy
  readonly memory: Memory
  readonly settingsDriver: SettingsDriver
  readonly certificateKey: string | undefined
}

class Client implements OpampClient {
  readonly #handler: ClientHandler
  readonly #log: ClientLog
  readonly #memory: Memory
  readonly #settings: SettingsDriver
  readonly #driver: ConnectionDriver
  readonly #customMessages: CustomMessages
  readonly #certificates: CertificateRequests
  #session: Session
  #status: ConnectionStatus = { state: 'stopped' }
  #headerSource: () => HeaderList = () => []
  /** Told to an agent that takes no OpAMP settings. */
  #offeredIntervalSeconds: number | undefined
  #state: 'new' | 'started' | 'stopped' = 'new'
  #stopped: Promise<void> | undefined

  constructor(tools: ClientTools, session: Session) {
    const { clock, limits, retry, log, handler, random, env = {}, store } = tools
    this.#handler = handler
    this.#log = log
    this.#memory = tools.memory
    this.#settings = tools.settingsDriver
    this.#session = session
    const access = { session: () => this.#session, update: (next: Session) => void (this.#session = next), changed: () => this.#driver.changed() }
    this.#customMessages = new CustomMessages(limits.maxCustomMessages, access)
    this.#certificates = new CertificateRequests(access, { store, log, isSafe: () => isSafeForSecrets(this.settings) }, tools.certificateKey)
    this.#driver = new ConnectionDriver({
      ...access,
      clock,
      limits,
      log,
      retry,
      random: () => fraction(random),
      settings: () => this.settings,
      createConnector: (from) => createConnector(from, env, { proxyTimeoutMs: limits.connectTimeoutMs }),
      headers: ({ headers }) => [...headers, ...this.#headerSource()],
      heartbeatMs: (transport, unproven) => this.#heartbeatMs(transport, unproven),
      perform: (instruction) => this.#perform(instruction),
      customMessageDone: (message, outcome) => this.#customMessages.done(message, outcome),
      statusChanged: (status) => this.#statusChanged(status),
      connected: () => this.#connected(),
    })
    this.#settings.bind({
      tryOut: (candidate, options) => this.#driver.tryOut(candidate, options),
      reconnect: () => this.#driver.reconnect(),
      retryDelayMs: (failures) => retryDelayMs({ failures, isOverload: false, retryAfterMs: undefined }, retry, fraction(random)),
      report: (status) => this.#set('connectionSettingsStatus', status),
      applyRest: (offer) => this.#applyRest(offer),
      refuse: (candidate, current) => handler.refuseConnectionSettings?.(candidate, current),
      adopted: (adopted, isNewConnection) => this.#settingsAdopted(adopted, isNewConnection),
      pendingKeys: () => this.#certificates.keys,
    })
  }

  get instanceUid(): InstanceUid {
    return this.#session.uid
  }

  get status(): ConnectionStatus {
    const { serverCapabilities } = this.#session
    // A Server whose first answer was an error tells them later.
    return this.#status.state === 'connected' && serverCapabilities !== undefined ? { ...this.#status, serverCapabilities } : this.#status
  }

  get settings(): ConnectionSettings {
    return this.#settings.current
  }

  start(): void {
    if (this.#state !== 'new') throw new TypeError('a client is started once')
    const { values, capabilities } = this.#session
    if (values.agentDescription === undefined) throw new TypeError('set the agent description before the start')
    if (capabilities.has('ReportsHealth') && values.health === undefined) throw new TypeError('set the health before the start, as ReportsHealth is promised')
    this.#state = 'started'
    // A candidate that was on trial when the process ended is the first to be tried.
    this.#settings.resume()
    this.#driver.start()
  }

  stop(graceMs: number = 5_000): Promise<void> {
    this.#stopped ??= this.#stop(graceMs)
    return this.#stopped
  }

  async #stop(graceMs: number): Promise<void> {
    const wasStarted = this.#state === 'started'
    this.#state = 'stopped'
    if (wasStarted) await Promise.all([this.#driver.stop(graceMs), this.#settings.stop()])
    this.#customMessages.stop()
    this.#certificates.stop()
    await this.#memory.settled()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  setCapabilities(capabilities: readonly AgentCapability[]): void {
    this.#change(setCapabilities(this.#session, capabilities))
    this.#driver.intervalChanged()
  }

  setAgentDescription(description: AgentDescription): void {
    this.#set('agentDescription', description)
  }

  setHealth(health: ComponentHealth): void {
    this.#set('health', health)
  }

  setEffectiveConfig(config: EffectiveConfig): void {
    this.#set('effectiveConfig', config)
  }

  setRemoteConfigStatus(status: RemoteConfigStatus): void {
    if (status.status !== RemoteConfigStatuses.RemoteConfigStatuses_UNSET && status.lastRemoteConfigHash.length === 0)
      throw new TypeError('a remote config status needs the hash of the configuration')
    const before = this.#session.values.remoteConfigStatus
    this.#set('remoteConfigStatus', status)
    const after = this.#session.values.remoteConfigStatus
    if (after !== undefined && after !== before) this.#memory.keepRemoteConfigStatus(after)
  }

  setPackageStatuses(statuses: PackageStatuses): void {
    this.#set('packageStatuses', statuses)
  }

  setCustomCapabilities(capabilities: readonly string[]): void {
    this.#set('customCapabilities', create(CustomCapabilitiesSchema, { capabilities: [...capabilities] }))
  }

  setAvailableComponents(components: AvailableComponents): void {
    this.#set('availableComponents', components)
  }

  setHeaderSource(source: () => HeaderList): void {
    this.#headerSource = source
  }

  sendCustomMessage(message: CustomMessage): Promise<void> {
    return this.#customMessages.send(message)
  }

  requestCertificate(csr: Uint8Array, privateKey: string): Promise<void> {
    return this.#certificates.request(csr, privateKey)
  }

  requestInstanceUid(): void {
    this.#change(requestUid(this.#session))
  }

  #set<Part extends StatusPart>(part: Part, value: PartValue<Part>): void {
    this.#change(setPart(this.#session, part, value))
  }

  #change(next: Session): void {
    if (next === this.#session) return
    this.#session = next
    this.#driver.changed()
  }

  #heartbeatMs(transport: Channel['transport'], unproven: ConnectionSettings | undefined): number | undefined {
    const configured = (unproven ?? this.#settings.current).heartbeatIntervalSeconds
    const seconds = Math.min(this.#offeredIntervalSeconds ?? configured, maxIntervalSeconds)
    if (transport === 'http') return (seconds > 0 ? seconds : defaultPollSeconds) * 1000
    return seconds > 0 && this.#session.capabilities.has('ReportsHeartbeat') ? seconds * 1000 : undefined
  }

  #connected(): void {
    this.#customMessages.dropUnsupported()
    this.#certificates.connected()
  }

  #statusChanged(status: ConnectionStatus): void {
    this.#status = status
    this.#tell(() => this.#handler.onConnectionStatus?.(status))
  }

  async #applyRest(offer: OtherOffers): Promise<void> {
    if (this.#handler.onConnectionSettings === undefined) throw new TypeError('the agent takes no settings of other connections')
    await this.#handler.onConnectionSettings(offer)
  }

  #settingsAdopted(settings: ConnectionSettings, isNewConnection: boolean): void {
    this.#offeredIntervalSeconds = undefined
    if (isNewConnection) {
      // Another Server may take what the former one found too large.
      this.#change(releaseWithheld(this.#session))
      void this.#certificates.forgetKey()
    }
    this.#driver.intervalChanged()
    this.#tell(() => this.#handler.onConnectionSettingsAdopted?.(settings))
  }

  #perform(instruction: Instruction): void {
    switch (instruction.kind) {
      case 'instance-uid':
        return void this.#renamed(instruction.uid)
      case 'remote-config':
        return this.#takeConfig(instruction)
      case 'connection-settings':
        return this.#settings.offered(instruction.offer)
      case 'heartbeat-interval':
        this.#offeredIntervalSeconds = heartbeatFromOffer(instruction.offer, this.settings) ?? this.#offeredIntervalSeconds
        return this.#driver.intervalChanged()
      case 'packages':
        return this.#tell(() => this.#handler.onPackagesAvailable?.(instruction.offer))
      case 'server-custom-capabilities':
        this.#customMessages.dropUnsupported()
        return this.#tell(() => this.#handler.onServerCustomCapabilities?.(instruction.capabilities))
      case 'custom-message':
        return this.#tell(() => this.#handler.onCustomMessage?.(instruction.message))
      case 'restart':
        return this.#tell(() => this.#handler.onRestart?.())
      case 'certificate-answered':
        return this.#certificates.answered()
      case 'certificate-refused':
        return this.#certificates.refused()
      case 'rejected':
        this.#log('warn', 'The server rejected a message', { type: instruction.type })
        return this.#log('debug', 'Why the server rejected a message', { reason: instruction.text })
      case 'ignored':
        return this.#log('warn', 'A part of a message was ignored', { reason: instruction.reason })
      case 'unavailable':
        return // The conversation ends by itself.
      default:
        throw new TypeError(`not an instruction: ${String(instruction satisfies never)}`)
    }
  }

  /** In use at once; told when it is stored. */
  async #renamed(uid: InstanceUid): Promise<void> {
    await this.#memory
      .keepInstanceUid(uid)
      .catch((error: unknown) => this.#log('error', 'The assigned instance uid could not be stored', { reason: textOf(error) }))
    this.#tell(() => this.#handler.onInstanceUid?.(uid))
  }

  #takeConfig({ offer }: Extract<Instruction, { readonly kind: 'remote-config' }>): void {
    this.#tell(
      () => this.#handler.onRemoteConfig?.(offer),
      () =>
        // Silence would leave the Server waiting.
        this.setRemoteConfigStatus(
          create(RemoteConfigStatusSchema, {
            lastRemoteConfigHash: offer.configHash,
            status: RemoteConfigStatuses.RemoteConfigStatuses_FAILED,
            errorMessage: 'the agent failed to take in the configuration',
          }),
        ),
    )
  }

  /** The handler's mistakes are not the connection's. */
  #tell(call: () => void, failed: () => void = () => undefined): void {
    try {
      call()
    } catch (error) {
      this.#log('error', 'The handler failed', { reason: textOf(error) })
      failed()
    }
  }
}

function fraction(random: (bytes: Uint8Array<ArrayBuffer>) => void): number {
  const bytes = new Uint8Array(4)
  random(bytes)
  return new DataView(bytes.buffer).getUint32(0) / 2 ** 32
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
