/** Decides what to offer an Agent, if anything, and where it stands with its configuration. */
import { isFailure, type OfferReason } from './attempt.ts'
import { lastGoodHash, latestAttempt, type Ledger, verdict } from './ledger.ts'

/**
 * unmanaged: no group gives it a configuration; notAccepted: it does not accept remote configuration; pending: to be
 * offered when it can be; offered, applying, applied, failed: what became of the desired configuration; restored: it
 * failed the desired one and runs its last good one; timedOut: no answer to the offer.
 */
export type ConfigState = 'unmanaged' | 'notAccepted' | 'pending' | 'offered' | 'applying' | 'applied' | 'failed' | 'restored' | 'timedOut'

export interface OfferInput {
  /** Hash of what the Agent should run. null: no group gives it anything, and it keeps what it has. */
  readonly desired: string | null
  /** Its latest AcceptsRemoteConfig bit. */
  readonly accepts: boolean
  /** Its latest ReportsRemoteConfig bit. Without it nothing is ever heard of an offer. */
  readonly reports: boolean
  readonly connected: boolean
  /** Everything the Agent's capabilities promise is known since it connected. */
  readonly complete: boolean
  /** Hash of the last offer on this connection; null: none yet. An offer is never repeated on a connection. */
  readonly lastOffered: string | null
  readonly ledger: Ledger
  /** Hash of what to restore when the Agent has never applied anything; null: nothing fits it. */
  readonly baseline: string | null
  /** Configurations that were taken back from the fleet: an Agent is never sent back to one of them, however well it ran there. */
  readonly refused?: ReadonlySet<string>
  /** `desired` is what the Agent had before a change that was taken back and that left its groups with nothing to give. */
  readonly isBack?: boolean
  /** Why what its groups give cannot be rendered for this Agent, as a sentence. `desired` is null then. */
  readonly problem?: string | null
  /** For Agents that report no status: whether the effective config has all of the desired one. */
  readonly effectiveMatches?: boolean
}

export type OfferDecision =
  | { readonly kind: 'none'; readonly state: ConfigState; readonly reason: string }
  | { readonly kind: 'offer'; readonly hash: string; readonly reason: OfferReason; readonly state: ConfigState; readonly explanation: string }

/**
 * Pure and repeatable. After `offer`: send it, `openAttempt`, and remember its hash as `lastOffered` of the connection.
 *
 * - A configuration that the Agent failed is offered again only after `allowRetry`.
 * - An Agent that failed gets its last good configuration back; when it fails that too, nothing more is sent.
 * - When nothing is desired any more, nothing is sent: taking a running configuration away would stop telemetry.
 */
export function offerDecision(input: OfferInput): OfferDecision {
  const { desired } = input
  const problem = input.problem ?? null
  if (desired === null && problem === null) return none('unmanaged', 'No group gives this agent a configuration, so it keeps what it has.')
  if (!input.accepts) return none('notAccepted', 'The agent does not accept remote configuration.')
  if (desired === null) return none('failed', `${problem ?? ''} Until then nothing is sent, and it keeps what it has.`)
  const decision = isHeldBack(input.ledger, desired) ? decideRestore(input, desired) : decideDesired(input, desired)
  if (decision.kind === 'none' || (input.connected && input.complete)) return decision
  const wait = input.connected ? 'as soon as it has reported its full state' : 'when it connects'
  return decision.hash !== desired
    ? none('failed', `${failureText(input.ledger, desired)} It gets its last good configuration back ${wait}.`)
    : none('pending', `The configuration is offered ${wait}.`)
}

/** Whether the Agent failed this configuration and nobody asked to try it again. */
export function isHeldBack(ledger: Ledger, hash: string): boolean {
  if (ledger.retry === hash) return false
  const { reported } = ledger
  if (verdict(ledger, hash) !== 'failed') return latestAttempt(ledger, hash) === undefined && reported?.hash === hash && reported.status === 'failed'
  const latest = latestAttempt(ledger, hash)
  const retrying = latest?.reason === 'retry' && (latest.state === 'offered' || latest.state === 'applying' || latest.state === 'timedOut')
  return !retrying
}

