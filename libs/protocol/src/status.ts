/**
 * Status compression: an absent part of a report means "unchanged", and sequence numbers reveal that a report, and so
 * perhaps a change, was lost.
 */
import { type AgentCapability, agentCapabilities, type CapabilitySet } from './capabilities.ts'
import { bytesEqual } from './bytes.ts'
import type { AgentToServer, AvailableComponents } from './gen/opamp/v1/opamp_pb.js'
import type { Heartbeat } from './heartbeat.ts'

/** The parts of a report that are left out while they do not change. */
const statusParts = [
  'agentDescription',
  'health',
  'effectiveConfig',
  'remoteConfigStatus',
  'packageStatuses',
  'customCapabilities',
  'availableComponents',
  'connectionSettingsStatus',
] as const

export type StatusPart = (typeof statusParts)[number]

/** The latest values of the parts, as they came; an absent one was never reported. */
export type AgentStatus = { readonly [Part in StatusPart]?: NonNullable<AgentToServer[Part]> }

/** What a Server must remember of an Agent to read its next report. Holds no status values. */
export interface StatusTracker {
  /** Of the last report. */
  readonly sequenceNum: bigint | undefined
  /** The latest announced, never empty for an Agent that follows the protocol. */
  readonly capabilities: CapabilitySet<AgentCapability>
  /**
   * The parts whose latest value was received and cannot have changed since. A part that the answer to a request for
   * full state left out counts as well: the Agent has none.
   */
  readonly known: ReadonlySet<StatusPart>
  /** The full state was found to be needed and did not come yet. */
  readonly awaitsFullState: boolean
}

export interface TrackedReport {
  readonly tracker: StatusTracker
  /** The parts in this report. */
  readonly present: readonly StatusPart[]
  /** The sequence number is not the previous one plus one: at least one report was lost. */
  readonly gap: boolean
  /** The parts that the Agent should have reported by now and did not. Decide on nothing that depends on them. */
  readonly missing: readonly StatusPart[]
  /** Whether to answer with ReportFullState. At most one report in an interval should be answered so. */
  readonly needsFullState: boolean
}

/** Which part an Agent with the capability owes. The description is owed by every Agent. */
const promisedBy: readonly (readonly [AgentCapability, StatusPart])[] = [
  ['ReportsHealth', 'health'],
  ['ReportsEffectiveConfig', 'effectiveConfig'],
  ['ReportsRemoteConfig', 'remoteConfigStatus'],
  ['ReportsPackageStatuses', 'packageStatuses'],
  ['ReportsAvailableComponents', 'availableComponents'],
  ['ReportsConnectionSettingsStatus', 'connectionSettingsStatus'],
]

/**
 * Takes in a report. `previous` is undefined for an Agent that nothing is remembered of.
 *
 * The specification leaves open when a gap calls for the full state. Here it does when something was left out that
 * the capabilities promise, or that was known before and may have changed; a report that is complete by itself needs no
 * second copy. As long as there is no description the full state is asked for in any case. An Agent that was asked and
 * then sends its description has sent everything it has, so that a promised part it never fills does not make the
 * Server ask for ever.
 */
export function trackReport(previous: StatusTracker | undefined, message: AgentToServer): TrackedReport {
  const present = statusParts.filter((part) => message[part] !== undefined)
  const capabilities = latestCapabilities(previous, message)
  const promised = promisedParts(capabilities)
  const gap = previous?.sequenceNum !== undefined && message.sequenceNum !== nextSequenceNum(previous.sequenceNum)

  const isAnswer = previous?.awaitsFullState === true && message.agentDescription !== undefined
  const expected = gap ? new Set([...promised, ...previous.known]) : promised
  const known = new Set(gap || previous === undefined ? present : [...previous.known, ...present])
  if (isAnswer) for (const part of promised) known.add(part)
  const missing = isAnswer ? [] : statusParts.filter((part) => expected.has(part) && !known.has(part))

  const gained = previous !== undefined && !gap && !isSubset(promised, promisedParts(previous.capabilities))
  const asksAnyway = previous === undefined || gap || gained
  const needsFullState = missing.length > 0 && (asksAnyway || missing.includes('agentDescription'))
  const awaitsFullState = needsFullState || (previous?.awaitsFullState === true && !isAnswer && missing.length > 0)
  return { tracker: { sequenceNum: message.sequenceNum, capabilities, known, awaitsFullState }, present, gap, missing, needsFullState }
}

/**
 * The same for a heartbeat, without the cost: returns the next tracker when the heartbeat follows the last report and
 * leaves everything as it is, and undefined when it must be decoded and given to `trackReport`.
 */
export function trackHeartbeat(previous: StatusTracker | undefined, heartbeat: Heartbeat): StatusTracker | undefined {
  if (previous?.sequenceNum === undefined || !previous.known.has('agentDescription')) return undefined
  const sequenceNum = BigInt(heartbeat.sequenceNum)
  if (sequenceNum !== nextSequenceNum(previous.sequenceNum)) return undefined
  if (heartbeat.capabilities !== 0 && !agentCapabilities(BigInt(heartbeat.capabilities)).equals(previous.capabilities)) return undefined
  const { capabilities, known, awaitsFullState } = previous
  return { sequenceNum, capabilities, known, awaitsFullState }
}

/** The parts with the report's changes in them. Values are taken over, not copied. */
export function mergeStatus(previous: AgentStatus | undefined, message: AgentToServer): AgentStatus {
  const present = statusParts.filter((part) => message[part] !== undefined).map((part) => [part, message[part]] as const)
  const merged: AgentStatus = { ...previous, ...Object.fromEntries(present) }
  const { availableComponents } = message
  return availableComponents === undefined ? merged : { ...merged, availableComponents: mergeComponents(previous?.availableComponents, availableComponents) }
}

/** Components usually come as a hash alone; with the hash we know, it stands for the map we know. */
function mergeComponents(previous: AvailableComponents | undefined, next: AvailableComponents): AvailableComponents {
  if (previous === undefined || Object.keys(next.components).length > 0) return next
  return bytesEqual(previous.hash, next.hash) ? previous : next
}

/** An empty mask is never a legal declaration: it stands for "as before". */
function latestCapabilities(previous: StatusTracker | undefined, message: AgentToServer): CapabilitySet<AgentCapability> {
  if (message.capabilities === 0n && previous !== undefined) return previous.capabilities
  return agentCapabilities(message.capabilities)
}

function promisedParts(capabilities: CapabilitySet<AgentCapability>): ReadonlySet<StatusPart> {
  const parts = promisedBy.filter(([capability]) => capabilities.has(capability)).map(([, part]) => part)
  return new Set<StatusPart>(['agentDescription', ...parts])
}

/** A uint64 starts again at 0. */
function nextSequenceNum(sequenceNum: bigint): bigint {
  return BigInt.asUintN(64, sequenceNum + 1n)
}

function isSubset(parts: ReadonlySet<StatusPart>, of: ReadonlySet<StatusPart>): boolean {
  return [...parts].every((part) => of.has(part))
}
