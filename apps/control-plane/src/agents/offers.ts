/** Decides with the rules of `fleet` what each agent is offered, keeps its ledger, and says what became of it. */
import { isHeldBack, nextDeadline, offerDecision, onStatus, openAttempt, timeOutAttempt } from '@drover/fleet'
import type { LedgerNotice, LedgerStep, OfferDecision } from '@drover/fleet'
import type { Offer, PreparedRemoteConfig } from '@drover/server'
import type { AgentRecord, ReportedConfig } from './agent-record.ts'
import type { Announcer } from './announcer.ts'
import type { Assignments } from './assignments.ts'
import { saveAttempts, saveRetry } from './attempts.ts'
import type { ComponentSets } from './component-sets.ts'
import type { Deadlines } from './deadlines.ts'
import type { EffectiveMatches } from './effective-matches.ts'
import type { AgentMetrics } from './metrics.ts'
import type { OwnTelemetryOffers } from './own-telemetry.ts'
import type { Registry } from './registry.ts'
import type { RenderedConfigs } from './rendered-configs.ts'
import type { AgentStore } from './store.ts'

export interface OffersOptions {
  readonly registry: Registry
  readonly store: AgentStore
  readonly assignments: Assignments
  readonly matches: EffectiveMatches
  readonly ownTelemetry: OwnTelemetryOffers
  readonly rendered: RenderedConfigs
  readonly components: ComponentSets
  readonly deadlines: Deadlines
  readonly announcer: Announcer
  readonly metrics: AgentMetrics
  readonly log: { warn(fields: object, message: string): void }
  readonly now: () => number
  /** How long an agent may take to say what became of an offer; supervisors wait for their apply timeout first. */
  readonly attemptTimeoutMs: number
  /** Where the agent stands may be another than before, and nothing was heard of it. */
  readonly onStanding: (record: AgentRecord) => void
}

/** What goes out to an agent; nothing when it is undefined. */
export type Outgoing = Pick<Offer, 'remoteConfig' | 'connectionSettings'>

export class Offers {
  readonly #options: OffersOptions

  constructor(options: OffersOptions) {
    this.#options = options
  }

  /** Takes a status into the ledger. True when it holds a verdict that must be on disk before the answer. */
  takeStatus(record: AgentRecord, status: ReportedConfig): boolean {
    const step = onStatus(record.ledger, { ...status, now: this.#options.now(), desired: record.desiredHash })
    if (step.notice !== null) this.#notice(record, step.notice)
    if (step.notice?.kind === 'adopted') this.#saveDesired(record)
    this.#keep(record, step)
    return step.changed.some((attempt) => attempt.state === 'failed')
  }

  /** Where the agent stands and why, as of now. */
  explain(record: AgentRecord): OfferDecision {
    const { components, rendered, matches, assignments } = this.#options
    // For agents that report no status.
    const effectiveMatches = matches.known(record)
    const isHeld = record.desiredHash !== null && isHeldBack(record.ledger, record.desiredHash)
    return offerDecision({
      desired: record.desiredHash,
      accepts: record.capabilities.has('AcceptsRemoteConfig'),
      reports: record.capabilities.has('ReportsRemoteConfig'),
      connected: record.connection !== undefined,
      complete: record.complete,
      lastOffered: record.lastOffered,
      ledger: record.ledger,
      baseline: rendered.baseline(components.get(record.componentsHash))?.hash ?? null,
      isBack: record.isBack,
      problem: record.problem,
      ...(isHeld ? { refused: assignments.refused(record) } : {}),
      ...(effectiveMatches === undefined ? {} : { effectiveMatches }),
    })
  }

  /** What to send, if anything, by what rollouts give now. The attempt is in the ledger and on its way to disk; flush the store before sending. */
  async decide(record: AgentRecord): Promise<Outgoing | undefined> {
    this.#options.assignments.reassign(record)
    const remoteConfig = await this.#decideConfig(record)
    const connectionSettings = this.#options.ownTelemetry.decide(record)
    record.undecided = false
    if (remoteConfig === undefined && connectionSettings === undefined) return undefined
    return { ...(remoteConfig === undefined ? {} : { remoteConfig }), ...(connectionSettings === undefined ? {} : { connectionSettings }) }
  }

  async #decideConfig(record: AgentRecord): Promise<PreparedRemoteConfig | undefined> {
    // Only agents that accept configurations and never say what became of one need their effective configuration compared.
    if (!record.capabilities.has('ReportsRemoteConfig')) await this.#options.matches.compare(record)
    const first = this.explain(record)
    const known = first.kind === 'offer' ? await this.#find(record, first.hash) : undefined
    // Reading took its time; decide once more with what is true now.
    this.#options.assignments.reassign(record)
    const decision = this.explain(record)
    if (decision.kind === 'offer' && (first.kind !== 'offer' || decision.hash !== first.hash)) return this.#decideConfig(record)
    if (decision.kind === 'offer' && known !== undefined) {
      this.#setState(record, decision)
      this.#open(record, decision)
      return known
    }
    if (decision.kind === 'offer') this.#options.log.warn({ agent: record.id, hash: decision.hash }, 'configuration to restore is not in the store')
    this.#setState(record, decision)
    this.#armTimeout(record)
    return undefined
  }

  /** State alone, for an agent that cannot be sent anything now. */
  refresh(record: AgentRecord): void {
    this.#setState(record, this.explain(record))
    this.#armTimeout(record)
  }

  #setState(record: AgentRecord, decision: OfferDecision): void {
    if (decision.state !== record.configState) this.#options.registry.change(record, () => (record.configState = decision.state))
  }

