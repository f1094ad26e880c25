/** One Agent in one rollout: from what is seen of it to its state. Only the driver's member rows grow with the fleet, never the rollout. */
import { type Counters, type MemberState, memberTraits, type Move } from './member-state.ts'
import type { Placement } from './membership.ts'
import type { Outcome } from './outcome.ts'
import type { RolloutPlan } from './plan.ts'

export interface Member extends Placement {
  /** Revision it had when it joined, and has until it is released; null: none. */
  readonly holds: number | null
  readonly state: MemberState
  /** Times it failed and was tried again by itself; of one that goes back: times it failed to. */
  readonly tries: number
  /** When it came into its state. */
  readonly since: number
  /** When the revision was offered last; null: it never was, so the Agent cannot have it. Of one that goes back: when it failed to; null: it did not. */
  readonly pushedAt: number | null
}

/**
 * What the rollout is to the Agent. `over`: it has ended, and what it found of Agents until then is history. `elsewhere`: it
 * has ended, and the Agent is given something by a rollout of another group that has not: what it makes of both together
 * says something of this one only when it works.
 */
export type Standing = 'underWay' | 'over' | 'elsewhere'

/** What is known of the Agent now. `outcome` is of the revision that `revisionFor` gives it, together with what other groups give. */
export interface Sight {
  readonly outcome: Outcome
  /** null: it is connected. */
  readonly offlineSince: number | null
  /** When its present connection began: one that came back at once may never have been seen offline. null: it has none. */
  readonly connectedSince: number | null
  /** It is a member of an older rollout that is not over. */
  readonly busy: boolean
  readonly standing: Standing
}

export function createMember(placement: Placement, holds: number | null, now: number): Member {
  return { ...placement, holds, state: 'pending', tries: 0, since: now, pushedAt: null }
}

/** What a change of a member is to the counters; null: nothing. Of a new member: `moveOf(null, member)`; of one that left: `moveOf(member, null)`. */
export function moveOf(before: Member | null, after: Member | null): Move | null {
  const one = after ?? before
  if (one === null || before?.state === after?.state) return null
  return { wave: one.wave, from: before?.state ?? null, to: after?.state ?? null, late: one.late }
}

/** pending -> released | away | busy */
export function releaseMember(plan: RolloutPlan, member: Member, { offlineSince, busy }: Pick<Sight, 'offlineSince' | 'busy'>, now: number): Member {
  return member.state === 'pending' ? into(member, busy ? 'busy' : isAway(plan, offlineSince, now) ? 'away' : 'released', now) : member
}

/** Not at once: Agents reconnect, and after a restart of the server all of them do. */
function isAway({ times }: RolloutPlan, offlineSince: number | null, now: number): boolean {
  return offlineSince !== null && now - offlineSince >= times.lostGraceMs
}

/** failed | timedOut | retrying -> released; restoreRetrying | restoreFailed -> restoring. Together with `allowRetry` of its ledger. */
export function retryMember(member: Member, now: number): Member {
  switch (member.state) {
    case 'failed':
    case 'timedOut':
      return { ...into(member, 'released', now), tries: 0 }
    case 'retrying':
      return { ...into(member, 'released', now), tries: member.tries + 1 }
    case 'restoreRetrying':
      return into(member, 'restoring', now)
    case 'restoreFailed':
      return { ...into(member, 'restoring', now), tries: 0 }
    default:
      return member
  }
}

/** When it is tried again by itself; null: it is not. */
export function retryDueAt(plan: RolloutPlan, { state, since, tries, pushedAt }: Member): number | null {
  if (state === 'retrying') return since + plan.retries.delayMs
  if (state !== 'restoreRetrying') return null
  return pushedAt === null ? since : pushedAt + restoreWaitMs(plan, tries)
}

const minRestoreTries = 3
const minRestoreWaitMs = 10_000
const maxRestoreWaitMs = 10 * 60_000

/** How often an Agent may fail to go back before it counts: as often as the new revision, but at least three times, since it has to be somewhere. */
function restoreTries({ retries }: RolloutPlan): number {
  return Math.max(minRestoreTries, retries.count + 1)
}