/** What keeps an Agent from its desired configuration; null: nothing does. */
export function heldBack(
  ledger: Ledger,
  desired: string | null,
): { readonly failedHash: string; readonly errorMessage: string; readonly runningHash: string | null } | null {
  if (desired === null || !isHeldBack(ledger, desired)) return null
  const { reported } = ledger
  return { failedHash: desired, errorMessage: failureMessage(ledger, desired), runningHash: reported?.status === 'applied' ? reported.hash : null }
}

function decideDesired(input: OfferInput, desired: string): OfferDecision {
  const { ledger, connected } = input
  const { reported } = ledger
  const retry = ledger.retry === desired
  if (!retry && reported?.hash === desired) {
    if (reported.status === 'applied') return none('applied', 'The agent reports that it applied its configuration.')
    if (reported.status === 'applying') return awaiting(input, desired, 'applying')
  }
  if (!input.reports && input.effectiveMatches === true) return none('applied', 'The effective configuration has everything that is desired.')
  if (!retry && connected && input.lastOffered === desired) return awaiting(input, desired, 'offered')
  const reason = retry || verdict(ledger, desired) === 'failed' ? 'retry' : input.isBack === true ? 'restore' : 'desired'
  return { kind: 'offer', hash: desired, reason, state: 'offered', explanation: explanations[reason] }
}

const explanations: Readonly<Record<OfferReason, string>> = {
  retry: 'Somebody asked to try the configuration again although the agent failed it.',
  restore: 'The change that it got was taken back, so it gets what it had before.',
  desired: 'The agent does not report the configuration that its groups give it.',
}

/** Offered on this connection; how far did it come? */
function awaiting(input: OfferInput, desired: string, known: 'offered' | 'applying'): OfferDecision {
  if (!input.reports) return none('offered', 'The configuration was offered; this agent does not report what becomes of it.')
  if (latestAttempt(input.ledger, desired)?.state === 'timedOut')
    return none('timedOut', 'The configuration was offered, and the agent did not answer in time.')
  if (known === 'applying') return none('applying', 'The agent is applying the configuration.')
  return none('offered', 'The configuration was offered; the agent has not answered yet.')
}

function decideRestore(input: OfferInput, desired: string): OfferDecision {
  const { ledger, connected } = input
  const { reported } = ledger
  const failure = failureText(ledger, desired)
  const since = latestAttempt(ledger, desired)?.seq ?? 0
  const restoreFailed = ledger.attempts.some((attempt) => attempt.reason === 'restore' && attempt.seq > since && isFailure(attempt))
  if (restoreFailed) return none('failed', `${failure} It failed its last good configuration too, so nothing more is sent until somebody decides.`)
  const target = lastGoodHash(ledger, input.refused) ?? input.baseline
  if (target === null || target === desired) return none('failed', `${failure} There is no earlier configuration to go back to.`)
  if (verdict(ledger, target) === 'failed')
    return none('failed', `${failure} It failed the configuration to go back to as well, so nothing more is sent until somebody decides.`)
  if (reported?.hash === target && reported.status === 'applied') return none('restored', `${failure} It runs its last good configuration again.`)
  if (reported?.hash === target && reported.status === 'applying') return none('failed', `${failure} It is going back to its last good configuration.`)
  if (connected && input.lastOffered === target) return none('failed', `${failure} Its last good configuration was offered; it has not answered yet.`)
  return { kind: 'offer', hash: target, reason: 'restore', state: 'failed', explanation: `${failure} It gets its last good configuration back.` }
}

function failureMessage(ledger: Ledger, hash: string): string {
  const failed = ledger.attempts.findLast((attempt) => attempt.hash === hash && isFailure(attempt))
  if (failed !== undefined && isFailure(failed)) return failed.errorMessage
  return ledger.reported?.hash === hash ? ledger.reported.errorMessage : ''
}

const maxQuotedLength = 200

function failureText(ledger: Ledger, hash: string): string {
  const message = failureMessage(ledger, hash).replace(/\s+/g, ' ').trim()
  if (message === '') return 'The agent failed the configuration without saying why.'
  return `The agent failed the configuration: ${message.length > maxQuotedLength ? `${message.slice(0, maxQuotedLength).toWellFormed()}…` : message.replace(/\.$/, '')}.`
}

function none(state: ConfigState, reason: string): OfferDecision {
  return { kind: 'none', state, reason }
}
