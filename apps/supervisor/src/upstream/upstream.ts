/** Speaks to the Server for the agent: what is wanted of it comes in as plain calls, how it is goes out. */
import { create } from '@bufbuild/protobuf'
import { type ClientHandler, type ConnectionSettings, type ConnectionStatus, folderStore, type OpampClient, openOpampClient } from '@drover/client'
import {
  type AgentCapability,
  type ComponentHealth,
  ComponentHealthSchema,
  type CustomMessage,
  type EffectiveConfig,
  EffectiveConfigSchema,
  fromHex,
  type InstanceUid,
  RemoteConfigStatusSchema,
} from '@drover/protocol'
import type { Clock } from '@drover/server'
import { join } from 'node:path'
import type { AgentEvent, AgentFacts } from '../agent/agent.ts'
import type { OfferStatus } from '../apply/apply-state.ts'
import { headerSource } from '../config/auth.ts'
import type { SupervisorConfig } from '../config/supervisor-config.ts'
import type { Log } from '../log.ts'
import type { OwnTelemetryOffer } from '../own-telemetry/offer.ts'
import { type OfferedConfig, offeredConfig } from '../state/offered-config.ts'
import { type StateFolder, storedStatuses } from '../state/state-folder.ts'
import { clientStore } from './client-store.ts'

/** What the Server wants. */
export interface UpstreamHandler {
  onOffer(offer: OfferedConfig): void
  /** Rejects when it cannot be had. */
  onOwnTelemetry(offer: OwnTelemetryOffer): Promise<void>
  onRestart(): void
  onInstanceUid(uid: InstanceUid): void
  onCustomMessage(message: CustomMessage): void
  onServerCustomCapabilities(capabilities: readonly string[]): void
  onConnection(status: ConnectionStatus): void
}

export interface UpstreamDeps {
  readonly config: SupervisorConfig
  readonly folder: StateFolder
  readonly facts: AgentFacts
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly log: Log
  readonly handler: UpstreamHandler
}

export interface Upstream {
  readonly connection: ConnectionStatus
  readonly settings: ConnectionSettings
  /** The health that was told last. */
  readonly health: ComponentHealth
  start(): void
  /** What the agent says of itself. */
  tell(event: AgentEvent): void
  tellStatus(status: OfferStatus): void
  /** What the agent cannot say itself. */
  tellHealth(healthy: boolean, message: string): void
  /** It runs nothing, deliberately. */
  tellNothingRuns(): void
  /** Says goodbye: unhealthy, disconnected. */
  stop(): Promise<void>
}

/** Where connection settings that a Server offered are kept, in the storage directory. */
export const connectionFolderName = 'connection'
const heartbeatIntervalSeconds = 30

export async function openUpstream(deps: UpstreamDeps): Promise<Upstream> {
  const { config, folder, env, clock, log, handler } = deps
  const { server, drover } = config
  const client = await openOpampClient({
    settings: { ...server, heartbeatIntervalSeconds },
    instanceUid: folder.found.instanceUid,
    capabilities: capabilitiesOf(config),
    store: clientStore(folder, folderStore(join(config.storageDirectory, connectionFolderName))),
    handler: clientHandler(config, handler),
    allowWeakerTls: drover.connection.allowWeakerTls,
    limits: { trialMs: drover.connection.proofTimeoutMs },
    env,
    clock,
    log,
  })
  if (server.auth !== undefined) {
    client.setHeaderSource(
      headerSource(server.auth, { onTrouble: (message) => log('error', 'The credentials for the server cannot be read', { reason: message }) }),
    )
  }
  return new ClientUpstream(client, deps)
}

/** A Server that offers connection settings hears what became of them. */
export function capabilitiesOf({ capabilities }: SupervisorConfig): readonly AgentCapability[] {
  const all = new Set(capabilities)
  if (all.has('AcceptsOpAMPConnectionSettings')) all.add('ReportsConnectionSettingsStatus')
  return [...all]
}

function clientHandler({ capabilities }: SupervisorConfig, handler: UpstreamHandler): ClientHandler {
  return {
    onRemoteConfig: (offer) => handler.onOffer(offeredConfig(offer)),
    onConnectionSettings: async (offer) => handler.onOwnTelemetry(offer),
    ...(capabilities.has('AcceptsRestartCommand') ? { onRestart: () => handler.onRestart() } : {}),
    onInstanceUid: (uid) => handler.onInstanceUid(uid),
    onCustomMessage: (message) => handler.onCustomMessage(message),
    onServerCustomCapabilities: (list) => handler.onServerCustomCapabilities(list),
    onConnectionStatus: (status) => handler.onConnection(status),
  }
}

class ClientUpstream implements Upstream {
  readonly #client: OpampClient
  readonly #log: Log
  #health: ComponentHealth

  constructor(client: OpampClient, { facts, log }: UpstreamDeps) {
    this.#client = client
    this.#log = log
    client.setAgentDescription(facts.description)
    if (facts.components !== undefined) client.setAvailableComponents(facts.components)
    client.setEffectiveConfig(nothingEffective())
    this.#health = this.#tellHealth(create(ComponentHealthSchema, { healthy: false, lastError: 'the agent is starting', status: 'StatusStarting' }))
  }

  get connection(): ConnectionStatus {
    return this.#client.status
  }

  get settings(): ConnectionSettings {
    return this.#client.settings
  }

  get health(): ComponentHealth {
    return this.#health
  }

  start(): void {
    this.#client.start()
  }

  tell(event: AgentEvent): void {
    switch (event.kind) {
      case 'health':
        this.#tellHealth(event.health)
        return
      case 'description':
        return this.#client.setAgentDescription(event.description)
      case 'effective-config':
        return this.#client.setEffectiveConfig(event.config)
      case 'components':
        return this.#client.setAvailableComponents(event.components)
      case 'custom-capabilities':
        return this.#client.setCustomCapabilities(event.capabilities)
      case 'custom-message':
        void this.#relay(event.message)
        return
      case 'started':
      case 'crashed':
        return
      default:
        return event satisfies never
    }
  }

  tellStatus(status: OfferStatus): void {
    if (status.hash === '') return
    const errorMessage = status.status === 'failed' ? status.message : ''
    this.#client.setRemoteConfigStatus(
      create(RemoteConfigStatusSchema, { lastRemoteConfigHash: fromHex(status.hash), status: storedStatuses[status.status], errorMessage }),
    )
  }

  tellHealth(healthy: boolean, message: string): void {
    this.#tellHealth(create(ComponentHealthSchema, { healthy, lastError: message, status: healthy ? 'StatusStopped' : 'StatusFatalError' }))
  }

  tellNothingRuns(): void {
    this.#client.setEffectiveConfig(nothingEffective())
  }

  async stop(): Promise<void> {
    this.#tellHealth(create(ComponentHealthSchema, { healthy: false, lastError: 'Supervisor is shutdown', status: 'StatusStopped' }))
    await this.#client.stop()
  }

  #tellHealth(health: ComponentHealth): ComponentHealth {
    this.#health = health
    this.#client.setHealth(health)
    return health
  }

  async #relay(message: CustomMessage): Promise<void> {
    try {
      await this.#client.sendCustomMessage(message)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#log('warn', 'A custom message of the agent was not sent', { capability: message.capability, reason })
    }
  }
}

/** What runs nothing has one empty file: the protocol's form of a configuration in one piece. */
function nothingEffective(): EffectiveConfig {
  return create(EffectiveConfigSchema, { configMap: { configMap: { '': { body: new Uint8Array(), contentType: '' } } } })
}
