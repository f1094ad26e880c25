/**
 * The engine: `step(plan, rollout, event, now)` gives the next rollout, what to log, and what to do. Pure; an event costs
 * the number of waves, never that of Agents.
 *
 * A driver stores the rollout, the decisions and the changed members in one transaction, and then carries out the effects.
 * After a crash it carries out `outstandingEffects` of what was stored: doing one twice does nothing the second time.
 */
import { advance, endRollback, note, type Turn, wakeTime } from './advance.ts'
import type { Decision } from './decision.ts'
import { type Effect, outstandingEffects } from './effects.ts'
import type { Share, Verdict } from './judge.ts'
import { type Move, retriable } from './member-state.ts'
import type { Wave } from './membership.ts'
import type { RolloutPlan } from './plan.ts'
import { badIn, isSettled, retriableIn, withMove } from './progress.ts'
import {
  awaitWave,
  complete,
  type DraftRollout,
  type GateRecord,
  type PausedRollout,
  pause,
  prolongSoak,
  requireAction,
  resume,
  type RollingBackRollout,
  type Rollout,
  type RolloutAction,
  RolloutError,
  type RunningRollout,
  type SoakingRollout,
  start,
  startRollback,
  stop,
  supersedeRollout,
  type Sweep,
} from './rollout.ts'

/** A person acts. `by` null: an API token without a name, or Drover. */
interface Act {
  readonly by: string | null
  /** In the person's words; may be empty. */
  readonly reason: string
}

export type RolloutEvent =
  /** Members changed, as `moveOf` says. Sent once for each change: rows and rollout are stored together. */
  | { readonly kind: 'moved'; readonly moves: readonly Move[] }
  /** A gate was judged. One for an earlier round changes nothing. */
  | { readonly kind: 'verdict'; readonly round: number; readonly gate: number; readonly verdict: Verdict }
  /** Time has passed. May come at any time. */
  | { readonly kind: 'tick' }
  /** The clock was set forward since the last step: a time in which nobody was watched. Comes before anything else that is seen by the new clock. */
  | { readonly kind: 'clockSet'; readonly byMs: number }
  /** A sweep over the members is complete. */
  | { readonly kind: 'swept'; readonly sweep: number }
  /** Of the group's Agents without the change that were connected at the start: how many are not now. */
  | { readonly kind: 'presence'; readonly control: Share }
  /** The older rollouts that still have some of the same Agents. */
  | { readonly kind: 'blockers'; readonly names: readonly string[] }
  | ({ readonly kind: 'start'; readonly waves: readonly Wave[]; readonly blockers: readonly string[] } & Act)
  | ({ readonly kind: 'approve' | 'pause' | 'resume' | 'promote' | 'retry' | 'stop' | 'rollBack' } & Act)
  /** A newer rollout of the group takes over. */
  | ({ readonly kind: 'supersede'; readonly rollout: string } & Act)

export interface Step {
  readonly rollout: Rollout
  /** For the log, in order. */
  readonly decisions: readonly Decision[]
  /** New ones. */
  readonly effects: readonly Effect[]
}

/** Throws RolloutError when an action does not fit the state; no other event is ever refused. */
export function step(plan: RolloutPlan, rollout: Rollout, event: RolloutEvent, now: number): Step {
  const turn: Turn = { plan, log: [] }
  const current = { ...rollout, now: Math.max(rollout.now, now) }
  const advanced = advance(turn, react(turn, current, event))
  const next = { ...advanced, wakeAt: wakeTime(plan, advanced) }
  const known = new Set(outstandingEffects(plan, rollout).map(({ key }) => key))
  return { rollout: next, decisions: turn.log, effects: outstandingEffects(plan, next).filter(({ key }) => !known.has(key)) }
}

function react(turn: Turn, rollout: Rollout, event: RolloutEvent): Rollout {
  switch (event.kind) {
    case 'tick':
      return rollout
    case 'moved':
      return { ...rollout, waves: moveAll(rollout.waves, event.moves), sweep: sweptBy(rollout.sweep, event.moves) }
    case 'verdict':
      return rollout.state === 'soaking' && rollout.soak.round === event.round ? judged(rollout, event.gate, event.verdict) : rollout
    case 'clockSet':
      return prolongSoak(rollout, event.byMs)
    case 'swept':
      return rollout.sweep?.no === event.sweep ? { ...rollout, sweep: null } : rollout
    case 'presence':
      return { ...rollout, presence: event.control }
    case 'blockers':
      return { ...rollout, blockers: event.names }
    default:
      requireAction(rollout, event.kind)
      return act(turn, rollout, event)
  }
}

function moveAll(waves: readonly Wave[], moves: readonly Move[]): readonly Wave[] {
  const next = [...waves]
  for (const move of moves) {
    const wave = next[move.wave]
    if (wave === undefined) throw new RangeError(`there is no wave ${move.wave}`)
    next[move.wave] = withMove(wave, move)
  }
  return next
}

/** Ends a retry with the last of those that had failed when it was asked for. */
function sweptBy(sweep: Sweep | null, moves: readonly Move[]): Sweep | null {
  if (sweep?.kind !== 'retry') return sweep
  const left = sweep.left - moves.filter(({ from, to }) => from !== null && retriable.includes(from) && (to === 'released' || to === 'restoring')).length
  return left <= 0 ? null : { ...sweep, left }
}

