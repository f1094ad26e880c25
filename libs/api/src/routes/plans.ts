/** How a change goes out: the plan of a rollout with its waves, gates, budget and schedule. The same value as in the rules of the fleet, with limits for what comes from outside. */
import { z } from 'zod'

export const RolloutId = z
  .string()
  .regex(/^rol_[0-9a-z]{1,40}$/)
  .meta({ id: 'RolloutId' })

export const RolloutState = z
  .enum(['draft', 'waiting', 'running', 'soaking', 'paused', 'stopped', 'rollingBack', 'rolledBack', 'completed', 'superseded'])
  .meta({ id: 'RolloutState' })
export type RolloutState = z.output<typeof RolloutState>

const Percent = z.number().min(0).max(100)
const Count = z.number().int().min(0).max(1_000_000)
/** Milliseconds, at most 30 days. */
const DurationMs = z
  .number()
  .int()
  .min(0)
  .max(30 * 24 * 3600 * 1000)
/** Milliseconds since 1970, at most the end of the year 9999: what lies behind it cannot be written as a timestamp. */
const MomentMs = z
  .number()
  .int()
  .min(0)
  .max(Date.UTC(9999, 11, 31))
const PlanSelector = z.string().min(1).max(4096)

export const WaveSpec = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('count'), count: Count.min(1), soakMs: DurationMs.optional() }),
    z.object({ kind: z.literal('percent'), percent: Percent, soakMs: DurationMs.optional() }),
    z.object({ kind: z.literal('ring'), name: z.string().min(1).max(63), selector: PlanSelector, soakMs: DurationMs.optional() }),
    z.object({
      kind: z.literal('growing'),
      first: Count.min(1),
      factor: z.number().min(1).max(100),
      max: Count.min(1),
      maxPercent: Percent.optional(),
      soakMs: DurationMs.optional(),
    }),
  ])
  .meta({
    id: 'WaveSpec',
    description:
      'count: so many agents more; percent: until so many percent of the group have it, those of earlier waves counted; ring: everybody whom the selector chooses; ' +
      'growing: as many waves as it takes, each `factor` times as large as the one before, up to `max` or, when that is more, `maxPercent`. Who is in none of them makes a last wave.',
  })

export const Limit = z.object({ maxCount: Count, maxPercent: Percent, minSample: Count.min(1) }).meta({
  id: 'Limit',
  description:
    'Exceeded by more than `maxCount` bad ones that are also more than `maxPercent` of those with an outcome; below `minSample` outcomes the count decides alone',
})

export const OwnMetric = z.enum(['refused', 'sendFailed', 'queueUse', 'cpu', 'memory', 'throughput']).meta({ id: 'OwnMetric' })
export type OwnMetric = z.output<typeof OwnMetric>

export const Gate = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('applyFailures'), limit: Limit }),
    z.object({ kind: z.literal('lostAfterPush'), limit: Limit }),
    z.object({ kind: z.literal('health'), limit: Limit }),
    z.object({ kind: z.literal('drift'), limit: Limit }),
    z.object({
      kind: z.literal('ownTelemetry'),
      metric: OwnMetric,
      against: z.enum(['control', 'past']),
      maxRatio: z.number().gt(1).max(1000),
      minSample: Count.min(1),
    }),
    z.object({
      kind: z.literal('promql'),
      url: z.url().max(2048),
      query: z.string().min(1).max(8192),
      operator: z.enum(['<', '<=', '>', '>=']),
      threshold: z.number(),
    }),
    z.object({ kind: z.literal('webhook'), url: z.url().max(2048) }),
    z.object({ kind: z.literal('approval'), after: z.enum(['firstWave', 'everyWave']), byAnother: z.boolean() }),
  ])
  .meta({ id: 'Gate', description: 'What must hold of a wave before the next one opens' })

export const MaintenanceWindow = z
  .object({
    days: z.array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])).max(7),
    from: z.string().max(5),
    to: z.string().max(5),
    timeZone: z.string().max(64),
  })
  .meta({
    id: 'MaintenanceWindow',
    description: 'Open on each of `days` from `from` until `to`, both HH:MM; `to` not later than `from` means on the next day; `timeZone` is an IANA name',
  })

export const RolloutPlan = z
  .object({
    version: z.literal(1),
    waves: z.array(WaveSpec).min(1).max(100),
    /** How long a wave is watched after its last outcome. */
    soakMs: DurationMs,
    gates: z.array(Gate).max(32),
    /** Over the whole rollout: failed, without answer, and lost. */
    budget: Limit,
    schedule: z.object({
      /** Milliseconds since 1970; null: at once. */
      notBefore: MomentMs.nullable(),
      windows: z.array(MaintenanceWindow).max(20),
    }),
    approval: z.enum(['none', 'anotherPerson']),
    /** Agents that may be under way at the same time. */
    concurrency: Count.min(1),
    retries: z.object({ count: z.number().int().min(0).max(10), delayMs: DurationMs }),
    deadlineMs: DurationMs.nullable(),
    onFail: z.enum(['pause', 'stop', 'rollback']),
    weights: z.array(z.object({ selector: PlanSelector, weight: z.number().gt(0).max(1_000_000) })).max(100),
    times: z.object({
      applyTimeoutMs: DurationMs,
      lostWithinMs: DurationMs,
      lostGraceMs: DurationMs,
      gateEveryMs: DurationMs,
      patienceMs: DurationMs,
    }),
  })
  .meta({ id: 'RolloutPlan' })
export type RolloutPlan = z.output<typeof RolloutPlan>

export const PresetName = z.enum(['careful', 'standard', 'quick', 'everyone']).meta({
  id: 'PresetName',
  description: 'careful, standard, quick: staged. everyone: all agents at once, which is no staged rollout and pauses instead of going back',
})
export type PresetName = z.output<typeof PresetName>

/** How a change goes out. Neither preset nor plan: the group's own plan, else `standard`. */
export const RolloutStart = z
  .object({
    preset: PresetName.optional(),
    /** Wins over `preset`. */
    plan: RolloutPlan.optional(),
    /** Prepared, not started. */
    draft: z.boolean().optional(),
    reason: z.string().max(500).optional(),
  })
  .meta({ id: 'RolloutStart' })
export type RolloutStart = z.output<typeof RolloutStart>