  #open(record: AgentRecord, decision: Extract<OfferDecision, { kind: 'offer' }>): void {
    const step = openAttempt(record.ledger, { hash: decision.hash, reason: decision.reason, now: this.#options.now() })
    record.lastOffered = decision.hash
    this.#options.metrics.offers.inc({ reason: decision.reason })
    this.#keep(record, step)
    this.#armTimeout(record)
  }

  /** From memory or disk, and made sure to be on disk. */
  async #find(record: AgentRecord, hash: string): Promise<PreparedRemoteConfig | undefined> {
    const { rendered, components } = this.#options
    if (hash === record.desiredHash && !record.isBack) return this.#saveDesired(record)
    const baseline = rendered.baseline(components.get(record.componentsHash))
    if (baseline?.hash === hash) rendered.save(hash, { files: baseline.files, hasSecrets: false }, baseline.known)
    return (await rendered.load(hash))?.prepared
  }

  #saveDesired(record: AgentRecord): PreparedRemoteConfig | undefined {
    const wanted = this.#options.assignments.render(record)
    if (wanted?.hash == null || wanted.hash !== record.desiredHash || wanted.prepared === undefined) return undefined
    const { hash, prepared, source, shown } = wanted
    this.#options.rendered.save(hash, wanted, { prepared, source, shown: shown.files })
    return prepared
  }

  #keep(record: AgentRecord, step: LedgerStep): void {
    const { store, announcer, metrics } = this.#options
    const retried = record.ledger.retry !== null && step.ledger.retry === null
    record.ledger = step.ledger
    if (retried) store.also((tx) => saveRetry(tx, record.id, null))
    if (step.changed.length === 0) return
    store.changed(record)
    for (const attempt of step.changed) {
      const source = this.sourceOf(record, attempt.hash)
      store.together(saveAttempts, { record, attempt, source })
      metrics.attempts.inc({ status: attempt.state })
      announcer.attempt(record, attempt, source)
    }
  }

  /** What a hash stands for, as far as it is known without asking the store. */
  sourceOf(record: AgentRecord, hash: string): string {
    const { assignments, rendered } = this.#options
    const wanted = hash === record.desiredHash ? assignments.render(record) : undefined
    if (wanted?.hash === hash) return wanted.source
    return rendered.known(hash)?.source ?? ''
  }

  #armTimeout(record: AgentRecord): void {
    record.attemptTimeout?.cancel()
    record.attemptTimeout = undefined
    const { now, deadlines, attemptTimeoutMs } = this.#options
    if (record.connection === undefined || !record.capabilities.has('ReportsRemoteConfig')) return
    const due = nextDeadline(record.ledger, attemptTimeoutMs)
    if (due === null) return
    record.attemptTimeout = deadlines.after(Math.max(0, due - now()), () => {
      this.#keep(record, timeOutAttempt(record.ledger, now(), attemptTimeoutMs))
      this.refresh(record)
      this.#options.onStanding(record)
    })
  }

  #notice(record: AgentRecord, notice: LedgerNotice): void {
    const { announcer } = this.#options
    switch (notice.kind) {
      case 'unknown-hash':
        return announcer.changed(record, `${record.name} reports ${notice.status} for a configuration that this server did not offer`, { hash: notice.hash })
      case 'empty-hash':
        return announcer.changed(record, `${record.name} reports ${notice.status} for no configuration`, {})
      case 'adopted':
      case 'late':
      case 'recovered':
      case 'relapsed':
        return
      default:
        return notice satisfies never
    }
  }
}
