/** Why an action is not possible, in sentences that say what to do. */
import type { RolloutActionName } from '@drover/api'
import { retriableIn, RolloutError, rolloutActions, step } from '@drover/fleet'
import type { RolloutStateName } from '@drover/fleet'
import { ConflictError } from '../../http/errors.ts'
import type { RolloutMemory } from '../run/memory.ts'
import type { StoredRollout } from '../store.ts'

export const stateWords: Readonly<Record<RolloutStateName, string>> = {
  draft: 'not started yet',
  waiting: 'waiting',
  running: 'running',
  soaking: 'watching a wave',
  paused: 'paused',
  stopped: 'stopped',
  rollingBack: 'going back',
  rolledBack: 'rolled back',
  completed: 'completed',
  superseded: 'replaced by a newer one',
}

const doing: Readonly<Record<RolloutActionName, string>> = {
  start: 'started',
  approve: 'approved',
  pause: 'paused',
  resume: 'resumed',
  promote: 'taken to its next wave',
  retry: 'tried again',
  stop: 'stopped',
  rollBack: 'rolled back',
}

export function refusal(error: RolloutError): ConflictError {
  return new ConflictError(error.code, whyRefused(error))
}

function whyRefused({ code, state, action }: RolloutError): string {
  switch (code) {
    case 'wrong-state': {
      const done = action === 'supersede' ? 'replaced' : doing[action]
      return `a rollout that is ${stateWords[state]} cannot be ${done}: ${insteadOf(state)}`
    }
    case 'not-waiting-for-approval':
      return `the rollout does not wait for an approval, it is ${stateWords[state]}: nothing has to be approved`
    case 'same-person':
      return 'somebody other than the person who started the rollout has to approve it: ask a colleague to sign in and to approve'
    case 'last-wave':
      return 'this is the last wave, and agents of it have no outcome yet: wait for them, or stop the rollout'
    case 'still-giving-back':
      return 'not every agent that has the change was told to go back: wait a moment, then stop it'
    case 'wave-not-open':
      return 'the wave has not been opened, so there is nothing to end early: wait until it opens, or resume the rollout'
    default:
      return code satisfies never
  }
}

function insteadOf(state: RolloutStateName): string {
  const possible = rolloutActions[state].flatMap((action) => (action === 'supersede' ? [] : [doing[action]]))
  if (state === 'rolledBack') return 'agents that failed to go back can be tried again; for anything else start a new one'
  if (state === 'rollingBack') return 'wait until it is rolled back, or stop waiting for agents that do not answer'
  return possible.length > 0 ? `it can be ${possible.join(', ')}` : 'start a new one for the same revision'
}

export function notTheNewest({ rollout }: StoredRollout, action: RolloutActionName, memory: RolloutMemory): ConflictError {
  if (rollout.state === 'draft') return new ConflictError('wrong-state', 'the rollout is not started yet: start it, or delete it')
  const newest = memory.newestOf(rollout.group)
  const instead =
    newest === undefined
      ? `the group ${rollout.group} was deleted`
      : `${newest.id} took over the group ${rollout.group}; act on that one, or start a new rollout`
  return new ConflictError('not-the-newest', `this rollout cannot be ${doing[action]} any more: ${instead}`)
}

/** Every action, and why this person cannot do it now. */
export function possibleActions(
  stored: StoredRollout,
  memory: RolloutMemory,
  by: string,
): { action: RolloutActionName; allowed: boolean; why: string | null }[] {
  const names = Object.keys(doing) as RolloutActionName[] // as: the keys of a total record
  return names.map((action) => {
    const why = whyNot(stored, memory, action, by)
    return { action, allowed: why === null, why }
  })
}

/** Some agent can be tried again. */
const hasFailed = ({ waves }: StoredRollout['rollout']): boolean => retriableIn(waves) > 0

const nobodyFailed = ({ state }: StoredRollout['rollout']): string => (state === 'rolledBack' ? 'no agent has failed to go back' : 'no agent has failed it')

/** Nothing would be done: rather said than passed over. @throws {ConflictError} */
export function refuseIdleRetry(rollout: StoredRollout['rollout']): void {
  if (!hasFailed(rollout)) throw new ConflictError('nothing-failed', `${nobodyFailed(rollout)}, so nobody would be tried again`)
}

/** Somebody was faster, or the rollout itself. @throws {ConflictError} */
export function refuseOtherWave({ state, wave, waves }: StoredRollout['rollout'], seen: number): void {
  if (seen === wave + 1) return
  const now = `the rollout is ${stateWords[state]} in wave ${wave + 1} of ${waves.length} by now, no longer in wave ${seen}`
  throw new ConflictError('other-wave', `${now}: look at it again, then decide`)
}

function whyNot({ rollout, plan }: StoredRollout, memory: RolloutMemory, action: RolloutActionName, by: string): string | null {
  const { state, group, id, now } = rollout
  const isState = `the rollout is ${stateWords[state]}`
  if (action === 'start') return state === 'draft' ? null : isState
  if (state !== 'draft' && memory.find(id) === undefined)
    return memory.newestOf(group) === undefined ? 'the group was deleted' : 'a newer rollout of the group took over'
  if (action === 'retry' && !hasFailed(rollout)) return nobodyFailed(rollout)
  try {
    // A step changes nothing, so it may be tried.
    step(plan, rollout, { kind: action, by, reason: '' }, now)
    return null
  } catch (error) {
    if (!(error instanceof RolloutError)) throw error
    return error.code === 'wrong-state' ? isState : whyRefused(error)
  }
}
