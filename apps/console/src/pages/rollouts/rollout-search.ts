/** Which rollouts an address asks for. Pure. */
import { RolloutState } from '@drover/api'
import type { RolloutFilter } from '../../api/rollout-queries.ts'

/** What is not a state is no filter. */
export function filterOf({ state, group }: { readonly state?: string; readonly group?: string }): RolloutFilter {
  const known = state === 'active' || state === 'over' ? state : RolloutState.safeParse(state).data
  return { ...(known === undefined ? {} : { state: known }), ...(group === undefined ? {} : { group }) }
}

/** Is one list enough? A group alone still has two: what goes on, and what is over. */
export const isFiltered = ({ state }: RolloutFilter): boolean => state !== undefined
