/**
 * A rollout of a group from one revision to the next: a union of states with one function per arrow. Plain JSON, and its size
 * depends on the number of waves, never on that of Agents.
 */
import type { Cause } from './decision.ts'
import type { Wave } from './membership.ts'
import type { VerdictKind } from './judge.ts'

interface RolloutBase {
  /** Of this shape, for what is stored. */
  readonly version: 1
  readonly id: string
  readonly group: string
  /** The revision that the last completed rollout gave the group, and to which this one goes back; null: none. */
  readonly from: number | null
  readonly to: number
  readonly startedBy: string | null
  readonly startedAt: number | null
  readonly deadlineAt: number | null
  /** Empty in a draft. */
  readonly waves: readonly Wave[]
  /** The wave that is under way, or is to be opened next. */
  readonly wave: number
  readonly approvals: readonly { readonly by: string; readonly wave: number }[]
  /** Older rollouts that have to end first. */
  readonly blockers: readonly string[]
  /** Agents without the change that went offline since the start: what a partition is told from. */
  readonly presence: { readonly bad: number; readonly of: number }
  /** Work on members that was decided and is not known to be done. */
  readonly sweep: Sweep | null
  /** Number of the last decision, sweep and round of gates: each names one for ever. */
  readonly decisions: number
  readonly sweeps: number
  readonly rounds: number
  /** What the gates said last of the wave that was watched before this state; null: none was. */
  readonly judged: { readonly wave: number; readonly gates: readonly GateRecord[] } | null
  /** The latest time it was told. A clock that jumps back stands still for it. */
  readonly now: number
  /** When it wants to be told the time; null: whenever. */
  readonly wakeAt: number | null
}

/**
 * `restore`: everybody back to `from`. `retry`: the failed ones once more, `left` of them at most: who fails again meanwhile
 * is not tried for ever.
 */
export type Sweep = { readonly no: number; readonly kind: 'restore' } | { readonly no: number; readonly kind: 'retry'; readonly left: number }

export type Hindrance =
  | { readonly kind: 'approval'; readonly byAnother: boolean }
  | { readonly kind: 'rollouts'; readonly names: readonly string[] }
  | { readonly kind: 'time'; readonly at: number }
  | { readonly kind: 'window'; readonly opensAt: number | null }

export interface GateRecord {
  /** Place in the plan's gates. */
  readonly gate: number
  readonly verdict: VerdictKind
  readonly text: string
  readonly numbers: Readonly<Record<string, number>>
  readonly round: number
  /** Failed so many rounds in a row. */
  readonly failedInRow: number
}

/** What a soak has learned. */
export interface Soak {
  readonly since: number
  readonly until: number
  readonly round: number
  readonly askedAt: number | null
  readonly gates: readonly GateRecord[]
}

export interface DraftRollout extends RolloutBase {
  readonly state: 'draft'
}
export interface WaitingRollout extends RolloutBase {
  readonly state: 'waiting'
  /** null: not yet looked for. */
  readonly hindrance: Hindrance | null
}
export interface RunningRollout extends RolloutBase {
  readonly state: 'running'
}
export interface SoakingRollout extends RolloutBase {
  readonly state: 'soaking'
  readonly soak: Soak
}
export interface PausedRollout extends RolloutBase {
  readonly state: 'paused'
  readonly was: 'waiting' | 'running' | 'soaking'
  readonly soak: Soak | null
  readonly cause: Cause
  readonly reason: string
}
export interface StoppedRollout extends RolloutBase {
  readonly state: 'stopped'
  readonly cause: Cause
  readonly reason: string
}
export interface RollingBackRollout extends RolloutBase {
  readonly state: 'rollingBack'
  readonly cause: Cause
  readonly reason: string
}
export interface RolledBackRollout extends RolloutBase {
  readonly state: 'rolledBack'
  readonly cause: Cause
  readonly reason: string
}
export interface CompletedRollout extends RolloutBase {
  readonly state: 'completed'
}
export interface SupersededRollout extends RolloutBase {
  readonly state: 'superseded'
  readonly by: string
}

export type Rollout =
  | DraftRollout
  | WaitingRollout
  | RunningRollout
  | SoakingRollout
  | PausedRollout
  | StoppedRollout
  | RollingBackRollout
  | RolledBackRollout
  | CompletedRollout
  | SupersededRollout
