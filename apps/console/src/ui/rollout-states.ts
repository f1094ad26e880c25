/** What the states of rollouts, their waves, members and gates are called, how they look, and what they mean. Pure; every table is total. */
import type { GateResult, MemberCounts, MemberState, OwnMetric, Rollout, RolloutActionName, RolloutState } from '@drover/api'
import type { z } from 'zod'
import type { StateLook } from './agent-states.ts'

export const rolloutStates: Readonly<Record<RolloutState, StateLook>> = {
  draft: { label: 'Draft', tone: 'idle', meaning: 'Prepared; nobody gets anything until it is started' },
  waiting: { label: 'Waiting', tone: 'busy', meaning: 'Something has to happen before the next wave may open' },
  running: { label: 'Running', tone: 'busy', meaning: 'A wave is open, and its agents get the change' },
  soaking: { label: 'Watching', tone: 'busy', meaning: 'All agents of the wave have answered, and are watched before the next wave opens' },
  paused: { label: 'Paused', tone: 'warn', meaning: 'No further agent gets the change until somebody decides' },
  stopped: { label: 'Stopped', tone: 'warn', meaning: 'Ended on the way: agents that have the change keep it' },
  rollingBack: { label: 'Rolling back', tone: 'bad', meaning: 'Agents that got the change are given back what they had' },
  rolledBack: { label: 'Rolled back', tone: 'bad', meaning: 'Agents have again what they had before' },
  completed: { label: 'Completed', tone: 'ok', meaning: 'Every wave passed' },
  superseded: { label: 'Superseded', tone: 'idle', meaning: 'A newer rollout of the group took over' },
}

export const waveStates: Readonly<Record<Rollout['waves'][number]['state'], StateLook>> = {
  ahead: { label: 'ahead', tone: 'idle', meaning: 'Not opened yet' },
  open: { label: 'open', tone: 'busy', meaning: 'Its agents get the change now' },
  soaking: { label: 'watched', tone: 'busy', meaning: 'Its agents have answered and are watched' },
  passed: { label: 'passed', tone: 'ok', meaning: 'Everything that was asked of it held' },
}

/** What a bar tells apart. Each has a mark of its own, since colour alone is not seen by everybody. */
export type MemberPart = 'ahead' | 'away' | 'underWay' | 'has' | 'bad' | 'silent' | 'goingBack' | 'back'

export const memberParts: Readonly<Record<MemberPart, { readonly label: string; readonly meaning: string }>> = {
  has: { label: 'Have it', meaning: 'applied the change' },
  bad: { label: 'In trouble', meaning: 'failed it, did not answer, or were lost' },
  silent: { label: 'Cannot tell', meaning: 'do not take it or never say' },
  underWay: { label: 'Under way', meaning: 'are getting the change now' },
  goingBack: { label: 'Going back', meaning: 'are given back what they had' },
  back: { label: 'Back', meaning: 'have again what they had before' },
  away: { label: 'Not reached', meaning: 'are not connected or in another rollout: their turn came, and they follow by themselves' },
  ahead: { label: 'Not offered', meaning: 'were not offered the change' },
}
/** From left to right in a bar. */
export const partOrder = Object.keys(memberParts) as readonly MemberPart[] // as: the keys of the table above

interface MemberLook extends StateLook {
  readonly part: MemberPart
}

export const memberStates: Readonly<Record<MemberState, MemberLook>> = {
  pending: { part: 'ahead', label: 'Not offered', tone: 'idle', meaning: 'Its turn did not come' },
  busy: { part: 'away', label: 'In another rollout', tone: 'idle', meaning: 'It follows when the other rollout is over' },
  away: { part: 'away', label: 'Not connected', tone: 'idle', meaning: 'It gets the change when it returns' },
  released: { part: 'underWay', label: 'Next', tone: 'busy', meaning: 'It is about to be offered the change' },
  offered: { part: 'underWay', label: 'Offered', tone: 'busy', meaning: 'Sent, not answered yet' },
  applying: { part: 'underWay', label: 'Applying', tone: 'busy', meaning: 'It is applying the change' },
  retrying: { part: 'underWay', label: 'Retrying', tone: 'warn', meaning: 'It failed, and is tried again soon' },
  applied: { part: 'has', label: 'Applied', tone: 'ok', meaning: 'It runs the change' },
  failed: { part: 'bad', label: 'Failed', tone: 'bad', meaning: 'It refused or could not run the change' },
  timedOut: { part: 'bad', label: 'No answer', tone: 'bad', meaning: 'It did not answer the offer in time' },
  lost: { part: 'bad', label: 'Lost', tone: 'bad', meaning: 'It disconnected after the push and did not come back in time' },
  unheard: { part: 'silent', label: 'Cannot tell', tone: 'idle', meaning: 'It does not take this kind of change, or never says what became of it' },
  restoring: { part: 'goingBack', label: 'Going back', tone: 'warn', meaning: 'It is being given back what it had' },
  restoringAway: { part: 'goingBack', label: 'Goes back later', tone: 'warn', meaning: 'It is not connected, and gets back what it had when it returns' },
  restoreRetrying: { part: 'goingBack', label: 'Trying again', tone: 'warn', meaning: 'It failed what it had before, and is tried again soon' },
  restored: { part: 'back', label: 'Back', tone: 'ok', meaning: 'It has again what it had before' },
  restoreFailed: { part: 'bad', label: 'Could not go back', tone: 'bad', meaning: 'It failed what it had before as well: look at this agent' },
}

