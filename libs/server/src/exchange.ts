/** One message from an agent and the answer to it, whatever carried it. */
import {
  type AgentToServer,
  bytesEqual,
  createInstanceUid,
  decodeAgentToServer,
  type DecodeLimits,
  defaultLimits,
  type InstanceUid,
  instanceUidFromBytes,
  peekHeartbeat,
  ProtocolError,
} from '@drover/protocol'
import type { Bindings, Origin } from './bindings.ts'
import type { Clock } from './clock.ts'
import type { CustomCapabilities } from './custom-capabilities.ts'
import type { Delivery } from './delivery.ts'
import type { Offer, OpampHandler } from './handler.ts'
import type { ServerLimits } from './limits.ts'
import type { CauseLog, RefusalCause, ServerObserver } from './log.ts'
import { notePoll } from './poll-history.ts'
import type { Agent, Binding, Registry } from './registry.ts'
import { encodeContent, encodeError } from './server-message.ts'
import { continuesSequence, type Reading, readHeartbeat, readReport } from './session.ts'
import { isSlow, withinTime } from './time-limit.ts'
import type { TimerWheel } from './timer-wheel.ts'

export interface ExchangeTools {
  readonly handler: OpampHandler
  readonly registry: Registry
  readonly bindings: Bindings
  readonly delivery: Delivery
  readonly limits: ServerLimits
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly customCapabilities: CustomCapabilities
  readonly random: (bytes: Uint8Array) => void
  readonly observer: ServerObserver
  readonly log: CauseLog
  /** A wait for a refused agent, in whole seconds. */
  readonly retryAfterSeconds: () => number
}

/** An answer, always to be sent. How a refusal looks on plain HTTP is the transport's affair. */
export interface Answer {
  readonly message: Uint8Array
  readonly refusal?: 'undecodable' | 'invalid' | 'unavailable' | 'rate' | 'conflict'
  readonly retryAfterSeconds?: number
  /** Whom the answer is for, when it is known. */
  readonly agent?: Agent
}

const nobody = new Uint8Array()

export class Exchange {
  readonly #tools: ExchangeTools
  readonly #decodeLimits: DecodeLimits

  constructor(tools: ExchangeTools) {
    this.#tools = tools
    this.#decodeLimits = { ...defaultLimits, maxMessageBytes: tools.limits.maxMessageBytes }
  }

