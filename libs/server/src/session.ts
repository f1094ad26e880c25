/** What is remembered of one agent's protocol, and what a message from it means. Pure: values in, values out, no sockets. */
import {
  type AgentCapability,
  agentCapabilities,
  type AgentToServer,
  AgentToServerFlags,
  type CapabilitySet,
  type Heartbeat,
  type StatusPart,
  type StatusTracker,
  trackHeartbeat,
  trackReport,
} from '@drover/protocol'
import { answered, asked, type FullStateRequests, type FullStateRule, mayAsk, noRequests } from './full-state.ts'

export interface Session {
  /** Undefined before the first report. */
  readonly tracker: StatusTracker | undefined
  readonly requests: FullStateRequests
  /** What the agent announced; none until it does. */
  readonly customCapabilities: ReadonlySet<string>
}

export const newSession: Session = { tracker: undefined, requests: noRequests, customCapabilities: new Set() }

export interface SessionRule extends FullStateRule {
  readonly maxCustomCapabilities: number
}

export interface Reading {
  /** To be kept once the report was taken in. */
  readonly session: Session
  readonly capabilities: CapabilitySet<AgentCapability>
  readonly present: readonly StatusPart[]
  /** Put ReportFullState into the answer. */
  readonly askFullState: boolean
  readonly complete: boolean
  readonly requestsUid: boolean
  readonly disconnects: boolean
  /** More than an unchanged heartbeat: a status part, a request, changed capabilities. */
  readonly eventful: boolean
  /** At least one report was lost, or the agent started anew. */
  readonly gap: boolean
}

export function capabilitiesOf(session: Session): CapabilitySet<AgentCapability> {
  return session.tracker?.capabilities ?? agentCapabilities(0n)
}

export function readReport(session: Session, message: AgentToServer, nowMs: number, rule: SessionRule): Reading {
  const { tracker, present, gap } = trackReport(session.tracker, message)
  const disconnects = message.agentDisconnect !== undefined
  const before = tracker.awaitsFullState ? session.requests : answered(session.requests)
  const askFullState = tracker.awaitsFullState && !disconnects && mayAsk(before, nowMs, rule)
  const requestsUid = (message.flags & BigInt(AgentToServerFlags.AgentToServerFlags_RequestInstanceUid)) !== 0n
  // A settings request for nothing is none.
  const isRequest = requestsUid || message.connectionSettingsRequest?.opamp !== undefined || message.customMessage !== undefined
  return {
    session: {
      tracker,
      requests: askFullState ? asked(before, nowMs, rule) : before,
      customCapabilities: customCapabilitiesAfter(session, message, rule),
    },
    capabilities: tracker.capabilities,
    present,
    askFullState,
    complete: !tracker.awaitsFullState,
    requestsUid,
    disconnects,
    eventful: present.length > 0 || isRequest || !tracker.capabilities.equals(capabilitiesOf(session)),
    gap,
  }
}

/** The session after an unchanged heartbeat, or undefined when the message has to be read in full. */
export function readHeartbeat(session: Session, heartbeat: Heartbeat): Session | undefined {
  if (session.tracker?.awaitsFullState !== false) return undefined
  const tracker = trackHeartbeat(session.tracker, heartbeat)
  return tracker === undefined ? undefined : { tracker, requests: session.requests, customCapabilities: session.customCapabilities }
}

/** Whether a message with this number is the next of the same agent process. */
export function continuesSequence(session: Session, sequenceNum: bigint): boolean {
  const last = session.tracker?.sequenceNum
  return last !== undefined && sequenceNum === BigInt.asUintN(64, last + 1n)
}

function customCapabilitiesAfter(session: Session, message: AgentToServer, rule: SessionRule): ReadonlySet<string> {
  const announced = message.customCapabilities?.capabilities
  return announced === undefined ? session.customCapabilities : new Set(announced.slice(0, rule.maxCustomCapabilities))
}