/** Twice as long after each failure, also over returns: one that fails whenever it connects is not offered it all the time. */
function restoreWaitMs({ retries }: RolloutPlan, failures: number): number {
  const firstMs = Math.max(minRestoreWaitMs, retries.delayMs)
  return Math.max(firstMs, Math.min(maxRestoreWaitMs, firstMs * 2 ** (failures - 1)))
}

/** Whatever may have the target, or something else than `from` -> restoring | restoringAway; others as they are. busy | away -> pending */
export function restoreMember(member: Member, from: number | null, offlineSince: number | null, now: number): Member {
  const { side } = memberTraits[member.state]
  if (side === 'back' || member.state === 'unheard') return member
  if (side === 'before' && member.holds === from) return into(member, 'pending', now)
  return { ...into(member, offlineSince === null ? 'restoring' : 'restoringAway', now), tries: 0, pushedAt: null }
}

/** Whether what is seen of the Agent changes nothing: the rollout is over and has its outcome, or it tries something else. */
export function isHistory({ state }: Pick<Member, 'state'>, { outcome, standing }: Pick<Sight, 'outcome' | 'standing'>): boolean {
  if (standing === 'underWay') return false
  const { side, settled } = memberTraits[state]
  return settled || (standing === 'elsewhere' && side !== 'before' && outcome !== 'applied')
}

/** Call it when something about the Agent changed, and at its `memberDeadline`. Seeing the same again changes nothing. */
export function observeMember(plan: RolloutPlan, member: Member, sight: Sight, now: number): Member {
  if (isHistory(member, sight)) return member
  const { side } = memberTraits[member.state]
  switch (side) {
    case 'before':
      // Back in the queue, so that a thousand that return at once are released a few at a time.
      if (member.state === 'busy') return sight.busy ? member : into(member, 'pending', now)
      return member.state === 'away' && sight.offlineSince === null ? into(member, 'pending', now) : member
    case 'target':
      return pushed(member, into(member, targetState(plan, member, sight, now), now), now)
    case 'back':
      return goneBack(plan, member, sight, now)
    default:
      return side satisfies never
  }
}

function into(member: Member, state: MemberState, now: number): Member {
  return state === member.state ? member : { ...member, state, since: now }
}

const outStates: readonly MemberState[] = ['offered', 'applying', 'applied', 'failed', 'retrying']

/** The push counts from the first sign of it; for an Agent that is offered it again, from then. */
function pushed(before: Member, after: Member, now: number): Member {
  if (after.state === before.state) return before
  const again = (before.state === 'lost' || before.state === 'released') && (after.state === 'offered' || after.state === 'applying')
  return again || (after.pushedAt === null && outStates.includes(after.state)) ? { ...after, pushedAt: now } : after
}

function targetState(plan: RolloutPlan, member: Member, sight: Sight, now: number): MemberState {
  const { outcome, offlineSince } = sight
  switch (outcome) {
    case 'ineligible':
    case 'silent':
      return 'unheard'
    case 'failed':
      if (member.state === 'retrying' || member.state === 'failed') return member.state
      return member.tries < plan.retries.count ? 'retrying' : 'failed'
    case 'timedOut':
      return 'timedOut'
    case 'applied':
      return isLost(plan, member, offlineSince, now) ? 'lost' : 'applied'
    case 'offered':
    case 'applying':
      if (offlineSince !== null) return isAway(plan, offlineSince, now) ? 'lost' : underWay(member, outcome)
      return isOverdue(plan, member, now) ? 'timedOut' : underWay(member, outcome)
    case 'none':
      if (offlineSince !== null) return untilItReturns(plan, member, offlineSince, now)
      return isOverdue(plan, member, now) ? 'timedOut' : 'released'
    default:
      return outcome satisfies never
  }
}

/** To be offered it when it connects. One that had it, or may have it, never goes back into the queue: it would be given the earlier one meanwhile. */
function untilItReturns(plan: RolloutPlan, member: Member, offlineSince: number, now: number): MemberState {
  const { state, pushedAt } = member
  if (state === 'applied') return isLost(plan, member, offlineSince, now) ? 'lost' : state
  if (state === 'timedOut' || state === 'lost' || state === 'failed') return state
  if (!isAway(plan, offlineSince, now)) return 'released'
  return pushedAt === null ? 'away' : 'lost'
}

