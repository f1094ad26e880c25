/** Keeps a client connected: opens channels one after the other, waits between them, and tries other settings beside the running connection. */
import { serverCapabilities } from '@drover/protocol'
import type { ConnectionSettings, ConnectionStatus } from './client.ts'
import type { Clock } from './clock.ts'
import { Conversation, type ConversationTools } from './conversation.ts'
import { endpointName, parseEndpoint } from './endpoint.ts'
import type { ClientLimits, RetryPolicy } from './limits.ts'
import type { ClientLog } from './log.ts'
import { retryDelayMs } from './retry.ts'
import { connectionOpened, withhold } from './session/session.ts'
import { explainConnectError } from './tls/explain.ts'
import { type Channel, closeCode } from './transport/channel.ts'
import { asChannelError, ChannelError } from './transport/channel-error.ts'
import type { Connector } from './transport/connector.ts'
import { openChannel } from './transport/open-channel.ts'
import type { HeaderList } from './transport/redirect.ts'

export interface DriverTools extends Omit<ConversationTools, 'answered' | 'heartbeatMs'> {
  readonly clock: Clock
  readonly limits: ClientLimits
  readonly retry: RetryPolicy
  readonly log: ClientLog
  /** At least 0, below 1. */
  readonly random: () => number
  /** The proven ones. */
  readonly settings: () => ConnectionSettings
  readonly createConnector: (settings: ConnectionSettings) => Connector
  /** Those of the settings, and those that change. */
  readonly headers: (settings: ConnectionSettings) => HeaderList
  /** Time from one message to the next heartbeat; `unproven`: the settings of a connection that is on trial. */
  readonly heartbeatMs: (transport: Channel['transport'], unproven: ConnectionSettings | undefined) => number | undefined
  readonly statusChanged: (status: ConnectionStatus) => void
  /** The Server took the first report of a connection. */
  readonly connected: () => void
}

/** A way to a Server that is open, with what belongs to it. */
interface OpenWay {
  readonly settings: ConnectionSettings
  readonly channel: Channel
  readonly connector: Connector
}

/** Settings on trial: the next connection is made with them. */
interface Trial {
  readonly settings: ConnectionSettings
  /** Absent without a running connection beside which it could have been opened. */
  readonly way: OpenWay | undefined
  readonly options: TrialOptions
  readonly proven: () => void
  readonly failed: (error: ChannelError) => void
}

export interface TrialOptions {
  /** Ends the trial, at any stage. */
  readonly signal: AbortSignal
  /** The way is open and the running connection, if any, is closed: the Server's answer decides. */
  readonly begins: () => void
}

type ConnectionEnd = { readonly error: ChannelError | undefined; readonly wasGood: boolean }

export class ConnectionDriver {
  readonly #tools: DriverTools
  #conversation: Conversation | undefined
  #trial: Trial | undefined
  #unproven: ConnectionSettings | undefined
  #isStopping = false
  /** Ends a wait or an attempt to connect. */
  #interrupt = new AbortController()
  /** Ends attempts to open a channel for a trial. */
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined

  constructor(tools: DriverTools) {
    this.#tools = tools
  }

  start(): void {
    this.#running = this.#run()
  }

  /** The session changed. */
  changed(): void {
    this.#conversation?.changed()
  }

  intervalChanged(): void {
    this.#conversation?.intervalChanged()
  }

