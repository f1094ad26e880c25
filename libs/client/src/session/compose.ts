/** The next message to the Server. Pure. */
import { create } from '@bufbuild/protobuf'
import {
  type AgentToServer,
  AgentToServerFlags,
  AgentToServerSchema,
  type AvailableComponents,
  type CustomMessage,
  instanceUidToBytes,
  type StatusPart,
} from '@drover/protocol'
import { partBytes, sendablePart } from './parts.ts'
import { dueParts, isCertificateRequestDue, isComponentsAnswerDue, nextCustomMessage, type Session } from './session.ts'

export interface Composed {
  readonly message: AgentToServer
  /** The session once the message was handed to the transport. */
  readonly after: Session
  readonly parts: readonly StatusPart[]
  /** The custom message in it; it stays in the queue until the transport is done with it. */
  readonly customMessage: CustomMessage | undefined
}

/** Whatever is due goes in. With nothing due it is a heartbeat: uid, sequence number and capabilities. */
export function compose(session: Session, options: { readonly isLast?: boolean } = {}): Composed {
  const answersComponents = isComponentsAnswerDue(session)
  const parts = dueParts(session)
  const included: readonly StatusPart[] = answersComponents && !parts.includes('availableComponents') ? [...parts, 'availableComponents'] : parts
  const customMessage = nextCustomMessage(session)
  const requestsCertificate = isCertificateRequestDue(session)
  const values = Object.fromEntries(included.map((part) => [part, valueToSend(session, part, answersComponents)]))
  const message = create(AgentToServerSchema, {
    instanceUid: instanceUidToBytes(session.uid),
    sequenceNum: session.sequenceNum,
    capabilities: session.capabilities.mask,
    flags: BigInt(session.wantsUid ? AgentToServerFlags.AgentToServerFlags_RequestInstanceUid : 0),
    ...values,
    ...(customMessage === undefined ? {} : { customMessage }),
    ...(requestsCertificate ? { connectionSettingsRequest: { opamp: { certificateRequest: { csr: session.certificateRequest!.csr } } } } : {}), // !: due
    ...(options.isLast === true ? { agentDisconnect: {} } : {}),
  })
  const sent = new Set(included)
  const after: Session = {
    ...session,
    sequenceNum: BigInt.asUintN(64, session.sequenceNum + 1n),
    due: new Set([...session.due].filter((part) => !sent.has(part))),
    patient: new Set([...session.patient].filter((part) => !sent.has(part))),
    mustSpeak: false,
    owesFullState: false,
    owesComponents: false,
    certificateRequest: session.certificateRequest && { ...session.certificateRequest, isSent: session.certificateRequest.isSent || requestsCertificate },
  }
  return { message, after, parts: included, customMessage }
}

/** The one to leave out when a message is too large. */
export function largestPart({ message, parts }: Composed): { readonly part: StatusPart; readonly bytes: number } | undefined {
  const sizes = parts.map((part) => ({ part, bytes: partBytes(part, message[part]!) })) // !: it was put in
  return sizes.toSorted((a, b) => b.bytes - a.bytes)[0]
}

function valueToSend(session: Session, part: StatusPart, answersComponents: boolean) {
  const value = sendablePart(part, session.values, session.capabilities, session.serverCapabilities)
  if (part !== 'availableComponents' || answersComponents) return value
  return { ...(value as AvailableComponents), components: {} } // as: the value of that part
}
