/** Decides with the rules of `fleet` what each agent is offered, keeps its ledger, and says what became of it. */
import { drift, nextDeadline, offerDecision, onStatus, openAttempt, timeOutAttempt } from '@drover/fleet'
import type { LedgerNotice, LedgerStep, OfferDecision } from '@drover/fleet'
import { redactFiles } from '@drover/agent-config'
import type { PreparedRemoteConfig } from '@drover/server'
import type { BlobStore } from '../storage/blob-store.ts'
import type { ReadStore } from '../storage/store.ts'
import { lookupOf } from './agent-record.ts'
import type { AgentRecord, ReportedConfig } from './agent-record.ts'
import type { Announcer } from './announcer.ts'
import { saveAttempts, saveRetry } from './attempts.ts'
import type { ComponentSets } from './component-sets.ts'
import type { Deadlines } from './deadlines.ts'
import type { DesiredConfigs } from './desired-configs.ts'
import type { AgentMetrics } from './metrics.ts'
import type { Registry } from './registry.ts'
import type { RenderedConfigs } from './rendered-configs.ts'
import type { AgentStore } from './store.ts'

export interface OffersOptions {
  readonly registry: Registry
  readonly store: AgentStore
  readonly read: ReadStore
  readonly blobs: BlobStore
  readonly desired: DesiredConfigs
  readonly rendered: RenderedConfigs
  readonly components: ComponentSets
  readonly deadlines: Deadlines
  readonly announcer: Announcer
  readonly metrics: AgentMetrics
  readonly log: { warn(fields: object, message: string): void }
  readonly now: () => number
  /** How long an agent may take to say what became of an offer; supervisors wait for their apply timeout first. */
  readonly attemptTimeoutMs: number
}

export class Offers {
  readonly #options: OffersOptions
  /** Whether an effective configuration (redacted, by hash) has all of a desired one: for agents that report no status. */
  readonly #matches = new Map<string, boolean>()

  constructor(options: OffersOptions) {
    this.#options = options
  }

  /** Looks which groups select the agent. True when what it should have is another configuration than before. */
  reassign(record: AgentRecord): boolean {
    const { registry, desired } = this.#options
    const assignment = desired.assign(lookupOf(record))
    const { config } = desired.render(assignment)
    if (assignment !== record.assignment) registry.change(record, () => (record.assignment = assignment))
    if (config.hash === record.desiredHash) return false
    record.desiredHash = config.hash
    this.#options.store.changed(record)
    return true
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
    const { components, rendered } = this.#options
    const effectiveMatches = this.#matches.get(matchKey(record))
    return offerDecision({
      desired: record.desiredHash,
      accepts: record.capabilities.has('AcceptsRemoteConfig'),
      reports: record.capabilities.has('ReportsRemoteConfig'),
      connected: record.connection !== undefined,
      complete: record.complete,
      lastOffered: record.lastOffered,
      ledger: record.ledger,
      baseline: rendered.baseline(components.get(record.componentsHash))?.hash ?? null,
      ...(effectiveMatches === undefined ? {} : { effectiveMatches }),
    })
  }

  /** What to send, if anything. The attempt is in the ledger and on its way to disk; flush the store before sending. */
  async decide(record: AgentRecord): Promise<PreparedRemoteConfig | undefined> {
    await this.#compareEffective(record)
    const first = this.explain(record)
    const known = first.kind === 'offer' ? await this.#find(record, first.hash) : undefined
    // Reading took its time; decide once more with what is true now.
    const decision = this.explain(record)
    if (decision.kind === 'offer' && first.kind === 'offer' && decision.hash === first.hash && known !== undefined) {
      this.#setState(record, decision)
      this.#open(record, decision)
      return known
    }
    if (decision.kind === 'offer' && known === undefined)
      this.#options.log.warn({ agent: record.id, hash: decision.hash }, 'configuration to restore is not in the store')
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
    if (hash === record.desiredHash) return this.#saveDesired(record)
    const baseline = rendered.baseline(components.get(record.componentsHash))
    if (baseline?.hash === hash) rendered.save(hash, baseline.files, baseline.known)
    return (await rendered.load(hash))?.prepared
  }

  #saveDesired(record: AgentRecord): PreparedRemoteConfig | undefined {
    const { desired, rendered } = this.#options
    if (record.assignment === undefined) return undefined
    const { config, prepared, source } = desired.render(record.assignment)
    if (config.hash === null || prepared === undefined) return undefined
    rendered.save(config.hash, config.files, { prepared, source })
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
    const { desired, rendered } = this.#options
    if (hash === record.desiredHash && record.assignment !== undefined) return desired.render(record.assignment).source
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

  /** Only agents that accept configurations and never say what became of one need their effective configuration compared. */
  async #compareEffective(record: AgentRecord): Promise<void> {
    const { desired, blobs, read, store } = this.#options
    const { effectiveHash, assignment } = record
    if (record.capabilities.has('ReportsRemoteConfig') || effectiveHash === null || record.desiredHash === null || assignment === undefined) return
    const key = matchKey(record)
    if (this.#matches.has(key)) return
    await store.flush()
    const effective = (await blobs.getJson(read, effectiveHash)) as { name: string; contentType: string; body: string }[] | undefined // as: only the intake writes it
    if (effective === undefined) return
    const [merged] = redactFiles([{ name: 'desired.yaml', contentType: 'text/yaml', body: desired.render(assignment).config.merged }])
    if (this.#matches.size > 10_000) this.#matches.clear()
    this.#matches.set(key, drift(merged?.body ?? '', effective)?.length === 0)
  }
}

function matchKey(record: AgentRecord): string {
  return `${record.effectiveHash ?? ''} ${record.desiredHash ?? ''}`
}
