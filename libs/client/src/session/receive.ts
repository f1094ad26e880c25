/** What a message from the Server means. Pure. */
import { create } from '@bufbuild/protobuf'
import {
  type AgentRemoteConfig,
  bytesEqual,
  CommandType,
  type ConnectionSettingsOffers,
  ConnectionSettingsOffersSchema,
  ConnectionSettingsStatuses,
  type CustomMessage,
  type InstanceUid,
  instanceUidFromBytes,
  instanceUidToBytes,
  type OpAMPConnectionSettings,
  type PackagesAvailable,
  RemoteConfigStatuses,
  type ServerErrorResponse,
  ServerErrorResponseType,
  type ServerToAgent,
  ServerToAgentFlags,
  serverCapabilities,
} from '@drover/protocol'
import { allParts } from './parts.ts'
import { endCertificateRequest, type Session, with_ } from './session.ts'

/** What is to be done beyond remembering, in this order. */
export type Instruction =
  | { readonly kind: 'instance-uid'; readonly uid: InstanceUid }
  | { readonly kind: 'remote-config'; readonly offer: AgentRemoteConfig }
  | { readonly kind: 'connection-settings'; readonly offer: ConnectionSettingsOffers }
  /** For an Agent that takes no OpAMP settings but promised heartbeats. */
  | { readonly kind: 'heartbeat-interval'; readonly offer: OpAMPConnectionSettings }
  | { readonly kind: 'packages'; readonly offer: PackagesAvailable }
  | { readonly kind: 'server-custom-capabilities'; readonly capabilities: readonly string[] }
  | { readonly kind: 'custom-message'; readonly message: CustomMessage }
  | { readonly kind: 'restart' }
  | { readonly kind: 'certificate-answered' }
  | { readonly kind: 'certificate-refused'; readonly reason: string }
  /** Our last message will not be taken; it is not sent again. */
  | { readonly kind: 'rejected'; readonly type: 'unknown' | 'bad-request'; readonly text: string }
  /** Leave, and come back later: after the time told, if any. */
  | { readonly kind: 'unavailable'; readonly retryAfterMs: number | undefined; readonly text: string }
  /** Something was left out; the reason is a fixed sentence. */
  | { readonly kind: 'ignored'; readonly reason: string }

export interface Received {
  readonly session: Session
  readonly instructions: readonly Instruction[]
}

export function receive(session: Session, message: ServerToAgent): Received {
  if (!isForUs(session, message.instanceUid)) return { session, instructions: [ignored('a message for another instance uid')] }
  // An error excludes everything else, a command everything but the capabilities.
  if (message.errorResponse !== undefined) return receiveError({ ...session, isAnswered: true }, message.errorResponse)
  const heard = noteServer(session, message)
  if (message.command !== undefined && session.capabilities.has('AcceptsRestartCommand')) {
    const isRestart = message.command.type === CommandType.CommandType_Restart
    return { session: heard, instructions: [isRestart ? { kind: 'restart' } : ignored('a command of an unknown type')] }
  }
  const steps = [takeIdentification, takeFlags, takeConfig, takeSettings, takePackages, takeCustom]
  let received: Received = { session: heard, instructions: message.command === undefined ? [] : [ignored('a command that this agent does not accept')] }
  for (const step of steps) {
    const next = step(received.session, message)
    received = { session: next.session, instructions: [...received.instructions, ...next.instructions] }
  }
  return received
}

/** A Server that leaves the addressee out means the only Agent on the connection. */
function isForUs({ uid, formerUid }: Session, addressee: Uint8Array): boolean {
  if (addressee.length === 0 || bytesEqual(addressee, instanceUidToBytes(uid))) return true
  return formerUid !== undefined && bytesEqual(addressee, instanceUidToBytes(formerUid))
}