function judged(rollout: SoakingRollout, gate: number, { verdict, text, numbers }: Verdict): SoakingRollout {
  const { soak } = rollout
  const before = soak.gates.find((record) => record.gate === gate)
  if (before?.round === soak.round) return rollout
  // Inconclusive says nothing, so it neither confirms a failure nor denies it.
  const failedInRow = verdict === 'fail' ? (before?.failedInRow ?? 0) + 1 : verdict === 'pass' ? 0 : (before?.failedInRow ?? 0)
  const record: GateRecord = { gate, verdict, text, numbers, round: soak.round, failedInRow }
  const gates = [...soak.gates.filter((other) => other.gate !== gate), record].toSorted((a, b) => a.gate - b.gate)
  return { ...rollout, soak: { ...soak, gates } }
}

type ActionEvent = Extract<RolloutEvent, { readonly kind: RolloutAction }>

/** `requireAction` has been called: what is thrown for a state here cannot happen. */
function act(turn: Turn, rollout: Rollout, event: ActionEvent): Rollout {
  const said = { cause: 'person', by: event.by, reason: event.reason } as const
  const refuse = (): never => {
    throw new RolloutError('wrong-state', rollout.state, event.kind)
  }
  switch (event.kind) {
    case 'start':
      return rollout.state === 'draft' ? begin(turn, rollout, event) : refuse()
    case 'approve':
      return approve(turn, rollout, event)
    case 'pause':
      return rollout.state === 'waiting' || rollout.state === 'running' || rollout.state === 'soaking'
        ? note(turn, pause(rollout, 'person', event.reason), 'paused', said)
        : refuse()
    case 'resume':
      return rollout.state === 'paused' ? resume(note(turn, excuse(rollout), 'resumed', said)) : refuse()
    case 'promote':
      return rollout.state === 'running' || rollout.state === 'soaking' || rollout.state === 'paused' ? promote(turn, rollout, event) : refuse()
    case 'retry':
      return retry(turn, rollout, event)
    case 'stop':
      if (rollout.state === 'rollingBack') return stopWaiting(turn, rollout, event)
      return rollout.state === 'waiting' || rollout.state === 'running' || rollout.state === 'soaking' || rollout.state === 'paused'
        ? note(turn, stop(rollout, 'person', event.reason), 'stopped', said)
        : refuse()
    case 'rollBack':
      if (rollout.state === 'draft' || rollout.state === 'rollingBack' || rollout.state === 'rolledBack' || rollout.state === 'superseded') return refuse()
      return note(turn, startRollback(rollout, 'person', event.reason), 'rollingBack', said)
    case 'supersede':
      if (rollout.state === 'rollingBack' || rollout.state === 'superseded') return refuse()
      return note(turn, supersedeRollout(rollout, event.rollout), 'superseded', { ...said, cause: 'newer' })
    default:
      return event satisfies never
  }
}

function begin(turn: Turn, rollout: DraftRollout, { by, reason, waves, blockers }: Extract<RolloutEvent, { kind: 'start' }>): Rollout {
  const started = start(rollout, { by, waves, blockers, deadlineMs: turn.plan.deadlineMs, now: rollout.now })
  const size = waves.reduce((sum, wave) => sum + wave.size, 0)
  return note(turn, started, 'started', { cause: 'person', by, reason, numbers: { agents: size, waves: waves.length } })
}

function approve(turn: Turn, rollout: Rollout, { kind, by, reason }: ActionEvent): Rollout {
  if (rollout.state !== 'waiting' || rollout.hindrance?.kind !== 'approval') throw new RolloutError('not-waiting-for-approval', rollout.state, kind)
  if (rollout.hindrance.byAnother && (by === null || by === rollout.startedBy)) throw new RolloutError('same-person', rollout.state, kind)
  const approvals = [...rollout.approvals, { by: by ?? '', wave: rollout.wave }]
  return note(turn, { ...rollout, approvals }, 'approved', { cause: 'person', by, reason })
}

/** The wave counts as passed, whatever its gates say; what is bad now is let pass. */
function promote(turn: Turn, rollout: RunningRollout | SoakingRollout | PausedRollout, { kind, by, reason }: ActionEvent): Rollout {
  const wave = rollout.waves[rollout.wave]
  if (wave === undefined || wave.openedAt === null) throw new RolloutError('wave-not-open', rollout.state, kind)
  const isLast = rollout.wave === rollout.waves.length - 1
  if (isLast && !isSettled(wave)) throw new RolloutError('last-wave', rollout.state, kind)
  const noted = note(turn, excuse(rollout), 'promoted', { cause: 'person', by, reason })
  return isLast ? note(turn, complete(noted), 'completed', { cause: 'person', by }) : awaitWave(noted, rollout.wave + 1)
}

/** For those that are silent or fail to go back: they get the earlier revision all the same, and the group can be changed again. */
function stopWaiting(turn: Turn, rollout: RollingBackRollout, { kind, by, reason }: ActionEvent): Rollout {
  if (rollout.sweep !== null) throw new RolloutError('still-giving-back', rollout.state, kind)
  return endRollback(turn, rollout, { cause: 'person', by, reason })
}

/** Once more while it is under way is the same once. */
function retry(turn: Turn, rollout: Rollout, { by, reason }: ActionEvent): Rollout {
  if (rollout.sweep !== null) return rollout
  const no = rollout.sweeps + 1
  const left = retriableIn(rollout.waves)
  const sweep: Sweep | null = left === 0 ? null : { no, kind: 'retry', left }
  return note(turn, { ...rollout, sweep, sweeps: no }, 'retrying', { cause: 'person', by, reason, numbers: { bad: left } })
}

/** A person has seen what went wrong and wants to go on: it does not stop the rollout again. */
function excuse<R extends Rollout>(rollout: R): R {
  return { ...rollout, waves: rollout.waves.map((wave) => ({ ...wave, excused: badIn(wave) })) }
}
