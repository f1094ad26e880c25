/** How far a rollout is, from its counters: what counts as bad, who may be released, whether a wave is done. */
import { countIn, countMove, type MemberState, memberTraits, type Move, retriable, statesWith } from './member-state.ts'
import type { Wave } from './membership.ts'
import type { RolloutPlan } from './plan.ts'
import type { Rollout } from './rollout.ts'

const blocking = statesWith(({ blocks }) => blocks)
const inFlight = statesWith((trait) => trait.inFlight)
const notBack: readonly MemberState[] = [...statesWith(({ side }) => side === 'target').filter((state) => state !== 'unheard'), 'restoring', 'restoreRetrying']

/** Failed, without an answer, and lost; also those that left the group as such. */
export function badIn({ counters, leftBad }: Wave): number {
  return countIn(counters, ['failed', 'timedOut', 'lost']) + leftBad
}

export function withMove(wave: Wave, move: Move): Wave {
  const { from, to, late } = move
  const counters = countMove(wave.counters, move)
  const released = wave.released + (from === 'pending' && to !== null && memberTraits[to].side !== 'back' ? 1 : 0)
  const leftBad = wave.leftBad + (to === null && from !== null && memberTraits[from].side === 'target' && memberTraits[from].judged === 'bad' ? 1 : 0)
  const blocks = (state: MemberState | null): number => (state !== null && memberTraits[state].blocks ? 1 : 0)
  const lateBlocking = wave.lateBlocking + (late ? blocks(to) - blocks(from) : 0)
  const next = { ...wave, counters, released, leftBad, lateBlocking }
  // What was let pass and is well now is no longer let pass when it goes bad again.
  return { ...next, excused: Math.min(wave.excused, badIn(next)) }
}

export interface Tally {
  readonly applied: number
  readonly bad: number
  readonly lost: number
  /** With an outcome. */
  readonly judged: number
}

/** Without the bad ones that a person let pass. */
export function tally(waves: readonly Wave[]): Tally {
  let [applied, bad, lost, judged] = [0, 0, 0, 0]
  for (const wave of waves) {
    const worked = wave.counters.applied ?? 0
    const all = badIn(wave)
    applied += worked
    judged += worked + all
    bad += all - wave.excused
    lost += Math.max(0, (wave.counters.lost ?? 0) - wave.excused)
  }
  return { applied, bad, lost: Math.min(lost, bad), judged }
}

/** Nobody of those who were there at the start is waited for. */
export function isSettled(wave: Wave): boolean {
  return countIn(wave.counters, blocking) - wave.lateBlocking <= 0
}

export function hasPending(waves: readonly Wave[], upTo: number): boolean {
  return waves.some(({ counters }, index) => index <= upTo && (counters.pending ?? 0) > 0)
}

/** Agents that have, or may have, what they should no longer have. */
export function notYetBack(waves: readonly Wave[]): { readonly restoring: number; readonly untouched: number } {
  const all = waves.reduce((sum, { counters }) => sum + countIn(counters, notBack), 0)
  const restoring = waves.reduce((sum, { counters }) => sum + countIn(counters, ['restoring', 'restoreRetrying']), 0)
  return { restoring, untouched: all - restoring }
}

/** How many members of a wave are to be released now. */
export function releasesDue({ state, waves }: Rollout, wave: number): number {
  const isReleasing = state === 'running' || state === 'soaking' || state === 'completed'
  const of = waves[wave]
  return isReleasing && of !== undefined ? openReleases(of) : 0
}

/** How many a person can have tried again. */
export function retriableIn(waves: readonly Wave[]): number {
  return waves.reduce((sum, { counters }) => sum + countIn(counters, retriable), 0)
}

/** How many of those that failed may be tried again now: while a person's retry is under way, the concurrency limit is theirs. */
export function retriesDue({ concurrency }: RolloutPlan, { sweep, waves }: Rollout): number {
  return sweep?.kind === 'retry' ? Math.min(sweep.left, roomIn(waves, concurrency)) : 0
}

function roomIn(waves: readonly Wave[], concurrency: number): number {
  return Math.max(0, concurrency - waves.reduce((sum, wave) => sum + countIn(wave.counters, inFlight) + openReleases(wave), 0))
}

function openReleases({ counters, granted, released }: Wave): number {
  return Math.min(Math.max(0, granted - released), counters.pending ?? 0)
}

/** Grants as many releases as the concurrency limit leaves room for, earlier waves first; none while a retry is under way. The same rollout when there is nobody to release. */
export function grantReleases<R extends Rollout>(rollout: R, concurrency: number): R {
  const { waves, wave: current } = rollout
  if (!hasPending(waves, current) || rollout.sweep?.kind === 'retry') return rollout
  let room = roomIn(waves, concurrency)
  let changed = false
  const next = waves.map((wave, index) => {
    const open = openReleases(wave)
    const more = index > current ? 0 : Math.min((wave.counters.pending ?? 0) - open, room)
    if (more <= 0) return wave
    room -= more
    changed = true
    return { ...wave, granted: wave.released + open + more }
  })
  return changed ? { ...rollout, waves: next } : rollout
}
