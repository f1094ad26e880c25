/** Where one Agent stands in a rollout, what each state means to the engine, and how many Agents are in each. */

/** Which revision a state stands for: still the earlier one, the new one, or the earlier one again. */
export type MemberSide = 'before' | 'target' | 'back'

interface MemberTrait {
  readonly side: MemberSide
  /** The wave is not done before this Agent has an outcome. */
  readonly blocks: boolean
  /** Counts against the concurrency limit. */
  readonly inFlight: boolean
  readonly judged: 'good' | 'bad' | null
  /** It stays so when the rollout is over, until a person wants it tried again. */
  readonly settled: boolean
  /** For people: "3 agents <words>". */
  readonly words: string
}

const trait = (side: MemberSide, words: string, more: Partial<MemberTrait> = {}): MemberTrait => ({
  side,
  blocks: false,
  inFlight: false,
  judged: null,
  settled: false,
  words,
  ...more,
})

/**
 * - `busy`: its turn came while it was in an older rollout that is not over; queues when that one ends, and holds nobody up.
 * - `away`: its turn came while it was not connected; queues for release when it returns, and holds nobody up.
 * - `retrying`: failed, and is tried again by itself after a while.
 * - `lost`: disconnected after the push and did not come back in time.
 * - `unheard`: takes no offer of this kind, or never says what became of it: no evidence, and holds nobody up.
 * - `restoringAway`: gets the earlier revision when it connects; holds nobody up.
 * - `restoreRetrying`: failed the earlier revision, or did not answer, and is tried again by itself after a while.
 * - `restoreFailed`: did so too often. It is tried again when it has been away and returns, or when a person wants it.
 */
export const memberTraits = {
  pending: trait('before', 'wait for their wave or a free place', { blocks: true }),
  busy: trait('before', 'are in another rollout'),
  away: trait('before', 'are not connected'),
  released: trait('target', 'may have it and are about to be offered it', { blocks: true, inFlight: true }),
  offered: trait('target', 'were offered it', { blocks: true, inFlight: true }),
  applying: trait('target', 'are applying it', { blocks: true, inFlight: true }),
  retrying: trait('target', 'failed and are tried again soon', { blocks: true, inFlight: true }),
  applied: trait('target', 'applied it', { judged: 'good', settled: true }),
  failed: trait('target', 'failed it', { judged: 'bad', settled: true }),
  timedOut: trait('target', 'did not answer in time', { judged: 'bad', settled: true }),
  lost: trait('target', 'were lost after the push', { judged: 'bad' }),
  unheard: trait('target', 'cannot take it or never say', { settled: true }),
  restoring: trait('back', 'are going back', { blocks: true }),
  restoringAway: trait('back', 'go back when they connect'),
  restoreRetrying: trait('back', 'failed to go back and are tried again soon', { blocks: true }),
  restored: trait('back', 'are back', { settled: true }),
  restoreFailed: trait('back', 'failed to go back', { judged: 'bad' }),
} as const satisfies Readonly<Record<string, MemberTrait>>

export type MemberState = keyof typeof memberTraits

export const memberStates = Object.keys(memberTraits) as readonly MemberState[]

export function statesWith(holds: (trait: MemberTrait) => boolean): readonly MemberState[] {
  return memberStates.filter((state) => holds(memberTraits[state]))
}

/** What a person can have tried again. */
export const retriable: readonly MemberState[] = ['failed', 'timedOut', 'restoreFailed']

/** How many Agents are in each state. Those with nobody are left out. */
export type Counters = Readonly<Partial<Record<MemberState, number>>>

/** An Agent went from one state to another. `from` null: it joined. `to` null: it left the group. */
export interface Move {
  readonly wave: number
  readonly from: MemberState | null
  readonly to: MemberState | null
  /** It joined after the start: nobody waits for it, or a fleet that grows all the time would never be done. */
  readonly late: boolean
}

export function countIn(counters: Counters, states: readonly MemberState[]): number {
  let sum = 0
  for (const state of states) sum += counters[state] ?? 0
  return sum
}

/** Throws RangeError when nobody is in `from`: the counters and the members disagree, which must never be stored. */
export function countMove(counters: Counters, { from, to }: Move): Counters {
  const next: Partial<Record<MemberState, number>> = { ...counters }
  if (from !== null) {
    const left = (next[from] ?? 0) - 1
    if (left < 0) throw new RangeError(`nobody is counted as ${from}`)
    if (left === 0) delete next[from]
    else next[from] = left
  }
  if (to !== null) next[to] = (next[to] ?? 0) + 1
  return next
}
