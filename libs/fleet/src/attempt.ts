/** One try to give an Agent a configuration: a union of states with one function per arrow. */

/** `desired`: the groups say so. `restore`: the last good one, after the desired one failed. `retry`: a person asked to try a failed one again. */
export type OfferReason = 'desired' | 'restore' | 'retry'

interface AttemptBase {
  /** Grows with each attempt of one Agent. */
  readonly seq: number
  /** Config hash, lower-case hex. */
  readonly hash: string
  readonly reason: OfferReason
  /** Milliseconds since 1970, as all times here. When it was first offered. */
  readonly offeredAt: number
  /** When it came into its state; offering again on a new connection counts. */
  readonly updatedAt: number
}

export interface OfferedAttempt extends AttemptBase {
  readonly state: 'offered'
}
export interface ApplyingAttempt extends AttemptBase {
  readonly state: 'applying'
}
export interface AppliedAttempt extends AttemptBase {
  readonly state: 'applied'
}
export interface FailedAttempt extends AttemptBase {
  readonly state: 'failed'
  /** In the Agent's words. */
  readonly errorMessage: string
}
/** No answer in time. A late one still counts. */
export interface TimedOutAttempt extends AttemptBase {
  readonly state: 'timedOut'
}
/** Another configuration was offered before an answer came. */
export interface SupersededAttempt extends AttemptBase {
  readonly state: 'superseded'
}
/** Failed, and the Agent is back on a configuration that works. */
export interface RolledBackAttempt extends AttemptBase {
  readonly state: 'rolledBack'
  readonly errorMessage: string
  readonly restoredHash: string
}

export type Attempt = OfferedAttempt | ApplyingAttempt | AppliedAttempt | FailedAttempt | TimedOutAttempt | SupersededAttempt | RolledBackAttempt
export type AttemptState = Attempt['state']

/** The attempt is not in a state from which the arrow starts. */
export class AttemptStateError extends Error {
  override readonly name = 'AttemptStateError'
  readonly from: AttemptState
  readonly to: AttemptState

  constructor(from: AttemptState, to: AttemptState) {
    super(`an attempt cannot go from ${from} to ${to}`)
    this.from = from
    this.to = to
  }
}

function base({ seq, hash, reason, offeredAt }: Attempt, now: number): AttemptBase {
  return { seq, hash, reason, offeredAt, updatedAt: now }
}

function requireState(attempt: Attempt, to: AttemptState, ...from: readonly AttemptState[]): void {
  if (!from.includes(attempt.state)) throw new AttemptStateError(attempt.state, to)
}

/** -> offered */
export function offerAttempt(seq: number, hash: string, reason: OfferReason, now: number): OfferedAttempt {
  return { seq, hash, reason, offeredAt: now, updatedAt: now, state: 'offered' }
}

/** offered | applying | timedOut -> offered: the same again on a new connection */
export function offerAgain(attempt: Attempt, now: number): OfferedAttempt {
  requireState(attempt, 'offered', 'offered', 'applying', 'timedOut')
  return { ...base(attempt, now), state: 'offered' }
}

/** offered -> applying; timedOut -> applying when the answer is late */
export function startApplying(attempt: Attempt, now: number): ApplyingAttempt {
  requireState(attempt, 'applying', 'offered', 'timedOut')
  return { ...base(attempt, now), state: 'applying' }
}

/** offered | applying -> applied; timedOut | superseded -> applied when the answer is late; failed | rolledBack -> applied when it works after all */
export function confirmApplied(attempt: Attempt, now: number): AppliedAttempt {
  requireState(attempt, 'applied', 'offered', 'applying', 'timedOut', 'superseded', 'failed', 'rolledBack')
  return { ...base(attempt, now), state: 'applied' }
}

/** offered | applying -> failed; timedOut | superseded -> failed when the answer is late; applied -> failed when it stops working; failed -> failed with another text */
export function recordFailure(attempt: Attempt, errorMessage: string, now: number): FailedAttempt {
  requireState(attempt, 'failed', 'offered', 'applying', 'timedOut', 'superseded', 'applied', 'failed')
  return { ...base(attempt, now), state: 'failed', errorMessage }
}

/** offered | applying -> timedOut */
export function timeOut(attempt: Attempt, now: number): TimedOutAttempt {
  requireState(attempt, 'timedOut', 'offered', 'applying')
  return { ...base(attempt, now), state: 'timedOut' }
}

/** offered | applying -> superseded */
export function supersede(attempt: Attempt, now: number): SupersededAttempt {
  requireState(attempt, 'superseded', 'offered', 'applying')
  return { ...base(attempt, now), state: 'superseded' }
}

/** failed -> rolledBack */
export function rollBack(attempt: Attempt, restoredHash: string, now: number): RolledBackAttempt {
  if (attempt.state !== 'failed') throw new AttemptStateError(attempt.state, 'rolledBack')
  return { ...base(attempt, now), state: 'rolledBack', errorMessage: attempt.errorMessage, restoredHash }
}

/** Waits for the Agent's word. */
export function isOpen(attempt: Attempt): attempt is OfferedAttempt | ApplyingAttempt {
  return attempt.state === 'offered' || attempt.state === 'applying'
}

/** Whether the Agent could not work with it, whatever it runs now. */
export function isFailure(attempt: Attempt): attempt is FailedAttempt | RolledBackAttempt {
  return attempt.state === 'failed' || attempt.state === 'rolledBack'
}