/** Only an answer takes an Agent out of `timedOut`: an offer repeated on each connection would hide that none comes. */
function underWay(member: Member, outcome: 'offered' | 'applying'): MemberState {
  return member.state === 'timedOut' ? 'timedOut' : outcome
}

function isLost(plan: RolloutPlan, { pushedAt, state }: Member, offlineSince: number | null, now: number): boolean {
  if (offlineSince === null || pushedAt === null) return false
  if (state === 'lost') return true
  return offlineSince >= pushedAt && offlineSince - pushedAt <= plan.times.lostWithinMs && now - offlineSince >= plan.times.lostGraceMs
}

/** Connected, under way and without an answer for too long; an Agent stays timed out until it answers. */
function isOverdue(plan: RolloutPlan, { state, since, pushedAt }: Member, now: number): boolean {
  if (state === 'timedOut') return true
  if (state === 'released') return now - since >= plan.times.applyTimeoutMs
  return (state === 'offered' || state === 'applying') && now - (pushedAt ?? since) >= plan.times.applyTimeoutMs
}

function goneBack(plan: RolloutPlan, member: Member, sight: Sight, now: number): Member {
  // Its own time, not that of the attempt: one that is tried again still has the attempt that timed out.
  const isOverdue = sight.offlineSince === null && now - member.since >= plan.times.applyTimeoutMs
  const hasFailed = member.state === 'restoring' && (sight.outcome === 'failed' || (sight.outcome !== 'applied' && isOverdue))
  const noted = hasFailed ? { ...member, tries: member.tries + 1, pushedAt: now } : member
  const after = into(noted, backState(plan, noted, sight, hasFailed, now), now)
  return after.state === member.state ? member : after
}

function backState(plan: RolloutPlan, member: Member, sight: Sight, hasFailed: boolean, now: number): MemberState {
  const { state, tries } = member
  const { outcome, offlineSince } = sight
  if (outcome === 'applied') return 'restored'
  if (offlineSince !== null) return 'restoringAway'
  if (outcome === 'ineligible' || outcome === 'silent') return 'unheard'
  if (state === 'restoreRetrying' || (state === 'restoreFailed' && !hasReturned(member, sight, now))) return state
  if (hasFailed) return tries < restoreTries(plan) ? 'restoreRetrying' : 'restoreFailed'
  // It failed before it went away, and is not offered it again by itself.
  return outcome === 'failed' ? 'restoreRetrying' : 'restoring'
}

/** On another connection since it failed. One from the future is from before the clock was put back. */
function hasReturned({ pushedAt }: Member, { connectedSince }: Sight, now: number): boolean {
  return connectedSince !== null && pushedAt !== null && connectedSince > pushedAt && connectedSince <= now
}

/** When to look at the member again though nothing is heard of it; null: only when something is. Not before it is reached does `observeMember` or `retryMember` have anything to do. */
export function memberDeadline(plan: RolloutPlan, member: Member, sight: Sight): number | null {
  if (isHistory(member, sight)) return null
  const { applyTimeoutMs, lostGraceMs } = plan.times
  const { state, since, pushedAt } = member
  switch (state) {
    case 'retrying':
    case 'restoreRetrying':
      return retryDueAt(plan, member)
    case 'released':
      return sight.offlineSince === null ? since + applyTimeoutMs : sight.offlineSince + lostGraceMs
    case 'restoring':
      return since + applyTimeoutMs
    case 'offered':
    case 'applying':
      return sight.offlineSince === null ? (pushedAt ?? since) + applyTimeoutMs : sight.offlineSince + lostGraceMs
    case 'applied': {
      const { offlineSince } = sight
      const willBeLost = offlineSince !== null && isLost(plan, member, offlineSince, offlineSince + lostGraceMs)
      return willBeLost ? offlineSince + lostGraceMs : null
    }
    default:
      return null
  }
}

/** Counters from the members themselves: what the kept ones must always equal. */
export function recount(members: Iterable<Member>, wave: number): Counters {
  const counters: Partial<Record<MemberState, number>> = {}
  for (const member of members) if (member.wave === wave) counters[member.state] = (counters[member.state] ?? 0) + 1
  return counters
}