  /**
   * The agent whose unchanged heartbeat this is, already taken in; undefined when the message has to be answered by
   * `answer`. Costs no decoding, asks nobody and keeps nothing but a time and a number.
   */
  heartbeat(origin: Origin, message: Uint8Array, offset: number): Agent | undefined {
    const seen = peekHeartbeat(message, offset)
    if (seen === undefined) return undefined
    const agent = this.#heartbeatSender(origin, message, seen.uidOffset)
    if (agent === undefined || !this.#isQuiet(agent, origin)) return undefined
    const session = readHeartbeat(agent.session, seen)
    const nowMs = this.#tools.clock.monotonic()
    if (session === undefined || !agent.messages.take(1, nowMs)) return undefined
    if (origin.stream === undefined) agent.polls = notePoll(agent.polls, session.tracker?.sequenceNum ?? 0n, nowMs).history
    agent.session = session
    agent.lastSeenMs = nowMs
    this.#tools.observer.received?.({
      transport: origin.transport,
      kind: 'heartbeat',
      bytes: message.length - offset,
      durationMs: this.#tools.clock.monotonic() - nowMs,
    })
    return agent
  }

  /** Takes in a message and says what to answer. Messages of one agent are handled one after the other. */
  answer(origin: Origin, message: Uint8Array): Answer | Promise<Answer> {
    const startMs = this.#tools.clock.monotonic()
    const answer = this.#decodeAndAnswer(origin, message)
    if (answer instanceof Promise) return answer.then((late) => this.#counted(late, origin, message.length, startMs))
    return this.#counted(answer, origin, message.length, startMs)
  }

  /** An answer to bytes that are no message. */
  refuseBytes(origin: Origin, cause: unknown): Answer {
    const { log, observer } = this.#tools
    const text = cause instanceof ProtocolError ? cause.message : 'the message cannot be read'
    observer.refused?.('malformed')
    log('malformed', 'warn', 'A message could not be read', { reason: text, transport: origin.transport, remoteAddress: origin.remoteAddress })
    return { message: encodeError(addresseeOn(origin), 'bad-request', text), refusal: 'undecodable' }
  }

  #decodeAndAnswer(origin: Origin, bytes: Uint8Array): Answer | Promise<Answer> {
    let message: AgentToServer
    try {
      message = decodeAgentToServer(bytes, this.#decodeLimits)
    } catch (error) {
      return this.refuseBytes(origin, error)
    }
    let uid: InstanceUid
    try {
      uid = instanceUidFromBytes(message.instanceUid)
    } catch {
      return this.#refuse(
        'malformed',
        'invalid',
        encodeError(addresseeOn(origin), 'bad-request', `instance_uid must have 16 bytes, not ${message.instanceUid.length}`),
      )
    }
    const nowMs = this.#tools.clock.monotonic()
    const agent = this.#tools.registry.findOrCreate(uid, nowMs)
    const isWithinRate = this.#tools.bindings.isHeldByAnother(agent, origin)
      ? agent.claims.take(1, nowMs)
      : agent.messages.take(1, nowMs) && agent.bytes.take(bytes.length, nowMs)
    if (!isWithinRate) return this.#unavailable(agent, 'rate', 'rate', 'too many messages')
    return origin.stream === undefined ? this.#answerInTurn(agent, origin, message) : this.#bindAndAnswer(agent, origin, message)
  }

  /** One request of an agent is handled while at most one more waits, so that nothing is reordered and nothing piles up. */
  #answerInTurn(agent: Agent, origin: Origin, message: AgentToServer): Answer | Promise<Answer> {
    if (agent.requestsInFlight >= 2)
      return this.#refuse('rate', 'conflict', encodeError(agent.addressee, 'bad-request', 'an earlier request is still being handled'), agent)
    agent.requestsInFlight += 1
    const answer = this.#bindAndAnswer(agent, origin, message)
    if (answer instanceof Promise) return answer.finally(() => (agent.requestsInFlight -= 1))
    agent.requestsInFlight -= 1
    return answer
  }

  #bindAndAnswer(agent: Agent, origin: Origin, message: AgentToServer): Answer | Promise<Answer> {
    if (message.agentDisconnect !== undefined && this.#tools.bindings.isHeldByAnother(agent, origin)) {
      return this.#refuse('duplicate-uid', 'invalid', encodeError(agent.addressee, 'bad-request', 'this instance_uid belongs to another connection'), agent)
    }
    const claim = this.#tools.bindings.claim(agent, origin, continuesSequence(agent.session, message.sequenceNum))
    if (claim instanceof Promise) return claim.then((late) => this.#answerClaim(agent, origin, message, late))
    return this.#answerClaim(agent, origin, message, claim)
  }

  #answerClaim(agent: Agent, origin: Origin, message: AgentToServer, claim: Binding | InstanceUid | 'full'): Answer | Promise<Answer> {
    if (claim === 'full') return this.#unavailable(agent, 'too-many-agents', 'unavailable', 'too many agents')
    if (typeof claim === 'string') return this.#rename(agent, claim)
    return agent.exclusively(() => this.#takeIn(agent, origin, claim, message))
  }

  /** Tells a second agent with the uid of a live one to use another. */
  #rename(agent: Agent, newInstanceUid: InstanceUid): Answer {
    this.#tools.observer.refused?.('duplicate-uid')
    return { message: encodeContent(agent.addressee, this.#tools.bindings.capabilities, { newInstanceUid }), agent }
  }

  #takeIn(agent: Agent, origin: Origin, binding: Binding, message: AgentToServer): Answer | Promise<Answer> {
    const { clock, limits, bindings } = this.#tools
    // Replaced or closed while this message waited for its turn: it is not taken in, which the next one will show as a gap.
    if (agent.binding !== binding) return { message: encodeContent(agent.addressee, bindings.capabilities, {}), agent }
    const nowMs = clock.monotonic()
    agent.lastSeenMs = nowMs
    if (origin.stream === undefined) {
      const poll = notePoll(agent.polls, message.sequenceNum, nowMs)
      agent.polls = poll.history
      if (poll.isIntruder) return this.#rename(agent, bindings.reportDuplicate(agent, binding, origin))
    }
    const reading = readReport(agent.session, message, nowMs, limits)
    if (binding.stream === undefined && reading.gap) binding.customCapabilitiesSent = !this.#tools.customCapabilities.isSaid
    const assignedUid = reading.requestsUid ? this.#assignUid(agent, binding) : undefined
    if (!reading.eventful && binding.reported) return this.#conclude(agent, binding, reading, undefined, assignedUid)
    return this.#consult(agent, binding, message, reading, assignedUid)
  }

  /** Asks the handler. The session moves on only when the handler took the report in. */
  #consult(agent: Agent, binding: Binding, message: AgentToServer, reading: Reading, assignedUid: InstanceUid | undefined): Answer | Promise<Answer> {
    const { handler, wheel, limits, customCapabilities } = this.#tools
    if (message.customMessage !== undefined && !customCapabilities.names.includes(message.customMessage.capability)) delete message.customMessage
    const isFirst = !binding.reported
    binding.announced = true
    const conclude = (offer: Offer | undefined): Answer => this.#conclude(agent, binding, reading, offer, assignedUid)
    try {
      const offer = handler.onReport({
        uid: agent.uid,
        connection: binding.info,
        message,
        present: reading.present,
        capabilities: reading.capabilities,
        first: isFirst,
        complete: reading.complete,
        ...(assignedUid === undefined ? {} : { assignedUid }),
      })
      if (!(offer instanceof Promise)) return conclude(offer)
      return withinTime(offer, limits.handlerMs, wheel)
        .then(conclude)
        .catch((error: unknown) => this.#handlerFailed(agent, error))
    } catch (error) {
      return this.#handlerFailed(agent, error)
    }
  }

  #conclude(agent: Agent, binding: Binding, reading: Reading, offer: Offer | undefined, assignedUid: InstanceUid | undefined): Answer {
    const { delivery, bindings } = this.#tools
    agent.session = reading.session
    binding.reported = true
    if (reading.disconnects) {
      bindings.release(agent, binding, 'agent-disconnect')
      return { message: encodeContent(agent.addressee, binding.capabilitiesSent ? undefined : bindings.capabilities, {}), agent }
    }
    // The connection was replaced or closed while the handler thought. The answer is still owed; the offer is not.
    if (agent.binding !== binding) return { message: encodeContent(agent.addressee, bindings.capabilities, {}), agent }
    const own: Offer = { ...(reading.askFullState ? { reportFullState: true } : {}), ...(assignedUid === undefined ? {} : { newInstanceUid: assignedUid }) }
    delivery.post(agent, { ...offer, ...own })
    return { message: delivery.nextMessage(agent, binding, true) ?? agent.addressee, agent }
  }

  /** The same uid again while the agent keeps asking. */
  #assignUid(agent: Agent, binding: Binding): InstanceUid {
    const uid = binding.assignedUid ?? createInstanceUid(this.#tools.clock.now(), this.#tools.random)
    this.#tools.registry.rename(agent, uid)
    return uid
  }

  #handlerFailed(agent: Agent, error: unknown): Answer {
    this.#tools.log('handler-failed', 'error', 'A report could not be taken in', { uid: agent.uid, error: error instanceof Error ? error.message : 'unknown' })
    return this.#unavailable(agent, isSlow(error) ? 'slow' : 'handler-failed', 'unavailable', 'the report could not be taken in')
  }

  #unavailable(agent: Agent, cause: RefusalCause, refusal: 'rate' | 'unavailable', text: string): Answer {
    const retryAfterSeconds = this.#tools.retryAfterSeconds()
    return { ...this.#refuse(cause, refusal, encodeError(agent.addressee, 'unavailable', text, retryAfterSeconds), agent), retryAfterSeconds }
  }

  #refuse(cause: RefusalCause, refusal: NonNullable<Answer['refusal']>, message: Uint8Array, agent?: Agent): Answer {
    this.#tools.observer.refused?.(cause)
    this.#tools.log(cause, 'warn', 'A message was refused', { cause, uid: agent?.uid })
    return { message, refusal, ...(agent === undefined ? {} : { agent }) }
  }

  #counted(answer: Answer, origin: Origin, bytes: number, startMs: number): Answer {
    const { observer, clock } = this.#tools
    observer.received?.({
      transport: origin.transport,
      kind: answer.refusal === undefined ? 'report' : 'refused',
      bytes,
      durationMs: clock.monotonic() - startMs,
    })
    observer.sent?.({ transport: origin.transport, kind: 'reply', bytes: answer.message.length })
    return answer
  }

  /** Most streams carry one agent, which is then found without looking it up by text. */
  #heartbeatSender(origin: Origin, message: Uint8Array, uidOffset: number): Agent | undefined {
    const uid = message.subarray(uidOffset, uidOffset + 16)
    const agents = origin.stream?.agents
    if (agents?.size === 1) for (const agent of agents) if (bytesEqual(agent.uidBytes, uid)) return agent
    return this.#tools.registry.find(instanceUidFromBytes(uid))
  }

  /** Nothing is due to this agent but the bare answer. */
  #isQuiet(agent: Agent, origin: Origin): boolean {
    const { binding } = agent
    if (binding === undefined || binding.stream !== origin.stream || !binding.reported || !binding.capabilitiesSent || agent.isBusy) return false
    if (origin.stream === undefined && (binding.info.principal !== origin.principal || !binding.customCapabilitiesSent)) return false
    for (const _ in agent.outbox) return false
    return true
  }
}

/** Unreadable messages are answered to the agent of the connection, if there is exactly one. */
function addresseeOn(origin: Origin): Uint8Array {
  const agents = origin.stream?.agents
  if (agents?.size === 1) for (const agent of agents) return agent.addressee
  return nobody
}
