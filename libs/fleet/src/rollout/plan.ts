/** The plan of a rollout: who gets it when, what must hold before more get it, and what happens when it does not. A plain value. */
import type { MaintenanceWindow } from './window.ts'

/**
 * - `count`: so many Agents more. `percent`: until so many percent of the group have it, those of earlier waves counted.
 * - `ring`: everybody whom the selector chooses and no earlier wave has.
 * - `growing`: as many waves of Agents as it takes: `first`, then `factor` times as many each, at most `max`, or at most `maxPercent`
 *   of those that are left for them when that is more.
 *
 * Who is in none of them makes a last wave. `soakMs` replaces the soak of the plan.
 */
export type WaveSpec =
  | { readonly kind: 'count'; readonly count: number; readonly soakMs?: number }
  | { readonly kind: 'percent'; readonly percent: number; readonly soakMs?: number }
  | { readonly kind: 'ring'; readonly name: string; readonly selector: string; readonly soakMs?: number }
  | { readonly kind: 'growing'; readonly first: number; readonly factor: number; readonly max: number; readonly maxPercent?: number; readonly soakMs?: number }

/**
 * Exceeded by more than `maxCount` bad ones that are also more than `maxPercent` of those with an outcome. With fewer than
 * `minSample` outcomes a percentage says nothing, and the count decides alone.
 */
export interface Limit {
  readonly maxCount: number
  readonly maxPercent: number
  readonly minSample: number
}

/** Metrics that Agents tell about themselves. All but `throughput` are worse when higher. */
export type OwnMetric = 'refused' | 'sendFailed' | 'queueUse' | 'cpu' | 'memory' | 'throughput'

export const ownMetrics: readonly OwnMetric[] = ['refused', 'sendFailed', 'queueUse', 'cpu', 'memory', 'throughput']

/**
 * What must hold of a wave before the next one opens.
 *
 * - `applyFailures`, `lostAfterPush`: from the outcomes, judged at each change.
 * - `health`, `drift`: Agents that were well before and are not, against a limit and a control group.
 * - `ownTelemetry`: `maxRatio` times as bad as the control group, or as its own past.
 * - `promql`, `webhook`: an answer from outside. `approval`: a person's.
 */
export type Gate =
  | { readonly kind: 'applyFailures'; readonly limit: Limit }
  | { readonly kind: 'lostAfterPush'; readonly limit: Limit }
  | { readonly kind: 'health'; readonly limit: Limit }
  | { readonly kind: 'drift'; readonly limit: Limit }
  | { readonly kind: 'ownTelemetry'; readonly metric: OwnMetric; readonly against: 'control' | 'past'; readonly maxRatio: number; readonly minSample: number }
  | { readonly kind: 'promql'; readonly url: string; readonly query: string; readonly operator: '<' | '<=' | '>' | '>='; readonly threshold: number }
  | { readonly kind: 'webhook'; readonly url: string }
  | { readonly kind: 'approval'; readonly after: 'firstWave' | 'everyWave'; readonly byAnother: boolean }

export type GateKind = Gate['kind']

export interface RolloutPlan {
  readonly version: 1
  readonly waves: readonly WaveSpec[]
  /** How long a wave is watched after its last outcome. */
  readonly soakMs: number
  readonly gates: readonly Gate[]
  /** Over the whole rollout: failed, without answer, and lost. */
  readonly budget: Limit
  readonly schedule: {
    /** Milliseconds since 1970; null: at once. */
    readonly notBefore: number | null
    /** Agents are released only while one is open; what is under way goes on. None: always. */
    readonly windows: readonly MaintenanceWindow[]
  }
  /** Whether a person other than the one who starts it has to agree first. */
  readonly approval: 'none' | 'anotherPerson'
  /** Agents that may be under way at the same time. */
  readonly concurrency: number
  /** How often an Agent that failed is tried again by itself before it counts. */
  readonly retries: { readonly count: number; readonly delayMs: number }
  /** Pauses when it has not ended so long after its start. */
  readonly deadlineMs: number | null
  readonly onFail: 'pause' | 'stop' | 'rollback'
  /** Percentages are of weight. The first selector that matches gives an Agent's; otherwise it is 1. */
  readonly weights: readonly { readonly selector: string; readonly weight: number }[]
  readonly times: {
    /** From offer to answer. */
    readonly applyTimeoutMs: number
    /** An Agent that disconnects so soon after the push ... */
    readonly lostWithinMs: number
    /** ... and stays away so long is lost. */
    readonly lostGraceMs: number
    /** Gates are asked so often during the soak. */
    readonly gateEveryMs: number
    /** How long after the soak gates may be inconclusive before it pauses. */
    readonly patienceMs: number
  }
}

