/** What is kept in memory of each agent: enough for lists, counts, selectors and offers; the rest is read from the store when asked for. */
import type { AgentSummary, ConfigState } from '@drover/api'
import { heldBack } from '@drover/fleet'
import type { Assignment, Ledger, Selection } from '@drover/fleet'
import type { AgentCapability, CapabilitySet, InstanceUid } from '@drover/protocol'
import type { ConnectionInfo, Transport } from '@drover/server'
import { attribute } from './attributes.ts'
import type { PackedAttributes } from './attributes.ts'
import type { Deadline } from './deadlines.ts'
import type { DesiredState } from './desired-state.ts'

export type RemoteStatusName = 'unset' | 'applying' | 'applied' | 'failed'

export interface ReportedConfig {
  /** Hex; empty when the agent never got an offer. */
  readonly hash: string
  readonly status: RemoteStatusName
  readonly errorMessage: string
}

/** A connection settings status; the words are those of a configuration. */
export type ReportedSettings = ReportedConfig

/** Connection settings: what was offered, and what became of it. */
export interface SettingsRecord {
  /** Hash of the last offer that it got. */
  readonly offered: string | null
  /** Hash of the last offer on this connection. */
  readonly lastOffered: string | null
  /** When that was, until the agent says something. */
  readonly offeredAt: number | null
  readonly status: ReportedSettings | null
  /** Somebody asked to try again what it failed. */
  readonly retry: boolean
}

export const noSettings: SettingsRecord = { offered: null, lastOffered: null, offeredAt: null, status: null, retry: false }

/** Large values on their way to the store; they leave memory once they are there. */
export interface UnsavedParts {
  description?: string
  health?: string
}

/** Mutable, but only through `Registry.change`, which keeps counts and indexes right. */
export interface AgentRecord {
  readonly id: string
  uid: InstanceUid
  previousUids: readonly InstanceUid[]
  readonly firstSeenAt: number
  /** As last stored; while connected the server knows better. */
  lastSeenAt: number | null
  name: string
  attributes: PackedAttributes
  labels: Readonly<Record<string, string>>
  capabilities: CapabilitySet<AgentCapability>
  customCapabilities: readonly string[]
  healthy: boolean | null
  lastError: string | null
  reported: ReportedConfig | null
  effectiveHash: string | null
  effectiveAt: number | null
  /** Keyed hash of the text that `effectiveHash` was made from. */
  effectiveMac: string | null
  componentsHash: string | null
  /** Which groups select it, and what was read when that was found out. Agents in the same groups share one. */
  selection: { readonly of: DesiredState; readonly selection: Selection } | undefined
  /** Undefined until groups were looked at for the first time. Agents with equal assignments share one. */
  assignment: Assignment | undefined
  /** Hash of what it should have; null: nothing. */
  desiredHash: string | null
  /** `desiredHash` is what it had before a change that was taken back, and no group gives it anything. */
  isBack: boolean
  /** Why what its groups give cannot be rendered for it, as a sentence. */
  problem: string | null
  /** What it should have is another than when it was last decided what to offer. */
  undecided: boolean
  settings: SettingsRecord
  configState: ConfigState
  ledger: Ledger
  /** Hash of the last offer on this connection. */
  lastOffered: string | null
  connection: ConnectionInfo | undefined
  /** null: it is connected. After a start of the server: since then. */
  offlineSince: number | null
  /** Everything it promises to report is known: offers may be decided on. */
  complete: boolean
  transport: Transport | null
  credential: string | null
  remoteAddress: string | null
  stale: boolean
  edit: number
  forgotten: boolean
  unsaved: UnsavedParts | undefined
  staleCheck: Deadline | undefined
  attemptTimeout: Deadline | undefined
  healthCheck: Deadline | undefined
  /** What the last event about its health said. */
  announcedHealth: boolean | null
  /** Changes of health since it was last told. */
  healthFlips: number
  /** A description came at least once. */
  described: boolean
}

/** Host name, else service name, else the start of its uid. */
export function nameOf(uid: InstanceUid, attributes: PackedAttributes): string {
  return attribute(attributes, 'host.name') || attribute(attributes, 'service.name') || uid.slice(0, 8)
}

/** For selectors of groups: reported attributes and labels. */
export function lookupOf(record: AgentRecord): (key: string) => string | undefined {
  return (key) => (key.startsWith(LABEL_PREFIX) ? ownValue(record.labels, key.slice(LABEL_PREFIX.length)) : attribute(record.attributes, key))
}

/** For filters: facts about the agent as well. */
export function filterLookupOf(record: AgentRecord): (key: string) => string | undefined {
  const lookup = lookupOf(record)
  return (key) => {
    switch (key) {
      case 'drover.connected':
        return String(record.connection !== undefined)
      case 'drover.healthy':
        return record.healthy === null ? undefined : String(record.healthy)
      case 'drover.config':
        return record.configState
      default:
        return lookup(key)
    }
  }
}

export const LABEL_PREFIX = 'label.'

function ownValue(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

/** Why its configuration failed, in its own words, or why there is none for it. */
export function configErrorOf(record: AgentRecord): string | null {
  return record.problem ?? heldBack(record.ledger, record.desiredHash)?.errorMessage ?? null
}

export function summaryOf(record: AgentRecord, lastSeenAt: number | null): AgentSummary {
  return {
    id: record.id,
    instanceUid: record.uid,
    name: record.name,
    serviceName: attribute(record.attributes, 'service.name') ?? null,
    serviceVersion: attribute(record.attributes, 'service.version') ?? null,
    hostName: attribute(record.attributes, 'host.name') ?? null,
    osType: attribute(record.attributes, 'os.type') ?? null,
    labels: { ...record.labels },
    groups: [...(record.assignment?.groups ?? [])],
    connected: record.connection !== undefined,
    stale: record.stale,
    healthy: record.healthy,
    lastError: record.lastError,
    configState: record.configState,
    configError: configErrorOf(record),
    transport: record.transport,
    lastSeenAt: lastSeenAt === null ? null : isoTime(lastSeenAt),
    firstSeenAt: isoTime(record.firstSeenAt),
  }
}
