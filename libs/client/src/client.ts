/** The contract of an OpAMP client: what an Agent tells it, and what it tells the Agent. */
import type {
  AgentCapability,
  AgentDescription,
  AgentRemoteConfig,
  AvailableComponents,
  CapabilitySet,
  ComponentHealth,
  ConnectionSettingsOffers,
  CustomMessage,
  EffectiveConfig,
  InstanceUid,
  PackagesAvailable,
  PackageStatuses,
  RemoteConfigStatus,
  ServerCapability,
} from '@drover/protocol'
import type { Clock } from './clock.ts'
import type { ClientLimits, RetryPolicy } from './limits.ts'
import type { ClientLog } from './log.ts'
import type { ClientStore } from './store.ts'

/** Given to `openOpampClient`, which reads the store and settles with a client that is not yet started. */
export interface OpampClientOptions {
  /**
   * As configured by hand. Settings that a Server offered and that were proven take their place, also after a restart, until other
   * settings are configured here.
   */
  readonly settings: ConnectionSettings
  /** Given, it wins over the stored one; neither: a new UUID v7. The one in use is always stored. */
  readonly instanceUid?: InstanceUid
  /** ReportsStatus is always added. */
  readonly capabilities: readonly AgentCapability[]
  readonly store: ClientStore
  readonly handler: ClientHandler
  /** Try also offered settings that protect less than the present ones: no TLS, no verification, more authorities. Default false. */
  readonly allowWeakerTls?: boolean
  /** Where the proxy variables are looked up when the settings say `environment`; by default nowhere. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly clock?: Clock
  readonly random?: (bytes: Uint8Array<ArrayBuffer>) => void
  readonly log?: ClientLog
  readonly limits?: Partial<ClientLimits>
  readonly retry?: Partial<RetryPolicy>
}

/** Where and how to connect. A whole: an offer makes a new one, and the old one is kept until the new one is proven. */
export interface ConnectionSettings {
  /** `ws:`, `wss:`, `http:` or `https:`; the scheme selects the transport. */
  readonly endpoint: string
  /** A name may have several values. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly tls: TlsSettings
  readonly proxy: ProxySettings
  /** Interval of heartbeats, and of polls over plain HTTP; 0: no heartbeats (WebSocket only). */
  readonly heartbeatIntervalSeconds: number
}

/** PEM texts throughout. */
export interface TlsSettings {
  /** Authorities to trust; absent: the system's. */
  readonly ca?: string
  /** Trust the system's authorities besides `ca`. */
  readonly includeSystemCa?: boolean
  readonly cert?: string
  readonly key?: string
  readonly insecureSkipVerify?: boolean
  /** Name to verify instead of the endpoint's host. */
  readonly serverName?: string
  readonly minVersion?: TlsVersion
  readonly maxVersion?: TlsVersion
  readonly cipherSuites?: readonly string[]
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

/** `environment`: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY decide for each connection. */
export type ProxySettings =
  | { readonly kind: 'environment' }
  | { readonly kind: 'none' }
  | { readonly kind: 'url'; readonly url: string; readonly connectHeaders: readonly (readonly [name: string, value: string])[] }

/** How the connection stands, for people and for health. */
export type ConnectionStatus =
  | { readonly state: 'stopped' }
  /** `lastError`: why the attempt before failed. */
  | { readonly state: 'connecting'; readonly endpoint: string; readonly attempt: number; readonly lastError?: string }
  | { readonly state: 'connected'; readonly endpoint: string; readonly since: number; readonly serverCapabilities: CapabilitySet<ServerCapability> }
  /** Not connected (HTTP: the last exchange failed); the next attempt is due at `retryAt` (ms since 1970). */
  | { readonly state: 'waiting'; readonly endpoint: string; readonly retryAt: number; readonly lastError: string }

/** What the Server wants of the Agent. Every method may be left out; what it would serve must then not be in `capabilities`. */
export interface ClientHandler {
  /**
   * A configuration was offered. Answer by `setRemoteConfigStatus`, APPLYING first if it takes time. Calls come one after another; a newer
   * offer may come before the older one was answered. An offer with the hash of the last status is answered by that status here, and the
   * handler does not hear of it, unless the status is FAILED: a Server that offers it again after it heard so means it (somebody asked to
   * retry). The first status set after a call is sent even when it equals the last one.
   */
  onRemoteConfig?(offer: AgentRemoteConfig): void
  /**
   * Settings other than those of the OpAMP connection: own telemetry and other connections. Absent parts stay as they are. The promise
   * rejects when they cannot be used: the Server gets FAILED with the message. OpAMP settings are the client's own business.
   */
  onConnectionSettings?(offer: Pick<ConnectionSettingsOffers, 'ownMetrics' | 'ownTraces' | 'ownLogs' | 'otherConnections'>): Promise<void>
  /** Says why offered OpAMP settings must not even be tried; `undefined`: they may. */
  refuseConnectionSettings?(candidate: ConnectionSettings, current: ConnectionSettings): string | undefined
  onPackagesAvailable?(offer: PackagesAvailable): void
  onRestart?(): void
  onCustomMessage?(message: CustomMessage): void
  /** The Server's list of custom capabilities, whenever it sends one. */
  onServerCustomCapabilities?(capabilities: readonly string[]): void
  /** The Server assigned another uid; it is stored and in use already. Attributes derived from it should be set anew. */
  onInstanceUid?(uid: InstanceUid): void
  onConnectionStatus?(status: ConnectionStatus): void
  /** Proven settings took the place of the former ones and are stored. */
  onConnectionSettingsAdopted?(settings: ConnectionSettings): void
}

/**
 * One Agent's connection to its Server: keeps the newest state of each kind, reports what changed, obeys what is offered.
 * Setters may be called at any time, also before `start` and without a connection: the newest value of each kind is sent when it can be.
 * Setting a value equal to the present one sends nothing.
 */
export interface OpampClient extends AsyncDisposable {
  readonly instanceUid: InstanceUid
  readonly status: ConnectionStatus
  /** The proven settings in use. */
  readonly settings: ConnectionSettings
  /** Begins to connect; returns at once. The description must be set, and the health where ReportsHealth is promised. Once only. */
  start(): void
  /** Sends what is waiting and `agent_disconnect`, does the closing handshake, and settles after at most `graceMs` (default 5,000). Again: the same promise. */
  stop(graceMs?: number): Promise<void>
  setCapabilities(capabilities: readonly AgentCapability[]): void
  setAgentDescription(description: AgentDescription): void
  setHealth(health: ComponentHealth): void
  setEffectiveConfig(config: EffectiveConfig): void
  /** The hash must not be empty unless the status is UNSET. The status is stored: after a restart it is in the first report. */
  setRemoteConfigStatus(status: RemoteConfigStatus): void
  setPackageStatuses(statuses: PackageStatuses): void
  setCustomCapabilities(capabilities: readonly string[]): void
  /** All components; the Server gets the hash, and the rest when it asks. An empty hash is computed here. */
  setAvailableComponents(components: AvailableComponents): void
  /** Headers that change, such as a rotated token: asked before each connection attempt and each request, after the settings' own. */
  setHeaderSource(source: () => readonly (readonly [name: string, value: string])[]): void
  /**
   * Resolves when it was handed to the transport (plain HTTP: when it was answered). Waits for a connection. Rejects with a ClientError: `not-announced` when
   * our own custom capabilities lack its capability, `unsupported` when the Server's do, `full` when 64 wait already.
   */
  sendCustomMessage(message: CustomMessage): Promise<void>
  /**
   * Asks for a certificate (PEM CSR, and the PEM key it was signed with: the key never leaves, it is stored until the certificate comes).
   * Settles when the Server decides, which may take hours: resolves with its offer, which is then tried as any offered settings are;
   * rejects when the Server does not take requests, answers BAD_REQUEST, or the connection is not safe for it. A later call replaces an earlier one.
   */
  requestCertificate(csr: Uint8Array, privateKey: string): Promise<void>
  /** Asks the Server for another uid. */
  requestInstanceUid(): void
}
