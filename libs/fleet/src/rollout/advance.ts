/** Takes a rollout as far as it can go by itself at this moment. */
import { agentCount, type Cause, type Decision, type DecisionKind } from './decision.ts'
import { describeHindrance, findHindrance, sameHindrance } from './hindrance.ts'
import { askedGates, type RolloutPlan } from './plan.ts'
import { badIn, grantReleases, hasPending, isSettled, notYetBack, tally } from './progress.ts'
import {
  awaitWave,
  complete,
  finishRollback,
  openWave,
  pause,
  type Rollout,
  type RollingBackRollout,
  type RunningRollout,
  type SoakingRollout,
  startRollback,
  startSoak,
  stop,
  type WaitingRollout,
} from './rollout.ts'
import { describeOpenGates, failedGate, findTrouble, nobodyApplied, type Trouble } from './trouble.ts'
import { isOpenAt, nextChange } from './window.ts'

/** One step under way. */
export interface Turn {
  readonly plan: RolloutPlan
  /** Grows during the step. */
  readonly log: Decision[]
}

/** Writes a decision down, numbered. */
export function note<R extends Rollout>(
  { log }: Turn,
  rollout: R,
  kind: DecisionKind,
  { cause = 'plan', by = null, reason = '', numbers = {} }: Partial<Pick<Decision, 'cause' | 'by' | 'reason' | 'numbers'>> = {},
): R {
  const seq = rollout.decisions + 1
  const wave = rollout.waves.length === 0 ? null : rollout.wave
  log.push({ seq, at: rollout.now, kind, cause, by, wave, reason, numbers })
  return { ...rollout, decisions: seq }
}

/** Repeats until nothing changes: each turn opens, settles or passes a wave, or ends, so it ends itself. */
export function advance(turn: Turn, rollout: Rollout): Rollout {
  let current = rollout
  for (;;) {
    const next = advanceOnce(turn, current)
    if (next === current) return current
    current = next
  }
}

function advanceOnce(turn: Turn, rollout: Rollout): Rollout {
  switch (rollout.state) {
    case 'waiting':
      return pastDeadline(turn, rollout) ?? whileWaiting(turn, rollout)
    case 'running':
      return pastDeadline(turn, rollout) ?? inTrouble(turn, rollout, findTrouble(turn.plan, rollout)) ?? whileRunning(turn, rollout)
    case 'soaking':
      return pastDeadline(turn, rollout) ?? inTrouble(turn, rollout, findTrouble(turn.plan, rollout)) ?? whileSoaking(turn, rollout)
    case 'rollingBack':
      return whileRollingBack(turn, rollout)
    case 'completed':
      // Those who were away, and who join: the group has the revision now.
      return grantReleases(rollout, turn.plan.concurrency)
    case 'draft':
    case 'paused':
    case 'stopped':
    case 'rolledBack':
    case 'superseded':
      return rollout
    default:
      return rollout satisfies never
  }
}

type Active = WaitingRollout | RunningRollout | SoakingRollout

/** Once: a person who resumes it knows. */
function pastDeadline(turn: Turn, rollout: Active): Rollout | null {
  const { deadlineAt, now } = rollout
  if (deadlineAt === null || now < deadlineAt) return null
  return paused(turn, { ...rollout, deadlineAt: null }, 'deadline', 'it has not ended in the time it was given')
}

function paused(turn: Turn, rollout: Active, cause: Cause, reason: string, numbers: Readonly<Record<string, number>> = {}): Rollout {
  return note(turn, pause(rollout, cause, reason), 'paused', { cause, reason, numbers })
}

function inTrouble(turn: Turn, rollout: RunningRollout | SoakingRollout, trouble: Trouble | null): Rollout | null {
  if (trouble === null) return null
  const { cause, text: reason, numbers } = trouble
  // A partition proves nothing about the change.
  if (cause === 'partition' || turn.plan.onFail === 'pause') return paused(turn, rollout, cause, reason, numbers)
  const details = { cause, reason, numbers }
  return turn.plan.onFail === 'stop'
    ? note(turn, stop(rollout, cause, reason), 'stopped', details)
    : note(turn, startRollback(rollout, cause, reason), 'rollingBack', details)
}