export type RolloutStateName = Rollout['state']

export type RolloutAction = 'start' | 'approve' | 'pause' | 'resume' | 'promote' | 'retry' | 'stop' | 'rollBack' | 'supersede'

/** Which action fits which state: for buttons, and for what is refused. */
export const rolloutActions: Readonly<Record<RolloutStateName, readonly RolloutAction[]>> = {
  draft: ['start', 'supersede'],
  waiting: ['approve', 'pause', 'stop', 'rollBack', 'supersede'],
  running: ['pause', 'promote', 'retry', 'stop', 'rollBack', 'supersede'],
  soaking: ['pause', 'promote', 'retry', 'stop', 'rollBack', 'supersede'],
  paused: ['resume', 'promote', 'retry', 'stop', 'rollBack', 'supersede'],
  stopped: ['rollBack', 'supersede'],
  rollingBack: ['stop'],
  rolledBack: ['retry', 'supersede'],
  completed: ['retry', 'rollBack', 'supersede'],
  superseded: [],
}

/**
 * `wrong-state`: the action does not fit the state. `not-waiting-for-approval`; `same-person`: another one has to approve;
 * `last-wave`: there is no next one to go to. `wave-not-open`: there is nothing to end early. `still-giving-back`: not everybody who
 * has the change was given the earlier revision.
 */
export type RolloutErrorCode = 'wrong-state' | 'not-waiting-for-approval' | 'same-person' | 'last-wave' | 'wave-not-open' | 'still-giving-back'

export class RolloutError extends Error {
  override readonly name = 'RolloutError'
  readonly code: RolloutErrorCode
  readonly state: RolloutStateName
  readonly action: RolloutAction

  constructor(code: RolloutErrorCode, state: RolloutStateName, action: RolloutAction) {
    const messages: Readonly<Record<RolloutErrorCode, string>> = {
      'wrong-state': `a rollout that is ${state} does not take the action ${action}`,
      'not-waiting-for-approval': 'the rollout does not wait for an approval',
      'same-person': 'somebody other than the person who started the rollout has to approve it',
      'last-wave': 'this is the last wave, and it is not done',
      'wave-not-open': 'the wave has not been opened',
      'still-giving-back': 'agents are still being given the earlier revision',
    }
    super(messages[code])
    this.code = code
    this.state = state
    this.action = action
  }
}

/** Throws RolloutError. */
export function requireAction(rollout: Rollout, action: RolloutAction): void {
  if (!rolloutActions[rollout.state].includes(action)) throw new RolloutError('wrong-state', rollout.state, action)
}

/** No more steps of its own. Counters follow only the members that have no outcome yet. A stopped one keeps the group divided. */
export function isOver({ state }: Pick<Rollout, 'state'>): boolean {
  return state === 'stopped' || state === 'rolledBack' || state === 'completed' || state === 'superseded'
}

/** Only what every state has. */
function base(rollout: Rollout): RolloutBase {
  const { version, id, group, from, to, startedBy, startedAt, deadlineAt, waves, wave, approvals } = rollout
  const { blockers, presence, sweep, decisions, sweeps, rounds, now, wakeAt } = rollout
  return {
    version,
    id,
    group,
    from,
    to,
    startedBy,
    startedAt,
    deadlineAt,
    waves,
    wave,
    approvals,
    blockers,
    presence,
    sweep,
    decisions,
    sweeps,
    rounds,
    judged: lastJudged(rollout),
    now,
    wakeAt,
  }
}

/** A soak ends with its state, and what it found is still asked for: why it was taken back, or let pass. */
function lastJudged(rollout: Rollout): RolloutBase['judged'] {
  const soak = rollout.state === 'soaking' || rollout.state === 'paused' ? rollout.soak : null
  return soak === null || soak.gates.length === 0 ? rollout.judged : { wave: rollout.wave, gates: soak.gates }
}

export function createRollout(given: Pick<RolloutBase, 'id' | 'group' | 'from' | 'to'>): DraftRollout {
  return {
    version: 1,
    ...given,
    startedBy: null,
    startedAt: null,
    deadlineAt: null,
    waves: [],
    wave: 0,
    approvals: [],
    blockers: [],
    presence: { bad: 0, of: 0 },
    sweep: null,
    decisions: 0,
    sweeps: 0,
    rounds: 0,
    judged: null,
    now: 0,
    wakeAt: null,
    state: 'draft',
  }
}