function receiveError(session: Session, error: ServerErrorResponse): Received {
  const text = error.errorMessage
  if (error.type === ServerErrorResponseType.ServerErrorResponseType_Unavailable) {
    const retryAfterMs = error.Details.case === 'retryInfo' ? Number(error.Details.value.retryAfterNanoseconds / 1_000_000n) : undefined
    return { session, instructions: [{ kind: 'unavailable', retryAfterMs, text }] }
  }
  const isBadRequest = error.type === ServerErrorResponseType.ServerErrorResponseType_BadRequest
  const rejected: Instruction = { kind: 'rejected', type: isBadRequest ? 'bad-request' : 'unknown', text }
  if (!isBadRequest || session.certificateRequest?.isSent !== true) return { session, instructions: [rejected] }
  return { session: endCertificateRequest(session), instructions: [rejected, { kind: 'certificate-refused', reason: text }] }
}

/** Capabilities 0 means "not repeated". */
function noteServer(session: Session, message: ServerToAgent): Session {
  return {
    ...session,
    isAnswered: true,
    serverCapabilities: message.capabilities === 0n ? session.serverCapabilities : serverCapabilities(message.capabilities),
    isConfigStatusSettled: message.remoteConfig === undefined && !session.due.has('remoteConfigStatus') ? true : session.isConfigStatusSettled,
    isSettingsStatusSettled: message.connectionSettings === undefined && !session.due.has('connectionSettingsStatus') ? true : session.isSettingsStatusSettled,
  }
}

function takeIdentification(session: Session, { agentIdentification }: ServerToAgent): Received {
  if (agentIdentification === undefined) return unchanged(session)
  let uid: InstanceUid
  try {
    uid = instanceUidFromBytes(agentIdentification.newInstanceUid)
  } catch {
    return { session, instructions: [ignored('an instance uid that is not 16 bytes')] }
  }
  if (uid === session.uid) return unchanged({ ...session, wantsUid: false })
  // The Server knows nothing under the new uid: everything is due again, at once.
  const renamed: Session = { ...fullStateDue(session), uid, formerUid: session.uid, wantsUid: false }
  return { session: renamed, instructions: [{ kind: 'instance-uid', uid }] }
}

function takeFlags(session: Session, { flags }: ServerToAgent): Received {
  const isSet = (flag: ServerToAgentFlags) => (flags & BigInt(flag)) !== 0n
  let next = session
  if (isSet(ServerToAgentFlags.ServerToAgentFlags_ReportFullState)) next = fullStateDue(next)
  if (isSet(ServerToAgentFlags.ServerToAgentFlags_ReportAvailableComponents)) next = { ...next, owesComponents: true }
  return unchanged(next)
}

function fullStateDue(session: Session): Session {
  return { ...session, due: new Set(allParts), mustSpeak: true, owesFullState: true }
}

function takeConfig(session: Session, { remoteConfig }: ServerToAgent): Received {
  if (remoteConfig === undefined) return unchanged(session)
  if (!session.capabilities.has('AcceptsRemoteConfig')) return { session, instructions: [ignored('a configuration that this agent does not accept')] }
  const hash = remoteConfig.configHash
  const status = session.values.remoteConfigStatus
  if (status !== undefined && status.status !== RemoteConfigStatuses.RemoteConfigStatuses_UNSET && bytesEqual(status.lastRemoteConfigHash, hash)) {
    const isRetry = status.status === RemoteConfigStatuses.RemoteConfigStatuses_FAILED && session.isConfigStatusSettled
    if (!isRetry) return unchanged(repeatStatus(session, 'remoteConfigStatus'))
  }
  if (session.pendingConfigHash !== undefined && bytesEqual(session.pendingConfigHash, hash)) return unchanged(session)
  const next: Session = { ...session, pendingConfigHash: hash, isConfigStatusSettled: false }
  return { session: next, instructions: [{ kind: 'remote-config', offer: remoteConfig }] }
}

/**
 * The Server offers what it was told the fate of: it may have missed that. The status goes with the next message, and not at once, as a Server that
 * offers in every answer would make the two of us run in circles.
 */
function repeatStatus(session: Session, part: 'remoteConfigStatus' | 'connectionSettingsStatus'): Session {
  if (session.due.has(part)) return session
  return { ...session, due: with_(session.due, part), patient: with_(session.patient, part) }
}