function whileWaiting(turn: Turn, rollout: WaitingRollout): Rollout {
  const hindrance = findHindrance(turn.plan, rollout)
  if (hindrance !== null) {
    if (sameHindrance(hindrance, rollout.hindrance)) return rollout
    return note(turn, { ...rollout, hindrance }, 'waiting', { reason: describeHindrance(hindrance) })
  }
  const wave = rollout.waves[rollout.wave]
  const isNew = wave?.openedAt === null
  const opened = openWave(rollout)
  if (wave === undefined) return opened
  if (isNew) return note(turn, opened, 'waveOpened', { reason: wave.label, numbers: { size: wave.size } })
  // Whoever resumed it by hand has said so already.
  return rollout.hindrance === null ? opened : note(turn, opened, 'resumed', { reason: 'nothing hinders it any more' })
}

function whileRunning(turn: Turn, rollout: RunningRollout): Rollout {
  const { plan } = turn
  // Before anything is released; also when the window closed while nobody looked.
  if (!isOpenAt(plan.schedule.windows, rollout.now) && hasPending(rollout.waves, rollout.wave)) return awaitWave(rollout, rollout.wave)
  const granted = grantReleases(rollout, plan.concurrency)
  if (granted !== rollout) return granted
  const wave = rollout.waves[rollout.wave]
  if (wave === undefined || !isSettled(wave)) return rollout
  return inTrouble(turn, rollout, nobodyApplied(rollout)) ?? settled(turn, rollout)
}

function settled(turn: Turn, rollout: RunningRollout): Rollout {
  const wave = rollout.waves[rollout.wave]
  if (wave === undefined) return rollout
  const applied = wave.counters.applied ?? 0
  const bad = badIn(wave)
  const isLast = rollout.wave === rollout.waves.length - 1
  const gone = (wave.counters.away ?? 0) - (wave.size - wave.reachable)
  // Or an outage would open wave after wave, and the change would meet everybody at once when it ends.
  if (!isLast && gone > applied + bad) {
    const reason = `${agentCount(gone)} of this wave went away before they could be reached, and only ${applied + bad} have an outcome`
    return paused(turn, rollout, 'noEvidence', reason, { gone, applied, bad })
  }
  if (applied + bad === 0) return passed(turn, rollout, 'nobody in it could be reached')
  const reason = `${agentCount(applied)} applied it${bad === 0 ? '' : `, ${bad} did not`}`
  return note(turn, startSoak(rollout), 'soaking', { reason, numbers: { applied, bad } })
}

function passed(turn: Turn, rollout: RunningRollout | SoakingRollout, reason: string): Rollout {
  const noted = note(turn, rollout, 'wavePassed', { reason })
  return noted.wave === noted.waves.length - 1 ? completed(turn, complete(noted)) : awaitWave(noted, noted.wave + 1)
}

function completed(turn: Turn, rollout: Rollout): Rollout {
  const { applied, bad } = tally(rollout.waves)
  const left = rollout.waves.reduce((sum, { counters }) => sum + (counters.away ?? 0) + (counters.busy ?? 0), 0)
  const reason = `${agentCount(applied)} applied it${bad === 0 ? '' : `, ${bad} did not`}${left === 0 ? '' : `, ${left} get it when they return`}`
  return note(turn, rollout, 'completed', { reason, numbers: { applied, bad, left } })
}

function whileSoaking(turn: Turn, rollout: SoakingRollout): Rollout {
  const { plan } = turn
  const { soak, now } = rollout
  const failed = inTrouble(turn, rollout, failedGate(plan, soak.gates))
  if (failed !== null) return failed
  if (isOpenAt(plan.schedule.windows, now)) {
    const granted = grantReleases(rollout, plan.concurrency)
    if (granted !== rollout) return granted
  }
  const asked = askedGates(plan)
  if (asked.length === 0) return now < soak.until ? rollout : passed(turn, rollout, 'the soak is over')
  const isAnswered = soak.round === 0 || asked.every((index) => soak.gates.some(({ gate, round }) => gate === index && round === soak.round))
  const allPass = soak.round !== 0 && isAnswered && soak.gates.every(({ verdict }) => verdict === 'pass')
  if (allPass && soak.askedAt !== null && soak.askedAt >= soak.until) return passed(turn, rollout, 'the soak is over and every gate passes')
  if (now >= patienceEnd(plan, soak) && !allPass)
    return paused(turn, rollout, 'inconclusive', describeOpenGates(plan, soak.gates, asked, soak.round) || 'no gate was asked in time')
  if (!isAnswered || now < nextAsk(plan, soak)) return rollout
  const round = rollout.rounds + 1
  return { ...rollout, rounds: round, soak: { ...soak, round, askedAt: now } }
}

