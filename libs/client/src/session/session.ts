/** What a client knows of its Agent and of its Server, as a value. Setters return a new one, or the same when nothing changed. */
import {
  type AgentCapability,
  agentCapabilities,
  type AgentStatus,
  bytesEqual,
  type CapabilitySet,
  type CustomMessage,
  type InstanceUid,
  type ServerCapability,
  type StatusPart,
} from '@drover/protocol'
import { withHash } from './components.ts'
import { allParts, copyPart, equalParts, type PartValue, sendablePart } from './parts.ts'

/** A request for a certificate, until the Server decides. */
export interface CertificateRequest {
  readonly csr: Uint8Array
  /** On this connection. */
  readonly isSent: boolean
}

export interface Session {
  readonly uid: InstanceUid
  /** The one before a Server's assignment: messages that crossed it on the way still name it. */
  readonly formerUid: InstanceUid | undefined
  /** Of the next message. */
  readonly sequenceNum: bigint
  readonly capabilities: CapabilitySet<AgentCapability>
  /** The newest of each part. */
  readonly values: AgentStatus
  /** Parts whose newest value the Server on this connection does not have. */
  readonly due: ReadonlySet<StatusPart>
  /** Due parts that by themselves are worth no message: they go with the next one. */
  readonly patient: ReadonlySet<StatusPart>
  /** Parts too large to be sent: left out until they change. */
  readonly withheld: ReadonlySet<StatusPart>
  /** Something besides parts is to be said: a first report, changed capabilities, an answer to ReportFullState. */
  readonly mustSpeak: boolean
  /** The Server asked for the full state and did not get it yet. */
  readonly owesFullState: boolean
  readonly owesComponents: boolean
  /** Undefined until the Server told them on this connection. */
  readonly serverCapabilities: CapabilitySet<ServerCapability> | undefined
  /** Undefined until the Server sent a list on this connection. */
  readonly serverCustomCapabilities: readonly string[] | undefined
  /** A message from the Server came on this connection. */
  readonly isAnswered: boolean
  readonly wantsUid: boolean
  readonly certificateRequest: CertificateRequest | undefined
  readonly customMessages: readonly CustomMessage[]
  /** Of a configuration that was passed on and has no status yet. */
  readonly pendingConfigHash: Uint8Array | undefined
  /** The Server has seen the last status and said something since without repeating that offer: another offer of the same is meant. */
  readonly isConfigStatusSettled: boolean
  readonly isSettingsStatusSettled: boolean
}

export interface SessionStart {
  readonly uid: InstanceUid
  readonly capabilities: readonly AgentCapability[]
  readonly values?: AgentStatus
}

export function createSession({ uid, capabilities, values = {} }: SessionStart): Session {
  return {
    uid,
    formerUid: undefined,
    sequenceNum: 0n,
    capabilities: ownCapabilities(capabilities),
    values,
    due: new Set(allParts),
    patient: new Set(),
    withheld: new Set(),
    mustSpeak: true,
    owesFullState: false,
    owesComponents: false,
    serverCapabilities: undefined,
    serverCustomCapabilities: undefined,
    isAnswered: false,
    wantsUid: false,
    certificateRequest: undefined,
    customMessages: [],
    pendingConfigHash: undefined,
    isConfigStatusSettled: false,
    isSettingsStatusSettled: false,
  }
}

/**
 * A connection was opened. Its Server may know nothing of us, or something outdated: everything is due. A reconnected WebSocket might leave out what did not
 * change, but whether the last messages before a loss arrived is never certain.
 */
export function connectionOpened(session: Session): Session {
  const { certificateRequest } = session
  return {
    ...session,
    formerUid: undefined,
    serverCapabilities: undefined,
    serverCustomCapabilities: undefined,
    pendingConfigHash: undefined,
    certificateRequest: certificateRequest && { ...certificateRequest, isSent: false },
    due: new Set(allParts),
    patient: new Set(),
    mustSpeak: true,
    owesFullState: false,
    owesComponents: false,
    isAnswered: false,
    isConfigStatusSettled: false,
    isSettingsStatusSettled: false,
  }
}

