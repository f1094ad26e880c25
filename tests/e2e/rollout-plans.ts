/** Plans that come to an end while a test waits, and a rollout with many waves. */
import type { Rollout, RolloutPlan } from '@drover/api'

const secondMs = 1_000

/** 3 agents, then everybody; each wave is watched for a second, and one failure is too many. */
export const quickPlan: RolloutPlan = {
  version: 1,
  waves: [
    { kind: 'count', count: 3 },
    { kind: 'percent', percent: 100 },
  ],
  soakMs: secondMs,
  gates: [{ kind: 'applyFailures', limit: { maxCount: 0, maxPercent: 0, minSample: 1 } }],
  budget: { maxCount: 0, maxPercent: 0, minSample: 1 },
  schedule: { notBefore: null, windows: [] },
  approval: 'none',
  concurrency: 100,
  retries: { count: 0, delayMs: 0 },
  deadlineMs: null,
  onFail: 'rollback',
  weights: [],
  times: { applyTimeoutMs: 60 * secondMs, lostWithinMs: 60 * secondMs, lostGraceMs: 10 * secondMs, gateEveryMs: secondMs, patienceMs: secondMs },
}

/** Asks for more agents than there are, which can never be answered. */
export const undecidedPlan: RolloutPlan = {
  ...quickPlan,
  gates: [{ kind: 'ownTelemetry', metric: 'refused', against: 'control', maxRatio: 1.5, minSample: 1_000 }],
}

/** The rollout as if it had so many waves, a little more than half of them passed. */
export function manyWaves(rollout: Rollout, count: number): Rollout {
  const open = Math.floor(count / 2) + 3
  const waves = Array.from({ length: count }, (_, index): Rollout['waves'][number] => ({
    label: '100 agents',
    agents: 100,
    counts: index < open ? { applied: 100 } : index === open ? { applied: 20, offered: 60, pending: 20 } : { pending: 100 },
    soakMs: 1_000,
    state: index < open ? 'passed' : index === open ? 'open' : 'ahead',
    openedAt: index <= open ? rollout.createdAt : null,
  }))
  return { ...rollout, state: 'running', wave: { number: open + 1, of: count, label: '100 agents' }, waves, soak: null }
}
