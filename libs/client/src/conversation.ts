/** What is said on one channel: the first report, changes, heartbeats, answers, the last message. */
import { type CustomMessage, decodeServerToAgent, defaultLimits, encodeAgentToServer } from '@drover/protocol'
import type { Clock } from './clock.ts'
import type { ClientLimits } from './limits.ts'
import type { ClientLog } from './log.ts'
import { compose, type Composed, largestPart } from './session/compose.ts'
import { type Instruction, receive } from './session/receive.ts'
import { hasNews, nextCustomMessage, removeCustomMessage, type Session, withhold } from './session/session.ts'
import { type BucketRule, fullBucket, takeToken, type TokenBucket } from './token-bucket.ts'
import { type Channel, closeCode } from './transport/channel.ts'
import { ChannelError } from './transport/channel-error.ts'

export interface ConversationTools {
  readonly clock: Clock
  readonly limits: ClientLimits
  readonly log: ClientLog
  /** The session outlives conversations; only one of them works on it at a time. */
  readonly session: () => Session
  readonly update: (session: Session) => void
  /** Time from one message to the next heartbeat; undefined: none. */
  readonly heartbeatMs: (transport: Channel['transport']) => number | undefined
  readonly perform: (instruction: Instruction) => void
  /** The Server's first answer. */
  readonly answered: (answer: 'taken' | 'rejected') => void
  /** Sent, or never to be. */
  readonly customMessageDone: (message: CustomMessage, outcome: 'sent' | 'too-large') => void
}

export class Conversation {
  /** Why it is over; undefined: because we wanted it so. Settles once. */
  readonly ended: Promise<ChannelError | undefined>
  readonly #channel: Channel
  readonly #tools: ConversationTools
  readonly #messageRule: BucketRule
  readonly #fullReportRule: BucketRule
  #messages: TokenBucket
  #fullReports: TokenBucket
  #hasSpoken = false
  #isClosing = false
  #isOver = false
  #goodbye: Promise<void> | undefined
  #heartbeat: unknown
  #isHeartbeatDue = false
  #later: unknown
  #firstAnswer: unknown
  #isFlushPlanned = false
  /** On plain HTTP a custom message counts as sent when it was answered. */
  #carried: CustomMessage | undefined
  #lastSent: Composed | undefined
  #end: (error: ChannelError | undefined) => void = () => undefined
  #whenRoom: () => void = () => undefined

  constructor(channel: Channel, tools: ConversationTools) {
    const { messagesBurst, messagesPerSecond, fullReportBurst, fullReportMs } = tools.limits
    const nowMs = tools.clock.monotonic()
    this.#channel = channel
    this.#tools = tools
    this.#messageRule = { burst: messagesBurst, tokenMs: 1000 / messagesPerSecond }
    this.#fullReportRule = { burst: fullReportBurst, tokenMs: fullReportMs }
    this.#messages = fullBucket(this.#messageRule, nowMs)
    this.#fullReports = fullBucket(this.#fullReportRule, nowMs)
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** Sends the first report. */
  begin(): void {
    const { clock, limits } = this.#tools
    this.#channel.listen({
      received: (message) => this.#receive(message),
      drained: () => this.#drained(),
      ended: (error) => this.#finish(error),
    })
    if (this.#isOver || !this.#send(false)) return
    this.#hasSpoken = true
    // An HTTP exchange has the same limit of its own.
    if (this.#channel.transport === 'websocket')
      this.#firstAnswer = clock.setTimeout(
        () => void this.#leave(new ChannelError('timeout', 'the server did not answer the first report')),
        limits.responseTimeoutMs,
      )
  }

  /** The session changed: what is worth a message is sent, together with what changes in the same turn. */
  changed(): void {
    if (this.#isFlushPlanned) return
    this.#isFlushPlanned = true
    queueMicrotask(() => {
      this.#isFlushPlanned = false
      this.#flush()
    })
  }

  /** The interval is another. It still counts from the last message. */
  intervalChanged(): void {
    if (this.#hasSpoken && !this.#isOver) this.#planHeartbeat()
  }

  /** The part of the last message that most likely was too large. */
  get largestPartSent(): ReturnType<typeof largestPart> {
    return this.#lastSent && largestPart(this.#lastSent)
  }

  /** Sends what waits and the last message, and closes the channel. Settles when it is over, at the latest after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    if (this.#isOver) return
    await this.#sayGoodbye(graceMs)
    this.#finish(undefined)
  }

  abort(): void {
    this.#channel.abort()
    this.#finish(undefined)
  }

  #sayGoodbye(graceMs: number): Promise<void> {
    this.#goodbye ??= this.#takeLeave(graceMs)
    return this.#goodbye
  }

  async #takeLeave(graceMs: number): Promise<void> {
    const { clock, session } = this.#tools
    const startMs = clock.monotonic()
    this.#isClosing = true
    const late = new AbortController()
    const timer = clock.setTimeout(() => {
      late.abort()
      this.#whenRoom()
    }, graceMs)
    for (let isLast = false; !isLast; ) {
      if (!this.#channel.hasRoom) await new Promise<void>((resolve) => (this.#whenRoom = resolve))
      if (late.signal.aborted || this.#isOver) break
      if (!this.#channel.hasRoom) continue
      isLast = waitingMessages(session()) <= 1
      if (!this.#send(isLast)) break
    }
    clock.clearTimeout(timer)
    await this.#channel.close(closeCode.normal, Math.max(0, graceMs - (clock.monotonic() - startMs)))
  }

  #flush(): void {
    const { session, clock } = this.#tools
    if (this.#isHeartbeatDue && this.#mayTalk() && !this.#send(false)) return
    while (this.#mayTalk() && hasNews(session())) {
      const nowMs = clock.monotonic()
      const full = session().owesFullState ? takeToken(this.#fullReports, this.#fullReportRule, nowMs) : this.#fullReports
      const message = takeToken(this.#messages, this.#messageRule, nowMs)
      if (typeof full === 'number') return this.#flushLater(full)
      if (typeof message === 'number') return this.#flushLater(message)
      this.#fullReports = full
      this.#messages = message
      if (!this.#send(false)) return
    }
  }

  /** Nothing is said between the first report and its answer. */
  #mayTalk(): boolean {
    return this.#hasSpoken && this.#tools.session().isAnswered && !this.#isClosing && !this.#isOver && this.#channel.hasRoom
  }

  #flushLater(delayMs: number): void {
    this.#tools.clock.clearTimeout(this.#later)
    this.#later = this.#tools.clock.setTimeout(() => this.#flush(), delayMs)
  }

