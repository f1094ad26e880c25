/** Finds in the counters and verdicts of a rollout that it must not go on. */
import { agentCount, type Cause } from './decision.ts'
import { exceeds, isElsewhere, percentText, type Share } from './judge.ts'
import type { Wave } from './membership.ts'
import type { Gate, GateKind, Limit, OwnMetric, RolloutPlan } from './plan.ts'
import { badIn, tally } from './progress.ts'
import type { GateRecord, Rollout } from './rollout.ts'

export interface Trouble {
  readonly cause: Extract<Cause, 'budget' | 'gate' | 'partition'>
  readonly text: string
  readonly numbers: Readonly<Record<string, number>>
}

/** What the outcomes say so far. O(waves). */
export function findTrouble(plan: RolloutPlan, rollout: Rollout): Trouble | null {
  const wave = rollout.waves[rollout.wave]
  if (wave === undefined) return null
  for (const gate of plan.gates) {
    const found = judgeOutcomes(gate, wave, rollout.presence)
    if (found !== null) return found
  }
  return judgeBudget(plan.budget, rollout)
}

function judgeOutcomes(gate: Gate, wave: Wave, presence: Share): Trouble | null {
  if (gate.kind !== 'applyFailures' && gate.kind !== 'lostAfterPush') return null
  const { lost, bad, judged } = tally([wave])
  const share: Share = { bad: gate.kind === 'lostAfterPush' ? lost : bad - lost, of: judged }
  if (!exceeds(share, gate.limit)) return null
  if (gate.kind === 'applyFailures') return trouble('gate', `${countOf(share)} of this wave failed or did not answer`, share)
  return lostTrouble('gate', `${countOf(share)} of this wave were lost after the push`, share, gate.limit, presence)
}

function judgeBudget(budget: Limit, { waves, presence }: Rollout): Trouble | null {
  const { bad, lost, judged } = tally(waves)
  const share: Share = { bad, of: judged }
  if (!exceeds(share, budget)) return null
  const text = `${countOf(share)} failed, did not answer or were lost, which is more than the error budget allows`
  if (exceeds({ bad: bad - lost, of: judged }, budget)) return trouble('budget', text, share)
  return lostTrouble('budget', text, { bad: lost, of: judged }, budget, presence)
}

/** When those without the change go offline too, the network is to blame, and taking the change back would help nobody. */
function lostTrouble(cause: 'gate' | 'budget', text: string, share: Share, limit: Limit, presence: Share): Trouble {
  if (!isElsewhere(share, limit, presence)) return trouble(cause, text, share)
  const numbers = { lost: share.bad, judged: share.of, controlLost: presence.bad, controlOf: presence.of }
  return { cause: 'partition', text: `${text}, but so were ${countOf(presence)} without the change`, numbers }
}

const trouble = (cause: Trouble['cause'], text: string, { bad, of }: Share): Trouble => ({ cause, text, numbers: { bad, judged: of } })

function countOf(share: Share): string {
  return `${share.bad} of ${agentCount(share.of)} (${percentText(share)})`
}

/** In a wave that is done: nobody could work with it. Counts and percentages are too coarse for waves so small. */
export function nobodyApplied({ waves, wave: index }: Rollout): Trouble | null {
  const wave = waves[index]
  if (wave === undefined) return null
  const bad = badIn(wave) - wave.excused
  const isOnlyEvidence = tally(waves).applied === 0
  if ((wave.counters.applied ?? 0) > 0 || bad === 0 || (bad === 1 && !isOnlyEvidence)) return null
  return trouble('gate', `of ${agentCount(bad)} with an outcome in this wave, not one applied it`, { bad, of: bad })
}

/** Rounds in a row in which a gate has to fail: numbers at the edge go to and fro. A webhook says what it means. */
export function confirmations(gate: Gate | undefined): number {
  return gate?.kind === 'webhook' ? 1 : 2
}

export function failedGate(plan: RolloutPlan, gates: readonly GateRecord[]): Trouble | null {
  const failed = gates.find(({ gate, failedInRow }) => failedInRow >= confirmations(plan.gates[gate]))
  return failed === undefined ? null : { cause: 'gate', text: failed.text, numbers: failed.numbers }
}

/** Gates that did not pass in the last round, in words. */
export function describeOpenGates(plan: RolloutPlan, gates: readonly GateRecord[], asked: readonly number[], round: number): string {
  return asked
    .flatMap((index) => {
      const record = gates.find(({ gate }) => gate === index)
      if (record === undefined || record.round !== round) return [`the ${gateName(plan, index)} gate gave no answer`]
      return record.verdict === 'pass' ? [] : [record.text]
    })
    .join('; ')
}

const gateNames: Readonly<Record<Exclude<GateKind, 'ownTelemetry'>, string>> = {
  applyFailures: 'apply failures',
  lostAfterPush: 'lost agents',
  health: 'health',
  drift: 'drift',
  promql: 'PromQL',
  webhook: 'webhook',
  approval: 'approval',
}
const metricNames: Readonly<Record<OwnMetric, string>> = {
  refused: 'refused data',
  sendFailed: 'failed sending',
  queueUse: 'queue use',
  cpu: 'CPU',
  memory: 'memory',
  throughput: 'throughput',
}

function gateName(plan: RolloutPlan, index: number): string {
  const gate = plan.gates[index]
  if (gate === undefined) return String(index)
  return gate.kind === 'ownTelemetry' ? metricNames[gate.metric] : gateNames[gate.kind]
}
