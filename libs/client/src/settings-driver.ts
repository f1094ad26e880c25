/** Carries out what becomes of offered connection settings: stores, tries, adopts or drops them, and reports. */
import { type ConnectionSettingsOffers, type ConnectionSettingsStatus, type OpAMPConnectionSettings, toHex } from '@drover/protocol'
import type { ConnectionSettings } from './client.ts'
import type { Clock } from './clock.ts'
import type { TrialOptions } from './driver.ts'
import type { ClientLog } from './log.ts'
import { type ReadOffer, settingsFromOffer } from './settings/from-offer.ts'
import { type SettingsEffect, type SettingsEvent, type SettingsState, stepSettings } from './settings/machine.ts'
import { type OfferStatus, statusMessage } from './settings/offer-status.ts'
import { dropCandidate, openSettings, storeAdopted, storeCandidate, storeStatus } from './settings/resume.ts'
import type { ClientStore } from './store.ts'
import { asChannelError, type ChannelErrorCode } from './transport/channel-error.ts'

export interface SettingsTools {
  readonly store: ClientStore
  readonly clock: Clock
  readonly log: ClientLog
  readonly trialMs: number
  readonly allowWeakerTls: boolean
}

/** Settings of other connections. */
export type OtherOffers = Pick<ConnectionSettingsOffers, 'ownMetrics' | 'ownTraces' | 'ownLogs' | 'otherConnections'>

export interface SettingsHost {
  /** Resolves when the Server answered on a connection made with the settings. */
  readonly tryOut: (settings: ConnectionSettings, options: TrialOptions) => Promise<void>
  /** Leaves a connection that was made with settings which are no longer wanted. */
  readonly reconnect: () => Promise<void>
  /** Wait before an attempt is repeated, after so many failures. */
  readonly retryDelayMs: (failures: number) => number
  readonly report: (status: ConnectionSettingsStatus) => void
  /** Takes the settings of other connections. */
  readonly applyRest: (offer: OtherOffers) => Promise<void>
  readonly refuse: (candidate: ConnectionSettings, current: ConnectionSettings) => string | undefined
  /** `isNewConnection`: more than the heartbeat interval is new. */
  readonly adopted: (settings: ConnectionSettings, isNewConnection: boolean) => void
  /** PEM keys of pending certificate requests. */
  readonly pendingKeys: () => readonly string[]
}

/** Nothing changes by trying these again soon. */
const finalErrors: ReadonlySet<ChannelErrorCode> = new Set(['tls', 'unauthorized', 'redirect', 'status', 'malformed', 'too-large', 'oversized'])

export class SettingsDriver {
  readonly #configured: ConnectionSettings
  readonly #tools: SettingsTools
  #state: SettingsState
  #firstEffects: readonly SettingsEffect[]
  #host: SettingsHost | undefined
  readonly #inbox: SettingsEvent[] = []
  #working: Promise<void> | undefined
  /** Other settings of the newest offer that has some. */
  #rest: OtherOffers | undefined
  #trial: { readonly abort: AbortController; readonly over: Promise<void> } | undefined
  #trialLimit: unknown
  #retry: unknown
  #failures = 0
  /** The connection in use was made with settings that are not stored yet. */
  #isOnUnstored = false
  #isStopped = false

  /** Reads what an earlier process left. */
  static async load(configured: ConnectionSettings, tools: SettingsTools): Promise<SettingsDriver> {
    const start = await openSettings(tools.store, configured)
    for (const name of start.unreadable) tools.log('warn', 'Stored connection settings cannot be read and are left aside', { name })
    if (start.isReset) tools.log('info', 'Settings that a server offered are left aside, as other ones were configured since', {})
    return new SettingsDriver(configured, tools, start.state, start.effects)
  }

  private constructor(configured: ConnectionSettings, tools: SettingsTools, state: SettingsState, firstEffects: readonly SettingsEffect[]) {
    this.#configured = configured
    this.#tools = tools
    this.#state = state
    this.#firstEffects = firstEffects
  }

  /** Before anything else below. */
  bind(host: SettingsHost): void {
    this.#host = host
  }

  /** The proven settings. */
  get current(): ConnectionSettings {
    return this.#state.candidate.current
  }