/** Until when gates may be inconclusive, or silent. */
function patienceEnd(plan: RolloutPlan, { until, askedAt }: SoakingRollout['soak']): number {
  // A round that is asked late still has a while to be answered.
  return askedAt === null ? Number.POSITIVE_INFINITY : Math.max(until + plan.times.patienceMs, askedAt + plan.times.gateEveryMs)
}

function nextAsk(plan: RolloutPlan, { since, until, askedAt }: SoakingRollout['soak']): number {
  const regular = (askedAt ?? since) + plan.times.gateEveryMs
  return askedAt === null || askedAt < until ? Math.min(regular, until) : regular
}

function whileRollingBack(turn: Turn, rollout: RollingBackRollout): Rollout {
  if (rollout.sweep !== null) return rollout
  const { restoring, untouched } = notYetBack(rollout.waves)
  if (untouched > 0) return { ...rollout, sweeps: rollout.sweeps + 1, sweep: { no: rollout.sweeps + 1, kind: 'restore' } }
  if (restoring > 0) return rollout
  return endRollback(turn, rollout, { cause: rollout.cause, by: null, reason: '' })
}

/** `reason`: of the person who waits no longer for those that are not back. */
export function endRollback(turn: Turn, rollout: RollingBackRollout, { cause, by, reason }: Pick<Decision, 'cause' | 'by' | 'reason'>): Rollout {
  const sum = (state: 'restored' | 'restoringAway' | 'restoreFailed'): number => rollout.waves.reduce((all, { counters }) => all + (counters[state] ?? 0), 0)
  const [back, away, failed, left] = [sum('restored'), sum('restoringAway'), sum('restoreFailed'), notYetBack(rollout.waves).restoring]
  const found = [
    `${agentCount(back)} ${back === 1 ? 'has' : 'have'} the earlier revision again`,
    ...(away === 0 ? [] : [`${away} get it when they connect`]),
    ...(failed === 0 ? [] : [`${failed} failed that too and keep what last worked for them`]),
    ...(left === 0 ? [] : [`${left} ${left === 1 ? 'is' : 'are'} still going back and not waited for`]),
  ].join(', ')
  return note(turn, finishRollback(rollout), 'rolledBack', {
    cause,
    by,
    reason: reason === '' ? found : `${reason}; ${found}`,
    numbers: { back, away, failed, ...(left === 0 ? {} : { left }) },
  })
}

/** When the rollout wants to be told the time next; null: not before something happens. */
export function wakeTime(plan: RolloutPlan, rollout: Rollout): number | null {
  const isActive = rollout.state === 'waiting' || rollout.state === 'running' || rollout.state === 'soaking'
  const times = [isActive ? rollout.deadlineAt : null, ...ownTimes(plan, rollout)]
  const known = times.filter((time) => time !== null && Number.isFinite(time)).map(Number)
  return known.length === 0 ? null : Math.min(...known)
}

function ownTimes(plan: RolloutPlan, rollout: Rollout): readonly (number | null)[] {
  const { windows } = plan.schedule
  switch (rollout.state) {
    case 'waiting': {
      const { hindrance } = rollout
      return [hindrance?.kind === 'time' ? hindrance.at : hindrance?.kind === 'window' ? (hindrance.opensAt ?? nextChange(windows, rollout.now)) : null]
    }
    case 'running':
      return [nextChange(windows, rollout.now)]
    case 'soaking': {
      const { soak } = rollout
      if (askedGates(plan).length === 0) return [soak.until, nextChange(windows, rollout.now)]
      return [nextChange(windows, rollout.now), ...[nextAsk(plan, soak), patienceEnd(plan, soak)].filter((time) => time > rollout.now)]
    }
    default:
      return []
  }
}