  /**
   * Connects with other settings. Whatever can fail without a message is done beside the running connection (name, TCP, TLS, proxy, HTTP status of the
   * upgrade). Then the running one takes leave and is closed, and the first report goes out on the new one: settles when the Server has taken it.
   * Otherwise rejects with a ChannelError, and where the running
   * connection was left, one is made with the proven settings again. One trial at a time.
   */
  async tryOut(settings: ConnectionSettings, options: TrialOptions): Promise<void> {
    const signal = AbortSignal.any([this.#stopping.signal, options.signal])
    const way = this.#conversation === undefined ? undefined : await this.#openWay(settings, signal)
    if (signal.aborted) {
      if (way !== undefined) closeWay(way)
      throw givenUp()
    }
    const proof = new Promise<void>((resolve, reject) => {
      this.#trial = { settings, way, options, proven: resolve, failed: reject }
    })
    await this.reconnect()
    return proof
  }

  /** Takes leave of the Server and connects again at once, with what is to be connected with now. */
  async reconnect(): Promise<void> {
    this.#interrupt.abort()
    await this.#conversation?.close(this.#tools.limits.closeMs)
  }

  /** Takes leave and ends everything. Settles at the latest after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true
    this.#stopping.abort()
    this.#interrupt.abort()
    await this.#conversation?.close(graceMs)
    await this.#running
  }

  async #run(): Promise<void> {
    let failures = 0
    let lastError: ChannelError | undefined
    while (!this.#isStopping) {
      const trial = this.#trial
      this.#trial = undefined
      const { error, wasGood } = trial === undefined ? await this.#connect(failures, lastError) : await this.#connectOnTrial(trial)
      if (this.#isStopping || this.#trial !== undefined) continue
      // A trial that failed says nothing about the proven settings.
      if (trial !== undefined && !wasGood) {
        failures = 0
        continue
      }
      failures = wasGood ? 0 : failures + 1
      lastError = error
      if (error !== undefined) await this.#wait(error, failures)
    }
    if (this.#trial?.way !== undefined) closeWay(this.#trial.way)
    this.#trial?.failed(givenUp())
    this.#tools.statusChanged({ state: 'stopped' })
  }

  async #connect(failures: number, lastError: ChannelError | undefined): Promise<ConnectionEnd> {
    const { settings, statusChanged } = this.#tools
    const current = settings()
    statusChanged({ state: 'connecting', endpoint: endpointName(current.endpoint), attempt: failures + 1, ...(lastError && { lastError: lastError.message }) })
    try {
      const way = await this.#openWay(current, this.#freshInterrupt())
      return await this.#converse(way, undefined, () => undefined)
    } catch (error) {
      return { error: asChannelError(error, 'connect'), wasGood: false }
    }
  }

  async #connectOnTrial({ settings, way, options, proven, failed }: Trial): Promise<ConnectionEnd> {
    const { statusChanged, limits } = this.#tools
    statusChanged({ state: 'connecting', endpoint: endpointName(settings.endpoint), attempt: 1 })
    let isProven = false
    let end: ConnectionEnd
    const giveUp = () => {
      this.#interrupt.abort()
      void this.#conversation?.close(limits.closeMs)
    }
    options.signal.addEventListener('abort', giveUp)
    try {
      const open = way ?? (await this.#openWay(settings, this.#freshInterrupt()))
      this.#unproven = settings
      options.begins()
      end = await this.#converse(open, options.signal, (answer) => {
        if (answer === 'rejected') return giveUp()
        this.#unproven = undefined
        isProven = true
        options.signal.removeEventListener('abort', giveUp)
        proven()
      })
    } catch (error) {
      end = { error: asChannelError(error, 'connect'), wasGood: false }
    }
    this.#unproven = undefined
    options.signal.removeEventListener('abort', giveUp)
    if (isProven) return end
    const wasGivenUp = this.#isStopping || options.signal.aborted
    failed(end.error ?? (wasGivenUp ? givenUp() : new ChannelError('status', 'the server did not accept the first report')))
    return { error: end.error, wasGood: false }
  }

  /** From the first report to the end of the channel. */
  async #converse(way: OpenWay, signal: AbortSignal | undefined, answered: ConversationTools['answered']): Promise<ConnectionEnd> {
    const { clock, retry, session, update, statusChanged, connected, heartbeatMs } = this.#tools
    let answeredAtMs: number | undefined
    update(connectionOpened(session()))
    const conversation = new Conversation(way.channel, {
      ...this.#tools,
      heartbeatMs: (transport) => heartbeatMs(transport, this.#unproven),
      answered: (answer) => {
        answeredAtMs = clock.monotonic()
        answered(answer)
        if (answer === 'taken') connected()
        statusChanged(this.#connectedStatus(way))
      },
    })
    this.#conversation = conversation
    // Stopped or asked for a trial while the channel was opened.
    if (this.#isStopping || this.#trial !== undefined || signal?.aborted === true) conversation.abort()
    else conversation.begin()
    const end = await conversation.ended
    const error = end && explained(end, way.settings)
    this.#conversation = undefined
    way.connector.close()
    if (error?.code === 'too-large') this.#leaveOutLargest(conversation)
    return { error, wasGood: answeredAtMs !== undefined && clock.monotonic() - answeredAtMs >= retry.stableMs }
  }

  #connectedStatus({ settings }: OpenWay): ConnectionStatus {
    const { clock, session } = this.#tools
    const capabilities = session().serverCapabilities
    return { state: 'connected', endpoint: endpointName(settings.endpoint), since: clock.now(), serverCapabilities: capabilities ?? serverCapabilities([]) }
  }

  /** The Server refused our message for its size: the same is not sent again. */
  #leaveOutLargest(conversation: Conversation): void {
    const { log, session, update } = this.#tools
    const largest = conversation.largestPartSent
    if (largest === undefined) return
    log('warn', 'A part of the status is larger than the server takes', { part: largest.part, bytes: largest.bytes })
    update(withhold(session(), largest.part))
  }

  async #openWay(settings: ConnectionSettings, signal: AbortSignal): Promise<OpenWay> {
    const { clock, limits, createConnector, headers } = this.#tools
    const endpoint = parseEndpoint(settings.endpoint)
    const connector = connectorFor(settings, createConnector)
    try {
      const channel = await openChannel({ endpoint, headers: () => headers(settings), connector, limits, clock }, signal)
      return { settings, channel, connector }
    } catch (error) {
      connector.close()
      throw explained(error, settings)
    }
  }

  async #wait(error: ChannelError, failures: number): Promise<void> {
    const { clock, retry, random, settings, statusChanged, log } = this.#tools
    const { code, message, retryAfterMs } = error
    const delayMs = retryDelayMs({ failures, isOverload: code === 'overloaded', retryAfterMs }, retry, random())
    const endpoint = endpointName(settings().endpoint)
    log(failures < 2 ? 'info' : 'warn', 'Not connected', { endpoint, code, reason: message, retryMs: Math.round(delayMs) })
    statusChanged({ state: 'waiting', endpoint, retryAt: clock.now() + delayMs, lastError: message })
    const signal = this.#freshInterrupt()
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, delayMs)
      signal.addEventListener('abort', () => {
        clock.clearTimeout(timer)
        resolve()
      })
    })
  }

  /** Already aborted when there is a reason to. */
  #freshInterrupt(): AbortSignal {
    this.#interrupt = new AbortController()
    if (this.#isStopping || this.#trial !== undefined) this.#interrupt.abort()
    return this.#interrupt.signal
  }
}

/** Settings that cannot be used stay so. */
function connectorFor(settings: ConnectionSettings, createConnector: DriverTools['createConnector']): Connector {
  try {
    return createConnector(settings)
  } catch (cause) {
    throw new ChannelError('tls', cause instanceof Error ? cause.message : 'the settings cannot be used', { cause })
  }
}

/** With what a person can do about it. */
function explained(error: unknown, settings: ConnectionSettings): ChannelError {
  const own = asChannelError(error, 'connect')
  if (own.cause === undefined || (own.code !== 'connect' && own.code !== 'tls')) return own
  return new ChannelError(own.code, explainConnectError(own.cause, settings), { cause: own.cause })
}

function closeWay({ channel, connector }: OpenWay): void {
  void channel.close(closeCode.normal, 0)
  connector.close()
}

function givenUp(): ChannelError {
  return new ChannelError('aborted', 'the attempt was given up')
}