  get status(): ConnectionSettingsStatus {
    return statusMessage(this.#state.status)
  }

  /** Takes up what an earlier process left. Settles when there is nothing to do but to connect. */
  resume(): void {
    const effects = this.#firstEffects
    this.#firstEffects = []
    this.#working ??= this.#work(effects)
  }

  /** Only what the agent takes; the hash is that of the whole offer. */
  offered({ hash, opamp, ownMetrics, ownTraces, ownLogs, otherConnections }: ConnectionSettingsOffers): void {
    const hasRest = [ownMetrics, ownTraces, ownLogs].some((part) => part !== undefined) || Object.keys(otherConnections).length > 0
    if (hasRest) this.#rest = { otherConnections, ...(ownMetrics && { ownMetrics }), ...(ownTraces && { ownTraces }), ...(ownLogs && { ownLogs }) }
    const read = opamp === undefined ? {} : { opamp: this.#read(opamp) }
    // Whether a repeated offer is meant as one was judged by the session.
    this.#take({ kind: 'offered', offer: { hash: toHex(hash), ...read, hasRest, isRetry: true } })
  }

  #read(opamp: OpAMPConnectionSettings): ReadOffer {
    const { allowWeakerTls, store, clock } = this.#tools
    const rules = { allowWeakerTls, isDurable: store.isDurable, pendingKeys: this.#bound.pendingKeys(), now: clock.now() }
    const read = settingsFromOffer(opamp, this.current, rules)
    if ('refused' in read) return read
    const refused = this.#bound.refuse(read.candidate, this.current)
    return refused === undefined ? read : { refused }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#inbox.length = 0
    this.#endTrial()
    await this.#working
  }

  get #bound(): SettingsHost {
    if (this.#host === undefined) throw new TypeError('bind comes first')
    return this.#host
  }

  #take(event: SettingsEvent): void {
    if (this.#isStopped) return
    this.#inbox.push(event)
    this.#working ??= this.#work([])
  }

  /** One event after the other; what comes of an effect is taken before everything that happened meanwhile. */
  async #work(firstEffects: readonly SettingsEffect[]): Promise<void> {
    await this.#carryOutAll(firstEffects)
    for (let event = this.#inbox.shift(); event !== undefined; event = this.#inbox.shift()) {
      const { state, effects } = stepSettings(this.#state, event)
      this.#state = state
      await this.#carryOutAll(effects)
    }
    this.#working = undefined
  }

  async #carryOutAll(effects: readonly SettingsEffect[]): Promise<void> {
    for (const effect of effects) {
      if (this.#isStopped) return
      const outcome = await this.#carryOut(effect)
      if (outcome === undefined) continue
      this.#inbox.unshift(outcome)
      // A candidate that is not stored must not be tried.
      if (outcome.kind === 'failed') return
    }
  }

  async #carryOut(effect: SettingsEffect): Promise<SettingsEvent | undefined> {
    const { store } = this.#tools
    switch (effect.kind) {
      case 'store-candidate':
        return this.#store('The offered settings could not be stored', () => storeCandidate(store, effect.candidate, this.#configured))
      case 'connect':
        return this.#beginTrial(effect.settings)
      case 'reconnect':
        return this.#repeatTrial(effect.settings)
      case 'abandon':
        return this.#abandon()
      case 'adopt':
        return (
          (await this.#store('The proven settings could not be stored', () => storeAdopted(store, effect.candidate, this.#configured))) ?? { kind: 'adopted' }
        )
      case 'switch':
        return this.#switched(effect.settings)
      case 'drop':
        await this.#store('The dropped settings could not be removed', () => dropCandidate(store))
        return { kind: 'dropped' }
      case 'apply-rest':
        return this.#applyRest(effect.hash)
      case 'report':
        return this.#report(effect.status)
      default:
        return effect satisfies never
    }
  }

  async #store(what: string, write: () => Promise<void>): Promise<SettingsEvent | undefined> {
    try {
      await write()
      return undefined
    } catch (error) {
      this.#tools.log('error', what, { reason: error instanceof Error ? error.message : 'unknown' })
      return { kind: 'failed', reason: 'the settings could not be stored', isFinal: true }
    }
  }

  #beginTrial(settings: ConnectionSettings): undefined {
    const { clock, trialMs } = this.#tools
    this.#failures = 0
    this.#trialLimit = clock.setTimeout(() => this.#take({ kind: 'timed-out' }), trialMs)
    this.#tryOut(settings)
  }

  /** The running connection is still there: the trial may be repeated. */
  #repeatTrial(settings: ConnectionSettings): undefined {
    this.#failures += 1
    this.#retry = this.#tools.clock.setTimeout(() => this.#tryOut(settings), this.#bound.retryDelayMs(this.#failures))
  }

  #tryOut(settings: ConnectionSettings): void {
    const abort = new AbortController()
    let hasBegun = false
    const begins = () => {
      hasBegun = true
      this.#take({ kind: 'connected' })
    }
    const over = this.#bound.tryOut(settings, { signal: abort.signal, begins }).then(
      () => {
        this.#isOnUnstored = true
        this.#take({ kind: 'answered' })
      },
      (error: unknown) => {
        const { code, message } = asChannelError(error, 'connect')
        if (!abort.signal.aborted) this.#take({ kind: 'failed', reason: message, isFinal: hasBegun || finalErrors.has(code) })
      },
    )
    this.#trial = { abort, over }
  }

  async #abandon(): Promise<undefined> {
    const trial = this.#trial
    this.#endTrial()
    await trial?.over
    if (!this.#isOnUnstored) return
    this.#isOnUnstored = false
    await this.#bound.reconnect()
  }

  #endTrial(): void {
    const { clock } = this.#tools
    clock.clearTimeout(this.#trialLimit)
    clock.clearTimeout(this.#retry)
    this.#trial?.abort.abort()
    this.#trial = undefined
  }

  #switched(settings: ConnectionSettings): undefined {
    const isNewConnection = this.#isOnUnstored
    this.#isOnUnstored = false
    // The trial was successful: there is nothing to give up any more.
    this.#trial = undefined
    this.#endTrial()
    this.#bound.adopted(settings, isNewConnection)
  }

  #applyRest(hash: string): undefined {
    const offer = this.#rest
    if (offer === undefined) return
    this.#bound.applyRest(offer).then(
      () => this.#take({ kind: 'rest-settled', hash }),
      (error: unknown) => this.#take({ kind: 'rest-settled', hash, failure: error instanceof Error ? error.message : 'the settings cannot be used' }),
    )
  }

  async #report(status: OfferStatus): Promise<undefined> {
    this.#bound.report(statusMessage(status))
    if (status.kind === 'applied') this.#tools.log('info', 'Offered connection settings are in use', { hash: status.hash })
    if (status.kind === 'failed') this.#tools.log('warn', 'Offered connection settings are not used', { hash: status.hash, reason: status.reason })
    await this.#store('The status of connection settings could not be stored', () => storeStatus(this.#tools.store, status))
  }
}