export function setPart<Part extends StatusPart>(session: Session, part: Part, value: PartValue<Part>): Session {
  const copy = copyPart(part, value)
  const next = part === 'availableComponents' ? withHash(copy as PartValue<'availableComponents'>) : copy // as: of that part
  // The fate of an offer is told even when the former offer, of the same hash, had the same.
  const answersOffer = part === 'remoteConfigStatus' && answersPending(session, next as PartValue<'remoteConfigStatus'>) // as: of that part
  if (equalParts(part, session.values[part], next) && !answersOffer) return session
  return {
    ...session,
    values: { ...session.values, [part]: next },
    due: with_(session.due, part),
    patient: without(session.patient, part),
    withheld: without(session.withheld, part),
    ...(part === 'remoteConfigStatus' ? { isConfigStatusSettled: false } : {}),
    ...(answersOffer ? { pendingConfigHash: undefined } : {}),
    ...(part === 'connectionSettingsStatus' ? { isSettingsStatusSettled: false } : {}),
  }
}

export function setCapabilities(session: Session, capabilities: readonly AgentCapability[]): Session {
  const next = ownCapabilities(capabilities)
  return next.equals(session.capabilities) ? session : { ...session, capabilities: next, mustSpeak: true }
}

export function requestUid(session: Session): Session {
  return { ...session, wantsUid: true, mustSpeak: true }
}

export function requestCertificate(session: Session, csr: Uint8Array): Session {
  return { ...session, certificateRequest: { csr: new Uint8Array(csr), isSent: false } }
}

export function endCertificateRequest(session: Session): Session {
  return { ...session, certificateRequest: undefined }
}

export function queueCustomMessage(session: Session, message: CustomMessage): Session {
  return { ...session, customMessages: [...session.customMessages, message] }
}

/** Takes it out of the queue, because it was sent or because it never will be. */
export function removeCustomMessage(session: Session, message: CustomMessage): Session {
  return { ...session, customMessages: session.customMessages.filter((waiting) => waiting !== message) }
}

/** The Server, or our own limit, does not let the part through. */
export function withhold(session: Session, part: StatusPart): Session {
  return { ...session, withheld: with_(session.withheld, part) }
}

/** Another Server may take more. */
export function releaseWithheld(session: Session): Session {
  return { ...session, withheld: new Set() }
}

/** The parts to send now, with the reason to send one at all left aside. */
export function dueParts(session: Session): readonly StatusPart[] {
  const { due, withheld, values, capabilities, serverCapabilities } = session
  return allParts.filter((part) => due.has(part) && !withheld.has(part) && sendablePart(part, values, capabilities, serverCapabilities) !== undefined)
}

/** The next custom message that the Server takes. Until its list is known, none is. */
export function nextCustomMessage({ serverCustomCapabilities, customMessages }: Session): CustomMessage | undefined {
  return customMessages.find(({ capability }) => serverCustomCapabilities?.includes(capability))
}

export function isCertificateRequestDue({ certificateRequest, serverCapabilities }: Session): boolean {
  return certificateRequest?.isSent === false && serverCapabilities?.has('AcceptsConnectionSettingsRequest') === true
}

/** Whether there is a reason to send a message before the next heartbeat. */
export function hasNews(session: Session): boolean {
  return (
    session.mustSpeak ||
    isComponentsAnswerDue(session) ||
    dueParts(session).some((part) => !session.patient.has(part)) ||
    nextCustomMessage(session) !== undefined ||
    isCertificateRequestDue(session)
  )
}

export function isComponentsAnswerDue({ owesComponents, values, capabilities, withheld }: Session): boolean {
  return (
    owesComponents &&
    !withheld.has('availableComponents') &&
    capabilities.has('ReportsAvailableComponents') &&
    Object.keys(values.availableComponents?.components ?? {}).length > 0
  )
}

/** Reporting status is no choice. */
function ownCapabilities(capabilities: readonly AgentCapability[]): CapabilitySet<AgentCapability> {
  return agentCapabilities(['ReportsStatus', ...capabilities.filter((name) => name !== 'ReportsStatus')])
}

function answersPending({ pendingConfigHash }: Session, status: PartValue<'remoteConfigStatus'>): boolean {
  return pendingConfigHash !== undefined && bytesEqual(pendingConfigHash, status.lastRemoteConfigHash)
}

export function with_<Item>(set: ReadonlySet<Item>, item: Item): ReadonlySet<Item> {
  return new Set([...set, item])
}

export function without<Item>(set: ReadonlySet<Item>, item: Item): ReadonlySet<Item> {
  return set.has(item) ? new Set([...set].filter((other) => other !== item)) : set
}