function takeSettings(session: Session, { connectionSettings }: ServerToAgent): Received {
  if (connectionSettings === undefined) return unchanged(session)
  const instructions: Instruction[] = []
  let next = session
  const { offer, refusesAny } = acceptedSettings(session, connectionSettings)
  if (refusesAny) instructions.push(ignored('connection settings that this agent does not accept'))
  const { opamp } = connectionSettings
  if (opamp !== undefined && offer?.opamp === undefined && session.capabilities.has('ReportsHeartbeat'))
    instructions.push({ kind: 'heartbeat-interval', offer: opamp })
  if (offer === undefined) return { session, instructions }
  if (offer.opamp?.certificate !== undefined && session.certificateRequest !== undefined) {
    next = endCertificateRequest(next)
    instructions.push({ kind: 'certificate-answered' })
  }
  const status = session.values.connectionSettingsStatus
  if (status !== undefined && status.status !== ConnectionSettingsStatuses.ConnectionSettingsStatuses_UNSET) {
    const isRetry = status.status === ConnectionSettingsStatuses.ConnectionSettingsStatuses_FAILED && session.isSettingsStatusSettled
    if (bytesEqual(status.lastConnectionSettingsHash, offer.hash) && !isRetry) return { session: repeatStatus(next, 'connectionSettingsStatus'), instructions }
  }
  return { session: { ...next, isSettingsStatusSettled: false }, instructions: [...instructions, { kind: 'connection-settings', offer }] }
}

/** The part of the offer that belongs to capabilities we have; undefined when that is nothing. */
function acceptedSettings({ capabilities }: Session, offer: ConnectionSettingsOffers): { offer: ConnectionSettingsOffers | undefined; refusesAny: boolean } {
  const { hash, opamp, ownMetrics, ownTraces, ownLogs, otherConnections } = offer
  const hasOthers = Object.keys(otherConnections).length > 0
  const accepted = {
    ...(opamp !== undefined && capabilities.has('AcceptsOpAMPConnectionSettings') ? { opamp } : {}),
    ...(ownMetrics !== undefined && capabilities.has('ReportsOwnMetrics') ? { ownMetrics } : {}),
    ...(ownTraces !== undefined && capabilities.has('ReportsOwnTraces') ? { ownTraces } : {}),
    ...(ownLogs !== undefined && capabilities.has('ReportsOwnLogs') ? { ownLogs } : {}),
    ...(hasOthers && capabilities.has('AcceptsOtherConnectionSettings') ? { otherConnections } : {}),
  }
  const offered = [opamp, ownMetrics, ownTraces, ownLogs].filter((part) => part !== undefined).length + (hasOthers ? 1 : 0)
  const count = Object.keys(accepted).length
  return { offer: count === 0 ? undefined : create(ConnectionSettingsOffersSchema, { hash, ...accepted }), refusesAny: count < offered }
}

function takePackages(session: Session, { packagesAvailable }: ServerToAgent): Received {
  if (packagesAvailable === undefined) return unchanged(session)
  if (!session.capabilities.has('AcceptsPackages')) return { session, instructions: [ignored('packages that this agent does not accept')] }
  return { session, instructions: [{ kind: 'packages', offer: packagesAvailable }] }
}

function takeCustom(session: Session, { customCapabilities, customMessage }: ServerToAgent): Received {
  const instructions: Instruction[] = []
  let next = session
  if (customCapabilities !== undefined) {
    const { capabilities } = customCapabilities
    next = { ...next, serverCustomCapabilities: capabilities }
    instructions.push({ kind: 'server-custom-capabilities', capabilities })
  }
  if (customMessage !== undefined) {
    const isSupported = session.values.customCapabilities?.capabilities.includes(customMessage.capability) === true
    instructions.push(isSupported ? { kind: 'custom-message', message: customMessage } : ignored('a custom message of a capability that was not announced'))
  }
  return { session: next, instructions }
}

function unchanged(session: Session): Received {
  return { session, instructions: [] }
}

function ignored(reason: string): Instruction {
  return { kind: 'ignored', reason }
}
