/** Rollouts for tests. */
import type { MemberState, Rollout, RolloutPlan } from '@drover/api'

export const samplePlan: RolloutPlan = {
  version: 1,
  waves: [{ kind: 'growing', first: 3, factor: 5, max: 100 }],
  soakMs: 300_000,
  gates: [
    { kind: 'applyFailures', limit: { maxCount: 1, maxPercent: 2, minSample: 20 } },
    { kind: 'ownTelemetry', metric: 'refused', against: 'control', maxRatio: 1.5, minSample: 3 },
  ],
  budget: { maxCount: 1, maxPercent: 1, minSample: 20 },
  schedule: { notBefore: null, windows: [] },
  approval: 'none',
  concurrency: 100,
  retries: { count: 1, delayMs: 30_000 },
  deadlineMs: null,
  onFail: 'rollback',
  weights: [],
  times: { applyTimeoutMs: 300_000, lostWithinMs: 900_000, lostGraceMs: 120_000, gateEveryMs: 30_000, patienceMs: 600_000 },
}

type Wave = Rollout['waves'][number]

export const sampleWave = (state: Wave['state'], counts: Partial<Record<MemberState, number>>, label = 'wave'): Wave => ({
  label,
  agents: Object.values(counts).reduce((sum, count) => sum + count, 0),
  counts,
  soakMs: 300_000,
  state,
  openedAt: state === 'ahead' ? null : '2026-11-21T10:00:00.000Z',
})

export function sampleRollout(part: Partial<Rollout> = {}): Rollout {
  return {
    id: 'rol_1',
    group: 'production',
    from: 4,
    to: 5,
    state: 'running',
    summary: 'Wave 2 of 3 is open: 4 of 15 agents have it.',
    reason: 'batch size for the new backend',
    createdBy: 'ada',
    startedBy: 'ada',
    createdAt: '2026-11-21T09:59:00.000Z',
    startedAt: '2026-11-21T10:00:00.000Z',
    endedAt: null,
    wave: { number: 2, of: 3, label: '15 agents' },
    counts: { applied: 7, offered: 2, pending: 89 },
    agents: 98,
    plan: samplePlan,
    preset: 'standard',
    deadlineAt: null,
    waves: [
      sampleWave('passed', { applied: 3 }, '3 agents'),
      sampleWave('open', { applied: 4, offered: 2, pending: 9 }, '15 agents'),
      sampleWave('ahead', { pending: 80 }, 'the rest'),
    ],
    soak: null,
    gates: [],
    blockers: [],
    supersededBy: null,
    waitsForPerson: false,
    actions: [],
    ...part,
  }
}