const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs

const limit: Limit = { maxCount: 1, maxPercent: 1, minSample: 20 }

const outcomeGates: readonly Gate[] = [
  { kind: 'applyFailures', limit: { maxCount: 1, maxPercent: 2, minSample: 20 } },
  { kind: 'lostAfterPush', limit: { maxCount: 1, maxPercent: 2, minSample: 20 } },
  { kind: 'health', limit: { maxCount: 1, maxPercent: 2, minSample: 20 } },
]

/** 3 Agents, then five times as many up to 100 a batch, or 5 % of a fleet of more than 2,000. What a rollout gets when nobody says otherwise. */
export const defaultPlan: RolloutPlan = {
  version: 1,
  waves: [{ kind: 'growing', first: 3, factor: 5, max: 100, maxPercent: 5 }],
  soakMs: 5 * minuteMs,
  gates: outcomeGates,
  budget: limit,
  schedule: { notBefore: null, windows: [] },
  approval: 'none',
  concurrency: 100,
  retries: { count: 1, delayMs: 30 * secondMs },
  deadlineMs: null,
  onFail: 'rollback',
  weights: [],
  times: {
    applyTimeoutMs: 5 * minuteMs,
    lostWithinMs: 15 * minuteMs,
    lostGraceMs: 2 * minuteMs,
    gateEveryMs: 30 * secondMs,
    patienceMs: 10 * minuteMs,
  },
}

const telemetryGates: readonly Gate[] = [
  { kind: 'ownTelemetry', metric: 'refused', against: 'control', maxRatio: 1.5, minSample: 3 },
  { kind: 'ownTelemetry', metric: 'sendFailed', against: 'control', maxRatio: 1.5, minSample: 3 },
  { kind: 'ownTelemetry', metric: 'memory', against: 'control', maxRatio: 1.5, minSample: 3 },
]

/** `everyone` is no staged rollout: nothing is learned before all have it, so it only pauses. */
export const presets = {
  careful: {
    ...defaultPlan,
    waves: [
      { kind: 'count', count: 3 },
      { kind: 'percent', percent: 1 },
      { kind: 'percent', percent: 10 },
      { kind: 'percent', percent: 50 },
      { kind: 'percent', percent: 100 },
    ],
    soakMs: hourMs,
    gates: [...outcomeGates, { kind: 'drift', limit }, ...telemetryGates],
    budget: { maxCount: 0, maxPercent: 0.5, minSample: 20 },
    times: { ...defaultPlan.times, patienceMs: hourMs, gateEveryMs: minuteMs },
  },
  standard: defaultPlan,
  quick: {
    ...defaultPlan,
    waves: [
      { kind: 'percent', percent: 1 },
      { kind: 'percent', percent: 10 },
      { kind: 'percent', percent: 100 },
    ],
    soakMs: minuteMs,
    concurrency: 500,
  },
  everyone: { ...defaultPlan, waves: [{ kind: 'percent', percent: 100 }], soakMs: 0, concurrency: 100_000, onFail: 'pause', gates: outcomeGates.slice(0, 2) },
} as const satisfies Readonly<Record<string, RolloutPlan>>

export type PresetName = keyof typeof presets

/** Gates that the driver is asked about during the soak, by their place in the plan. */
export function askedGates(plan: RolloutPlan): readonly number[] {
  return plan.gates.flatMap(({ kind }, index) => (kind === 'applyFailures' || kind === 'lostAfterPush' || kind === 'approval' ? [] : [index]))
}