  /** False when the message cannot be made small enough. */
  #send(isLast: boolean): boolean {
    const { update } = this.#tools
    const fitting = this.#composeFitting(isLast)
    if (fitting === undefined) {
      this.#channel.abort()
      this.#finish(new ChannelError('too-large', 'not even a heartbeat fits in a message'))
      return false
    }
    const { composed, bytes } = fitting
    update(composed.after)
    this.#lastSent = composed
    this.#carried = composed.customMessage
    this.#isHeartbeatDue = false
    this.#planHeartbeat()
    if (this.#carried !== undefined && this.#channel.transport === 'websocket') this.#customMessageSent()
    this.#channel.send(bytes, composed.after.uid)
    return true
  }

  /** Leaves out the largest until the rest fits. */
  #composeFitting(isLast: boolean): { readonly composed: Composed; readonly bytes: Uint8Array } | undefined {
    const { session, update, limits, log, customMessageDone } = this.#tools
    const headerBytes = this.#channel.transport === 'websocket' ? 1 : 0
    for (;;) {
      const composed = compose(session(), { isLast })
      const bytes = encodeAgentToServer(composed.message)
      if (bytes.length + headerBytes <= limits.maxOutgoingBytes) return { composed, bytes }
      const part = largestPart(composed)
      const { customMessage } = composed
      if (customMessage !== undefined && customMessage.data.length > (part?.bytes ?? 0)) {
        log('warn', 'A custom message is too large to be sent', { bytes: customMessage.data.length, maxBytes: limits.maxOutgoingBytes })
        update(removeCustomMessage(session(), customMessage))
        customMessageDone(customMessage, 'too-large')
      } else if (part !== undefined) {
        log('warn', 'A part of the status is too large to be sent', { part: part.part, bytes: part.bytes, maxBytes: limits.maxOutgoingBytes })
        update(withhold(session(), part.part))
      } else return undefined
    }
  }

  #customMessageSent(): void {
    const { session, update, customMessageDone } = this.#tools
    const message = this.#carried
    this.#carried = undefined
    if (message === undefined) return
    update(removeCustomMessage(session(), message))
    customMessageDone(message, 'sent')
  }

  #drained(): void {
    if (this.#isOver) return
    this.#customMessageSent()
    this.#whenRoom()
    this.#flush()
  }

  #receive(bytes: Uint8Array): void {
    const { session, update, limits, perform, answered, clock } = this.#tools
    let message: ReturnType<typeof decodeServerToAgent>
    try {
      message = decodeServerToAgent(bytes, { ...defaultLimits, maxMessageBytes: limits.maxIncomingBytes })
    } catch (error) {
      void this.#channel.close(closeCode.invalidData, limits.closeMs)
      return this.#finish(new ChannelError('malformed', 'the server sent a message that cannot be read', { cause: error }))
    }
    const wasAnswered = session().isAnswered
    const received = receive(session(), message)
    update(received.session)
    clock.clearTimeout(this.#firstAnswer)
    const unavailable = received.instructions.find((instruction) => instruction.kind === 'unavailable')
    if (unavailable !== undefined) {
      const { retryAfterMs } = unavailable
      return void this.#leave(new ChannelError('overloaded', 'the server is unavailable', { retryAfterMs }))
    }
    if (!wasAnswered && received.session.isAnswered) answered(received.instructions.some(({ kind }) => kind === 'rejected') ? 'rejected' : 'taken')
    for (const instruction of received.instructions) if (!this.#isOver) perform(instruction)
    this.changed()
  }

  /** Ends the conversation ourselves, for a reason. Over plain HTTP there is nothing to take leave from. */
  async #leave(error: ChannelError): Promise<void> {
    if (this.#isClosing || this.#isOver) return
    if (this.#channel.transport === 'websocket') await this.#sayGoodbye(this.#tools.limits.closeMs)
    else this.#channel.abort()
    this.#finish(error)
  }

  #planHeartbeat(): void {
    const { clock, heartbeatMs } = this.#tools
    clock.clearTimeout(this.#heartbeat)
    const intervalMs = heartbeatMs(this.#channel.transport)
    if (intervalMs === undefined) return
    this.#heartbeat = clock.setTimeout(() => {
      this.#isHeartbeatDue = true
      this.#flush()
    }, intervalMs)
  }

  #finish(error: ChannelError | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const timer of [this.#heartbeat, this.#later, this.#firstAnswer]) this.#tools.clock.clearTimeout(timer)
    this.#whenRoom()
    this.#end(error)
  }
}

/** Custom messages that the Server takes. */
function waitingMessages(session: Session): number {
  const first = nextCustomMessage(session)
  return first === undefined ? 0 : session.customMessages.filter(({ capability }) => session.serverCustomCapabilities?.includes(capability)).length
}
