/**
 * The memory of what one Agent was offered and what became of it. The protocol keeps only the latest status; the ledger
 * keeps every verdict, so that a configuration an Agent failed is not offered to it again without a decision.
 * All functions take a ledger and return the next one with what changed in it.
 */
import type { Attempt, OfferReason } from './attempt.ts'
import { confirmApplied, isFailure, isOpen, offerAgain, offerAttempt, recordFailure, rollBack, startApplying, supersede, timeOut } from './attempt.ts'

/** The Agent's remote config status as it last reported it. */
export interface ReportedStatus {
  /** Lower-case hex; empty: none. */
  readonly hash: string
  readonly status: 'unset' | 'applying' | 'applied' | 'failed'
  readonly errorMessage: string
}

export interface Ledger {
  /** Oldest first. Of each hash at least the latest attempt and the latest verdict. */
  readonly attempts: readonly Attempt[]
  readonly nextSeq: number
  /** Hash of a failed configuration that a person asked to try again, until that is offered. */
  readonly retry: string | null
  readonly reported: ReportedStatus | null
}

/** Something about a status that is worth a line in the event log. */
export type LedgerNotice =
  /** Nobody here offered this: another server did, or it was forgotten. It changes nothing. */
  | { readonly kind: 'unknown-hash'; readonly hash: string; readonly status: ReportedStatus['status'] }
  /** A status that names no configuration. It changes nothing. */
  | { readonly kind: 'empty-hash'; readonly status: ReportedStatus['status'] }
  /** What the Agent should run, though no attempt to give it is known: counted as if it had been offered. */
  | { readonly kind: 'adopted'; readonly hash: string }
  /** An answer after the time was up, or after something else was offered. */
  | { readonly kind: 'late'; readonly hash: string }
  /** A failed configuration works after all. */
  | { readonly kind: 'recovered'; readonly hash: string }
  /** An applied configuration stopped working. */
  | { readonly kind: 'relapsed'; readonly hash: string }

export interface LedgerStep {
  readonly ledger: Ledger
  /** Attempts that are new or in another state, to be stored by their `seq`. */
  readonly changed: readonly Attempt[]
  readonly notice: LedgerNotice | null
}

export const emptyLedger: Ledger = { attempts: [], nextSeq: 1, retry: null, reported: null }

/** A ledger from what was stored. Attempts in any order. */
export function createLedger(stored: {
  readonly attempts: readonly Attempt[]
  readonly retry?: string | null
  readonly reported?: ReportedStatus | null
}): Ledger {
  const attempts = stored.attempts.toSorted((a, b) => a.seq - b.seq)
  return { attempts: compact(attempts), nextSeq: (attempts.at(-1)?.seq ?? 0) + 1, retry: stored.retry ?? null, reported: stored.reported ?? null }
}

export interface StatusReport extends ReportedStatus {
  readonly now: number
  /** Hash of what the Agent should run. */
  readonly desired: string | null
}

/** Call it for every report that carries a remote config status, before the next decision. Repeating a report changes nothing. */
export function onStatus(ledger: Ledger, report: StatusReport): LedgerStep {
  const { hash, status, errorMessage } = report
  const repeated =
    ledger.reported !== null && ledger.reported.hash === hash && ledger.reported.status === status && ledger.reported.errorMessage === errorMessage
  const next: Ledger = { ...ledger, reported: { hash, status, errorMessage } }
  const unchanged = (notice: LedgerNotice | null): LedgerStep => ({ ledger: next, changed: [], notice: repeated ? null : notice })
  if (status === 'unset') return unchanged(null)
  if (hash === '') return unchanged({ kind: 'empty-hash', status })
  const attempt = latestAttempt(ledger, hash)
  if (attempt === undefined) {
    if (hash !== report.desired) return unchanged({ kind: 'unknown-hash', hash, status })
    return adopt(next, report)
  }
  // The status from before this offer, sent once more in a full report, is no answer to it.
  if (repeated && attempt.state === 'offered') return unchanged(null)
  const answered = answer(attempt, report)
  // Also when this was applied before: an agent that goes back by itself says so in this way.
  const rolledBack = status === 'applied' && !repeated ? rolledBackBy(next, answered, report.now) : []
  const changed = [...(answered === attempt ? [] : [answered]), ...rolledBack]
  if (changed.length === 0) return unchanged(null)
  const replaced = replace(next, changed)
  return { ledger: { ...replaced, attempts: compact(replaced.attempts) }, changed, notice: noticeOf(attempt, answered) }
}

function adopt(ledger: Ledger, report: StatusReport): LedgerStep {
  const attempt = answer(offerAttempt(ledger.nextSeq, report.hash, 'desired', report.now), report)
  const attempts = [...ledger.attempts, attempt]
  return { ledger: { ...ledger, attempts, nextSeq: ledger.nextSeq + 1 }, changed: [attempt], notice: { kind: 'adopted', hash: report.hash } }
}

function answer(attempt: Attempt, { status, errorMessage, now }: StatusReport): Attempt {
  switch (status) {
    case 'applying':
      return attempt.state === 'offered' || attempt.state === 'timedOut' ? startApplying(attempt, now) : attempt
    case 'applied':
      return attempt.state === 'applied' ? attempt : confirmApplied(attempt, now)
    case 'failed':
      if (attempt.state === 'rolledBack' || (attempt.state === 'failed' && attempt.errorMessage === errorMessage)) return attempt
      return recordFailure(attempt, errorMessage, now)
    case 'unset':
      return attempt
    default:
      return status satisfies never
  }
}

