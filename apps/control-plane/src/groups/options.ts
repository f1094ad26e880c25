/** What the routes of groups need of others. */
import type { RolloutStart } from '@drover/api'
import type { Selector } from '@drover/fleet'
import type { EventLog } from '../events/event-log.ts'
import { NotFoundError } from '../http/errors.ts'
import type { CheckPlan, RevisionRule } from '../seams.ts'
import type { ReadStore, Store, Tx } from '../storage/store.ts'
import type { InputOptions } from './input.ts'
import type { PreviewGroup } from './preview.ts'
import type { Counts } from './show.ts'
import type { GroupState, GroupStore, StoredGroup } from './store.ts'

/** What rollouts do for groups. */
export interface GroupRollouts {
  /**
   * In the caller's transaction: a rollout from what the group gives now to a revision of it. What was under way is superseded.
   * @throws {InvalidInputError} for a plan that means nothing.
   */
  begin(tx: Tx, beginning: Beginning): Promise<unknown>
  /** Why the group cannot be changed now, in a sentence that says what to do; null: it can. */
  whyNotChangeable(group: string): string | null
  /** In the transaction that deletes the group: its rollouts end. */
  endWith(tx: Tx, group: string, by: string): Promise<void>
}

export interface Beginning {
  readonly group: string
  readonly state: GroupState
  readonly to: number
  readonly start: RolloutStart
  readonly by: string
}

export interface GroupRoutesOptions extends InputOptions {
  readonly store: Store
  readonly events: EventLog
  readonly groups: GroupStore
  readonly countsByGroup: () => ReadonlyMap<string, Counts>
  /** Counted now, one agent after the other: for a group whose members are not known yet. */
  readonly countsOf: (selector: Selector) => Counts
  readonly preview: PreviewGroup
  readonly checkPlan: CheckPlan
  readonly rollouts: GroupRollouts
  /** How many agents would run something else if the group gave this. */
  readonly effectOf: (change: { group: string; revision: RevisionRule }) => Promise<{ readonly changing: number }>
  /** Called after the commit. */
  readonly onGroupsChanged: () => void
}

/** @throws {NotFoundError} */
export async function findGroup(groups: GroupStore, from: ReadStore, name: string): Promise<StoredGroup> {
  const group = await groups.find(from, name)
  if (group === undefined) throw new NotFoundError('group', name)
  return group
}