type Verdict = NonNullable<GateResult['verdict']>
export const verdicts: Readonly<Record<Verdict | 'none' | 'ended', StateLook>> = {
  pass: { label: 'Pass', tone: 'ok', meaning: 'It holds' },
  fail: { label: 'Fail', tone: 'bad', meaning: 'It does not hold' },
  inconclusive: { label: 'Inconclusive', tone: 'warn', meaning: 'There is not enough to say either' },
  none: { label: 'Not judged yet', tone: 'idle', meaning: 'It is judged while a wave is watched' },
  ended: { label: 'No verdict', tone: 'idle', meaning: 'The rollout has ended; what was found then stands among the decisions' },
}

export const metricNames: Readonly<Record<OwnMetric, string>> = {
  refused: 'Refused data',
  sendFailed: 'Failed exports',
  queueUse: 'Queue use',
  cpu: 'CPU',
  memory: 'Memory',
  throughput: 'Throughput',
}

export interface ActionLook {
  readonly label: string
  /** Asked before it is done. */
  readonly question: string
  readonly effect: string
  readonly danger: boolean
}

const actionLooks: Readonly<Record<RolloutActionName, ActionLook>> = {
  start: { label: 'Start', question: 'Start this rollout?', effect: 'The first wave opens as soon as nothing stands in its way.', danger: false },
  approve: { label: 'Approve', question: 'Approve this rollout?', effect: 'It goes on with the wave that waits for you.', danger: false },
  pause: {
    label: 'Pause',
    question: 'Pause this rollout?',
    effect: 'No further agent gets the change. Agents that are just getting it finish, and all keep what they have.',
    danger: false,
  },
  resume: { label: 'Resume', question: 'Resume this rollout?', effect: 'It goes on where it paused; gates are asked anew.', danger: false },
  promote: {
    label: 'Next wave now',
    question: 'Go to the next wave now?',
    effect: 'What is left of this wave, and of watching it, is skipped. Its gates are not waited for.',
    danger: true,
  },
  retry: {
    label: 'Retry the failed',
    question: 'Retry the agents that failed?',
    effect: 'Only agents that failed or did not answer are offered the change once more.',
    danger: false,
  },
  stop: {
    label: 'Stop',
    question: 'Stop this rollout for good?',
    effect: 'Agents that have the change keep it, the others never get it: the group stays divided until you roll back or start another rollout.',
    danger: true,
  },
  rollBack: {
    label: 'Roll back',
    question: 'Take this change back?',
    effect: 'Every agent that got the change is given back what it had. Agents that are not connected get it when they return.',
    danger: true,
  },
}

/** Of a rollback there is only the waiting to be stopped: everybody was told to go back. */
const stopWaiting: ActionLook = {
  label: 'Stop waiting',
  question: 'Wait no longer for agents that are not back?',
  effect:
    'The rollback ends now, and the group can be changed again. Agents that have not answered are still given back what they had, and count as back once they say so.',
  danger: true,
}

export function actionLook(action: RolloutActionName, state: RolloutState): ActionLook {
  return action === 'stop' && state === 'rollingBack' ? stopWaiting : actionLooks[action]
}

export type Counts = z.output<typeof MemberCounts>

/** Agents by what a bar tells apart, in its order; parts with nobody are left out. */
export function partsOf(counts: Counts): readonly { readonly part: MemberPart; readonly count: number }[] {
  const sums = new Map<MemberPart, number>()
  for (const [state, count] of Object.entries(counts) as [MemberState, number | undefined][]) {
    // as: Object.entries forgets the key type. A newer server may count states that this page does not know.
    const part = (memberStates[state] as MemberLook | undefined)?.part ?? 'silent'
    if (count) sums.set(part, (sums.get(part) ?? 0) + count)
  }
  return partOrder.flatMap((part) => {
    const count = sums.get(part)
    return count === undefined ? [] : [{ part, count }]
  })
}

/** e.g. `3 applied, 1 failed`, for those who do not see the bar. */
export function countsInWords(counts: Counts): string {
  const states = Object.keys(memberStates) as readonly MemberState[] // as: the keys of a total table
  const words = states.flatMap((state) => (counts[state] ? [`${counts[state].toLocaleString('en')} ${memberStates[state].label.toLowerCase()}`] : []))
  return words.length === 0 ? 'nobody' : words.join(', ')
}