/** Failed attempts that end because the Agent is back on what it had: by our restoring it, or by itself. */
function rolledBackBy(ledger: Ledger, applied: Attempt, now: number): Attempt[] {
  return ledger.attempts
    .filter((attempt) => attempt.state === 'failed' && attempt.hash !== applied.hash && (applied.reason === 'restore' || applied.seq < attempt.seq))
    .map((attempt) => rollBack(attempt, applied.hash, now))
}

function noticeOf(before: Attempt, after: Attempt): LedgerNotice | null {
  const { hash } = after
  if (before.state === 'timedOut' || before.state === 'superseded') return { kind: 'late', hash }
  if (isFailure(before) && after.state === 'applied') return { kind: 'recovered', hash }
  return before.state === 'applied' && after.state === 'failed' ? { kind: 'relapsed', hash } : null
}

/** Call it when an offer is sent. What still waited for an answer is superseded; the same hash, still unanswered, is offered again. */
export function openAttempt(ledger: Ledger, offer: { readonly hash: string; readonly reason: OfferReason; readonly now: number }): LedgerStep {
  const { hash, reason, now } = offer
  const latest = latestAttempt(ledger, hash)
  const again = latest !== undefined && latest.reason === reason && (isOpen(latest) || latest.state === 'timedOut') ? latest : undefined
  const opened = again === undefined ? offerAttempt(ledger.nextSeq, hash, reason, now) : offerAgain(again, now)
  const superseded = ledger.attempts.filter((attempt) => isOpen(attempt) && attempt.seq !== opened.seq).map((attempt) => supersede(attempt, now))
  const changed = [...superseded, opened]
  const replaced = replace(ledger, changed)
  const attempts = again === undefined ? [...replaced.attempts, opened] : replaced.attempts
  const nextSeq = again === undefined ? ledger.nextSeq + 1 : ledger.nextSeq
  const retry = ledger.retry === hash ? null : ledger.retry
  return { ledger: { ...replaced, attempts: compact(attempts), nextSeq, retry }, changed, notice: null }
}

/** Times out what has waited longer than `timeoutMs`. Only for Agents that report a status: others never answer. */
export function timeOutAttempt(ledger: Ledger, now: number, timeoutMs: number): LedgerStep {
  const changed = ledger.attempts.filter((attempt) => isOpen(attempt) && attempt.updatedAt + timeoutMs <= now).map((attempt) => timeOut(attempt, now))
  return { ledger: changed.length === 0 ? ledger : replace(ledger, changed), changed, notice: null }
}

/** When `timeOutAttempt` will next have something to do; null: nothing waits. */
export function nextDeadline(ledger: Ledger, timeoutMs: number): number | null {
  const open = ledger.attempts.filter(isOpen).map((attempt) => attempt.updatedAt + timeoutMs)
  return open.length === 0 ? null : Math.min(...open)
}

/** A person's decision to offer a failed configuration once more. For one that did not fail it changes nothing. */
export function allowRetry(ledger: Ledger, hash: string): Ledger {
  return verdict(ledger, hash) === 'failed' ? { ...ledger, retry: hash } : ledger
}

export function latestAttempt(ledger: Ledger, hash: string): Attempt | undefined {
  return ledger.attempts.findLast((attempt) => attempt.hash === hash)
}

/** What the Agent last made of a configuration; undefined: it never said. */
export function verdict(ledger: Ledger, hash: string): 'applied' | 'failed' | undefined {
  const latest = ledger.attempts.findLast((attempt) => attempt.hash === hash && hasVerdict(attempt))
  if (latest === undefined) return undefined
  return latest.state === 'applied' ? 'applied' : 'failed'
}

function hasVerdict(attempt: Attempt): boolean {
  return attempt.state === 'applied' || isFailure(attempt)
}

/** The configuration to go back to: the one that the Agent applied last and did not fail since. `refused`: never one of these. */
export function lastGoodHash(ledger: Ledger, refused?: ReadonlySet<string>): string | null {
  const good = ledger.attempts.filter(({ state, hash }) => state === 'applied' && verdict(ledger, hash) === 'applied' && refused?.has(hash) !== true)
  const latest = good.toSorted((a, b) => a.updatedAt - b.updatedAt || a.seq - b.seq).at(-1)
  return latest?.hash ?? null
}

function replace(ledger: Ledger, changed: readonly Attempt[]): Ledger {
  const bySeq = new Map(changed.map((attempt) => [attempt.seq, attempt]))
  return { ...ledger, attempts: ledger.attempts.map((attempt) => bySeq.get(attempt.seq) ?? attempt) }
}

/** Drops attempts that no rule asks for any more; the store keeps them for people to read. */
function compact(attempts: readonly Attempt[]): readonly Attempt[] {
  const latest = new Map<string, number>()
  const latestVerdict = new Map<string, number>()
  for (const attempt of attempts) {
    latest.set(attempt.hash, attempt.seq)
    if (hasVerdict(attempt)) latestVerdict.set(attempt.hash, attempt.seq)
  }
  return attempts.filter(({ hash, seq }) => latest.get(hash) === seq || latestVerdict.get(hash) === seq)
}
