/** What is simulated: made from a seed, and a plain value, so that a failing one can be made smaller. */
import { type RolloutPlan, defaultPlan } from '@drover/fleet'
import { createRandom } from '@drover/testing'

export type FaultKind = 'drop' | 'duplicate' | 'reorder' | 'delay' | 'partition' | 'agentCrash' | 'crashBefore' | 'crashAfter' | 'clockJump' | 'liar'
export const faultKinds: readonly FaultKind[] = [
  'drop',
  'duplicate',
  'reorder',
  'delay',
  'partition',
  'agentCrash',
  'crashBefore',
  'crashAfter',
  'clockJump',
  'liar',
]

export type ActKind = 'pause' | 'resume' | 'promote' | 'retry' | 'stop' | 'rollBack' | 'newRevision' | 'join' | 'leave'

export interface Scenario {
  readonly seed: number
  readonly agents: number
  readonly plan: RolloutPlan
  readonly faults: readonly FaultKind[]
  /** Chance of each fault at each place where it can happen. */
  readonly faultRate: number
  /** Faults and people's whims end then; everybody behaves from then on. */
  readonly quietAtMs: number
  /** Share of Agents that fail the new revisions for good, that fail them at first, and that never answer. */
  readonly broken: number
  readonly transient: number
  readonly mute: number
  /** Share of Agents that are not connected at the start. */
  readonly absent: number
  readonly gate: 'passes' | 'fails' | 'unsure'
  readonly acts: readonly { readonly atMs: number; readonly kind: ActKind }[]
}

const minuteMs = 60_000
const actKinds: readonly ActKind[] = ['pause', 'resume', 'promote', 'retry', 'stop', 'rollBack', 'newRevision', 'join', 'join', 'leave']

export function createScenario(seed: number): Scenario {
  const random = createRandom(seed)
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  const quietAtMs = 60 * minuteMs + Math.floor(random() * 120 * minuteMs)
  const plan: RolloutPlan = {
    ...defaultPlan,
    waves: pick([
      defaultPlan.waves,
      [
        { kind: 'count', count: 2 },
        { kind: 'percent', percent: 50 },
      ],
      [{ kind: 'percent', percent: 100 }],
      [{ kind: 'ring', name: 'odd', selector: 'parity = odd' }],
    ]),
    soakMs: pick([0, minuteMs, 10 * minuteMs]),
    concurrency: pick([1, 3, 100]),
    onFail: pick(['rollback', 'rollback', 'pause', 'stop']),
    retries: { count: pick([0, 1, 2]), delayMs: 30_000 },
    gates: random() < 0.5 ? defaultPlan.gates : [],
    deadlineMs: random() < 0.2 ? 45 * minuteMs : null,
  }
  return {
    seed,
    agents: pick([0, 1, 2, 3, 5, 8, 12, 20, 40]),
    plan,
    faults: faultKinds.filter(() => random() < 0.4),
    faultRate: pick([0.005, 0.02, 0.05]),
    quietAtMs,
    broken: pick([0, 0, 0.02, 0.2, 1]),
    transient: pick([0, 0.005, 0.1]),
    mute: pick([0, 0, 0.1]),
    absent: pick([0, 0.1, 0.6]),
    gate: pick(['passes', 'passes', 'passes', 'fails', 'unsure']),
    acts: Array.from({ length: Math.floor(random() * 8) }, () => ({ atMs: Math.floor(random() * quietAtMs), kind: pick(actKinds) })).toSorted(
      (a, b) => a.atMs - b.atMs,
    ),
  }
}

/** Smaller ones to try when this one fails, the greatest steps first. */
export function smaller(scenario: Scenario): readonly Scenario[] {
  const without = <T>(values: readonly T[], index: number): readonly T[] => values.filter((_, at) => at !== index)
  return [
    ...[0, 0.5].map((part) => ({ ...scenario, agents: Math.floor(scenario.agents * part) })).filter(({ agents }) => agents < scenario.agents),
    ...(scenario.agents > 0 ? [{ ...scenario, agents: scenario.agents - 1 }] : []),
    ...(scenario.faults.length > 0 ? [{ ...scenario, faults: [] }] : []),
    ...scenario.faults.map((_, index) => ({ ...scenario, faults: without(scenario.faults, index) })),
    ...(scenario.acts.length > 0 ? [{ ...scenario, acts: [] }] : []),
    ...scenario.acts.map((_, index) => ({ ...scenario, acts: without(scenario.acts, index) })),
    ...(['broken', 'transient', 'mute', 'absent'] as const).filter((share) => scenario[share] > 0).map((share) => ({ ...scenario, [share]: 0 })),
  ]
}
