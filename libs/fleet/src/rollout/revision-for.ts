/** What an Agent gets now: the one rule by which assignment, preview and driver agree. */
import { memberTraits } from './member-state.ts'
import type { Member } from './member.ts'
import type { Rollout } from './rollout.ts'

export interface GivenRevision {
  /** null: the group gives it nothing. */
  readonly revision: number | null
  /**
   * `earlier`: not released yet, or not part of it. `target`: released, or new in a group whose rollout is completed. `back`: the rollout took the
   * change back; with revision null there is nothing to go back to, and the Agent's own last good one or the baseline is.
   */
  readonly because: 'earlier' | 'target' | 'back'
}

/**
 * `rollout`: the newest of the group that was started, also after it is over; null: there never was one, and
 * `current` is what the group gives. `member`: the Agent's row in it; null: it has none (it joined just now).
 *
 * Once a rollback is decided nobody gets the target, whatever the rows say: also who returns a month later. A rollout that was
 * stopped keeps the group divided: who was released keeps the target, everybody else what they had. When it is completed, members that
 * were away or in another rollout still wait for their release: thousands may come back at once.
 */
export function revisionFor(current: number | null, rollout: Rollout | null, member: Pick<Member, 'holds' | 'state'> | null): GivenRevision {
  if (rollout === null) return { revision: current, because: 'earlier' }
  switch (rollout.state) {
    case 'rollingBack':
    case 'rolledBack':
      return { revision: rollout.from, because: 'back' }
    case 'draft':
    case 'waiting':
    case 'running':
    case 'soaking':
    case 'paused':
    case 'stopped':
    case 'superseded':
    case 'completed':
      if (member === null && rollout.state === 'completed') return { revision: rollout.to, because: 'target' }
      if (member === null) return { revision: rollout.from, because: 'earlier' }
      if (memberTraits[member.state].side === 'target') return { revision: rollout.to, because: 'target' }
      return { revision: member.holds, because: 'earlier' }
    default:
      return rollout satisfies never
  }
}