export interface Start {
  readonly by: string | null
  readonly waves: readonly Wave[]
  readonly blockers: readonly string[]
  readonly deadlineMs: number | null
  readonly now: number
}

/** draft -> waiting */
export function start(rollout: DraftRollout, { by, waves, blockers, deadlineMs, now }: Start): WaitingRollout {
  const deadlineAt = deadlineMs === null ? null : now + deadlineMs
  return { ...base(rollout), startedBy: by, startedAt: now, deadlineAt, waves, blockers, now, state: 'waiting', hindrance: null }
}

/** running | soaking | paused -> waiting: for the wave given */
export function awaitWave(rollout: RunningRollout | SoakingRollout | PausedRollout, wave: number): WaitingRollout {
  return { ...base(rollout), wave, state: 'waiting', hindrance: null }
}

/** waiting -> running */
export function openWave(rollout: WaitingRollout): RunningRollout {
  const waves = rollout.waves.map((wave, index) => (index === rollout.wave && wave.openedAt === null ? { ...wave, openedAt: rollout.now } : wave))
  return { ...base(rollout), waves, state: 'running' }
}

/** running -> soaking */
export function startSoak(rollout: RunningRollout): SoakingRollout {
  const until = rollout.now + (rollout.waves[rollout.wave]?.soakMs ?? 0)
  return { ...base(rollout), state: 'soaking', soak: { since: rollout.now, until, round: 0, askedAt: null, gates: [] } }
}

/** soaking -> soaking, paused -> paused: a soak is as long as the plan says, whatever the clock does. */
export function prolongSoak(rollout: Rollout, byMs: number): Rollout {
  if ((rollout.state !== 'soaking' && rollout.state !== 'paused') || rollout.soak === null) return rollout
  return { ...rollout, soak: { ...rollout.soak, until: rollout.soak.until + byMs } }
}

/** waiting | running | soaking -> paused */
export function pause(rollout: WaitingRollout | RunningRollout | SoakingRollout, cause: Cause, reason: string): PausedRollout {
  return { ...base(rollout), state: 'paused', was: rollout.state, soak: rollout.state === 'soaking' ? rollout.soak : null, cause, reason }
}

/** paused -> soaking when it was, and gates are asked anew; otherwise paused -> waiting, since a window may have closed */
export function resume(rollout: PausedRollout): WaitingRollout | SoakingRollout {
  const { was, soak, now } = rollout
  if (was !== 'soaking' || soak === null) return { ...base(rollout), state: 'waiting', hindrance: null }
  return { ...base(rollout), state: 'soaking', soak: { since: now, until: Math.max(soak.until, now), round: 0, askedAt: null, gates: [] } }
}

/** waiting | running | soaking | paused -> stopped */
export function stop(rollout: WaitingRollout | RunningRollout | SoakingRollout | PausedRollout, cause: Cause, reason: string): StoppedRollout {
  return { ...base(rollout), sweep: null, state: 'stopped', cause, reason }
}

type Revocable = WaitingRollout | RunningRollout | SoakingRollout | PausedRollout | StoppedRollout | CompletedRollout

/** waiting | running | soaking | paused | stopped | completed -> rollingBack */
export function startRollback(rollout: Revocable, cause: Cause, reason: string): RollingBackRollout {
  const no = rollout.sweeps + 1
  return { ...base(rollout), sweep: { no, kind: 'restore' }, sweeps: no, state: 'rollingBack', cause, reason }
}

/** rollingBack -> rolledBack */
export function finishRollback(rollout: RollingBackRollout): RolledBackRollout {
  return { ...base(rollout), state: 'rolledBack', cause: rollout.cause, reason: rollout.reason }
}

/** running | soaking | paused -> completed */
export function complete(rollout: RunningRollout | SoakingRollout | PausedRollout): CompletedRollout {
  return { ...base(rollout), state: 'completed' }
}

type Replaceable = Exclude<Rollout, RollingBackRollout | SupersededRollout>

/** all but rollingBack and superseded -> superseded */
export function supersedeRollout(rollout: Replaceable, by: string): SupersededRollout {
  return { ...base(rollout), sweep: null, state: 'superseded', by }
}
