/** What a person has to know first about a rollout that does not simply go on: what happened, what is not known, what one can do. Pure. */
import type { Rollout, RolloutDecision } from '@drover/api'
import type { Tone } from '../../ui/StateBadge.tsx'
import { decisionBehind, touchedOf } from './rollout-view.ts'

export interface Callout {
  readonly tone: Tone
  readonly title: string
  /** Sentences, each a paragraph. */
  readonly told: readonly string[]
  /** Gates that could not be answered. */
  readonly unknown: readonly { readonly title: string; readonly text: string }[]
  /** What one can do. */
  readonly choices: readonly string[]
}

const agents = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'agent' : 'agents'}`
const callout = (part: Partial<Callout> & Pick<Callout, 'tone' | 'title'>): Callout => ({ told: [], unknown: [], choices: [], ...part })
const sentence = (text: string): string => (text === '' || /[.!?]$/.test(text) ? text : `${text}.`)
const present = (texts: readonly (string | undefined)[]): readonly string[] => texts.filter((text): text is string => text !== undefined && text !== '')

type Told = Pick<Rollout, 'state' | 'counts' | 'agents' | 'gates' | 'from' | 'to' | 'plan' | 'supersededBy' | 'group'>

/** undefined: nothing that the summary does not say. */
export function calloutOf(rollout: Told, decisions: readonly RolloutDecision[]): Callout | undefined {
  const behind = decisionBehind(rollout.state, decisions)
  switch (rollout.state) {
    case 'paused':
      return paused(rollout, behind)
    case 'rollingBack':
    case 'rolledBack':
      return takenBack(rollout, behind)
    case 'stopped':
      return stopped(rollout, behind)
    case 'superseded':
      return callout({ tone: 'idle', title: 'A newer rollout took over', told: ['Agents that have this change keep it until the newer rollout reaches them.'] })
    default:
      return undefined
  }
}

const nothingTouched = 'Nothing was taken back: agents that have the change keep it, and no further agent gets it.'

function paused(rollout: Told, behind: RolloutDecision | undefined): Callout {
  const unknown = rollout.gates.filter(({ verdict }) => verdict === 'inconclusive').map(({ title, text }) => ({ title, text }))
  const cause = behind?.cause ?? (unknown.length > 0 ? 'inconclusive' : 'person')
  const reason = sentence(behind?.reason ?? '')
  const choices = {
    resume: 'Resume: the gates are asked anew.',
    promote: 'Next wave now: when you know by other means that the agents are well.',
    rollBack: 'Roll back: every agent that has the change is given back what it had.',
  }
  switch (cause) {
    case 'inconclusive':
      return callout({
        tone: 'warn',
        title: 'Paused: it is not known whether the change is good',
        told: present([unknown.length === 0 ? reason : undefined, nothingTouched, 'Not knowing is no reason to change agents again.']),
        unknown,
        choices: [choices.resume, choices.promote, choices.rollBack],
      })
    case 'noEvidence':
      return callout({
        tone: 'warn',
        title: 'Paused: too few agents have told what became of the change',
        told: present([reason, nothingTouched]),
        choices: ['Look at the agents that are not connected or never answer.', choices.promote, choices.rollBack],
      })
    case 'partition':
      return callout({
        tone: 'warn',
        title: 'Paused: agents without the change go away as well',
        told: present([reason, 'This looks like an outage of a network or a site rather than a bad change, so nothing was taken back.']),
        choices: ['Wait until the agents are back, then resume.', choices.rollBack],
      })
    case 'deadline':
      return callout({
        tone: 'warn',
        title: 'Paused: it took longer than its plan allows',
        told: present([reason, nothingTouched]),
        choices: [choices.resume, choices.rollBack],
      })
    case 'gate':
    case 'budget':
      return callout({
        tone: 'bad',
        title: cause === 'gate' ? 'Paused: a gate failed' : 'Paused: too many agents failed',
        told: present([reason, nothingTouched, 'The plan says to pause and leave the decision to a person.']),
        choices: [choices.rollBack, 'Retry the failed: when the cause is gone.', choices.resume],
      })
    default:
      return callout({
        tone: 'warn',
        title: behind?.by ? `Paused by ${behind.by}` : 'Paused',
        told: present([reason, nothingTouched]),
        choices: ['Resume: it goes on where it paused.', choices.rollBack],
      })
  }
}

function takenBack(rollout: Told, behind: RolloutDecision | undefined): Callout {
  const { counts, from } = rollout
  const isDone = rollout.state === 'rolledBack'
  const touched = touchedOf(counts)
  const before = from === null ? 'what they had before, their last good configuration' : `revision ${from}`
  const where = present([
    counts.restored ? `${agents(counts.restored)} ${counts.restored === 1 ? 'is' : 'are'} back` : undefined,
    counts.restoring ? `${agents(counts.restoring)} ${counts.restoring === 1 ? 'is' : 'are'} going back` : undefined,
    counts.restoringAway ? `${agents(counts.restoringAway)} not connected: back when ${counts.restoringAway === 1 ? 'it returns' : 'they return'}` : undefined,
    counts.restoreRetrying
      ? `${agents(counts.restoreRetrying)} failed to go back at first and ${counts.restoreRetrying === 1 ? 'is' : 'are'} tried again`
      : undefined,
    counts.restoreFailed ? `${agents(counts.restoreFailed)} could not go back` : undefined,
  ])
  const areBack = isDone && !counts.restoring && !counts.restoreRetrying
  const untouched = Math.max(0, rollout.agents - touched)
  return callout({
    tone: isDone && !counts.restoreFailed ? 'warn' : 'bad',
    title: behind?.by ? `${behind.by} took the change back` : isDone ? 'Drover took the change back' : 'Drover is taking the change back',
    told: present([
      behind === undefined ? undefined : `Why: ${sentence(behind.reason === '' ? behind.sentence : behind.reason)}`,
      `Touched: ${agents(touched)} of ${rollout.agents.toLocaleString('en')} got the change${untouched > 0 ? `; ${agents(untouched)} never did` : ''}.`,
      `Now: ${where.length === 0 ? `they get ${before} again` : `${where.join('; ')}. They ${areBack ? 'have' : 'get'} ${before}`}.`,
    ]),
    choices: counts.restoreFailed
      ? ['Look at the agents that could not go back: they failed what they had before as well. Retry tries them once more.']
      : isDone
        ? ['Change what was wrong and save the group again: that makes a new revision.']
        : ['The group can be changed again when they are back, or when you stop waiting for those that do not answer.'],
  })
}

function stopped(rollout: Told, behind: RolloutDecision | undefined): Callout {
  const touched = touchedOf(rollout.counts)
  return callout({
    tone: 'warn',
    title: behind?.by ? `Stopped by ${behind.by}` : 'Stopped',
    told: present([
      sentence(behind?.reason ?? ''),
      `The group is divided: ${agents(touched)} got revision ${rollout.to}, ${agents(Math.max(0, rollout.agents - touched))} did not.`,
    ]),
    choices: ['Roll back, or save the group again: a new rollout takes everybody to the same revision.'],
  })
}
