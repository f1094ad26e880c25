/** What a control plane implements, and the values that go up to it and come down from it. */
import type { AgentCapability, AgentToServer, CapabilitySet, ConnectionSettingsOffers, CustomMessage, InstanceUid, StatusPart } from '@drover/protocol'
import type { PreparedRemoteConfig } from './remote-config.ts'

export type Transport = 'websocket' | 'http' | 'in-process'

/** What is known of a client before its first message: everything here comes from the HTTP request. */
export interface ConnectRequest {
  readonly transport: Transport
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly remoteAddress: string
  readonly path: string
}

export type Admission =
  | { readonly kind: 'accept'; readonly principal: string }
  | { readonly kind: 'reject'; readonly status: 401 | 403 | 429 | 503; readonly message: string; readonly retryAfterSeconds?: number }

export interface ConnectionInfo {
  /** Grows with each connection: of two for one agent, the higher is the newer. */
  readonly id: number
  readonly transport: Transport
  /** Whom `authenticate` accepted. */
  readonly principal: string
  readonly remoteAddress: string
  /** Milliseconds since 1970. */
  readonly connectedAt: number
}

/** A report that says something; plain values that could cross a process border. */
export interface AgentReport {
  readonly uid: InstanceUid
  readonly connection: ConnectionInfo
  /** As decoded; an absent part is unchanged. */
  readonly message: AgentToServer
  readonly present: readonly StatusPart[]
  readonly capabilities: CapabilitySet<AgentCapability>
  /** The first report of this agent on this connection. */
  readonly first: boolean
  /**
   * Everything the capabilities promise is known since this server started. While false the agent owes its full state,
   * so what is stored of it may be out of date: no time to decide on offers.
   */
  readonly complete: boolean
  /** The agent asked for another instance uid and is being told this one. */
  readonly assignedUid?: InstanceUid
}

/** Something to deliver. Every field is a slot of its own: what waits in it is replaced by what comes later. */
export interface Offer {
  readonly remoteConfig?: PreparedRemoteConfig
  readonly connectionSettings?: ConnectionSettingsOffers
  readonly restart?: true
  readonly customMessage?: CustomMessage
  readonly newInstanceUid?: InstanceUid
  readonly reportFullState?: true
  readonly reportAvailableComponents?: true
}

export type DisconnectReason = 'agent-disconnect' | 'closed' | 'lost' | 'replaced' | 'server' | 'missed-polls'

export interface Disconnection {
  readonly uid: InstanceUid
  readonly connection: ConnectionInfo
  readonly reason: DisconnectReason
}

export interface Duplicate {
  readonly uid: InstanceUid
  readonly newUid: InstanceUid
  readonly existing: ConnectionInfo
  readonly newcomer: ConnectionInfo
}

export interface OpampHandler {
  /** Called for each WebSocket upgrade, each in-process connection and each HTTP request, before any body is read. */
  authenticate(request: ConnectRequest): Admission | Promise<Admission>
  /**
   * Called when a report carries something: the first of a connection, any status part, a request, changed capabilities.
   * Never for an unchanged heartbeat. Calls for one agent never overlap. Throwing tells the agent to come back later, and
   * the report counts as never received, so that its content is asked for again.
   */
  onReport(report: AgentReport): Offer | undefined | Promise<Offer | undefined>
  /**
   * The agent is no longer reachable on that connection. When a newer connection took its place (`replaced`) this comes before
   * the first report of the newer one, and the late close of the old one says nothing more.
   */
  onDisconnect(gone: Disconnection): void
  /** Two live agents had one uid; the newcomer was told to use `newUid`. */
  onDuplicate(duplicate: Duplicate): void
}
