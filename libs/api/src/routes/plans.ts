/** How a change goes out: the plan of a rollout with its waves, gates, budget and schedule. The same value as in the rules of the fleet, with limits for what comes from outside. */
import { z } from 'zod'
import { listOf, numberOf, planRanges, textOf } from './plan-ranges.ts'

export const RolloutId = z
  .string()
  .regex(/^rol_[0-9a-z]{1,40}$/)
  .meta({ id: 'RolloutId' })

export const RolloutState = z
  .enum(['draft', 'waiting', 'running', 'soaking', 'paused', 'stopped', 'rollingBack', 'rolledBack', 'completed', 'superseded'])
  .meta({ id: 'RolloutState' })
export type RolloutState = z.output<typeof RolloutState>

/** Has a character that can be seen. */
const namesSomething = /\S/
const soakMs = numberOf('soakMs').optional()

export const WaveSpec = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('count'), count: numberOf('agents'), soakMs }),
    z.object({ kind: z.literal('percent'), percent: numberOf('share'), soakMs }),
    z.object({ kind: z.literal('ring'), name: textOf('ringName').regex(namesSomething, 'a ring has a name'), selector: textOf('selector'), soakMs }),
    z.object({
      kind: z.literal('growing'),
      first: numberOf('agents'),
      factor: numberOf('factor'),
      max: numberOf('agents'),
      maxPercent: numberOf('share').optional(),
      soakMs,
    }),
  ])
  .meta({
    id: 'WaveSpec',
    description:
      'count: so many agents more; percent: until so many percent of the group have it, those of earlier waves counted; ring: everybody whom the selector chooses; ' +
      'growing: as many waves as it takes, each `factor` times as large as the one before, up to `max` or, when that is more, `maxPercent`. Who is in none of them makes a last wave.',
  })

export const Limit = z.object({ maxCount: numberOf('badAgents'), maxPercent: numberOf('badShare'), minSample: numberOf('agents') }).meta({
  id: 'Limit',
  description:
    'Exceeded by more than `maxCount` bad ones that are also more than `maxPercent` of those with an outcome; below `minSample` outcomes the count decides alone',
})

export const OwnMetric = z.enum(['refused', 'sendFailed', 'queueUse', 'cpu', 'memory', 'throughput']).meta({ id: 'OwnMetric' })
export type OwnMetric = z.output<typeof OwnMetric>

const HttpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).max(planRanges.url.max)

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
      maxRatio: numberOf('ratio'),
      minSample: numberOf('agents'),
    }),
    z.object({
      kind: z.literal('promql'),
      url: HttpUrl,
      query: textOf('query').regex(namesSomething, 'must not be empty'),
      operator: z.enum(['<', '<=', '>', '>=']),
      threshold: z.number(),
    }),
    z.object({ kind: z.literal('webhook'), url: HttpUrl }),
    z.object({ kind: z.literal('approval'), after: z.enum(['firstWave', 'everyWave']), byAnother: z.boolean() }),
  ])
  .meta({ id: 'Gate', description: 'What must hold of a wave before the next one opens' })

const TimeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'must be HH:MM')

export const MaintenanceWindow = z
  .object({
    days: listOf(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']), 'days'),
    from: TimeOfDay,
    to: TimeOfDay,
    timeZone: textOf('timeZone'),
  })
  .meta({
    id: 'MaintenanceWindow',
    description: 'Open on each of `days` from `from` until `to`, both HH:MM; `to` not later than `from` means on the next day; `timeZone` is an IANA name',
  })

export const RolloutPlan = z
  .object({
    version: z.literal(1),
    waves: listOf(WaveSpec, 'waves'),
    /** How long a wave is watched after its last outcome. */
    soakMs: numberOf('soakMs'),
    gates: listOf(Gate, 'gates'),
    /** Over the whole rollout: failed, without answer, and lost. */
    budget: Limit,
    schedule: z.object({
      /** Milliseconds since 1970; null: at once. */
      notBefore: numberOf('notBefore').nullable(),
      windows: listOf(MaintenanceWindow, 'windows'),
    }),
    approval: z.enum(['none', 'anotherPerson']),
    /** Agents that may be under way at the same time. */
    concurrency: numberOf('agents'),
    retries: z.object({ count: numberOf('retries'), delayMs: numberOf('retryDelayMs') }),
    deadlineMs: numberOf('deadlineMs').nullable(),
    onFail: z.enum(['pause', 'stop', 'rollback']),
    weights: listOf(z.object({ selector: textOf('selector'), weight: numberOf('weight') }), 'weights'),
    times: z.object({
      applyTimeoutMs: numberOf('timeMs'),
      lostWithinMs: numberOf('timeMs'),
      lostGraceMs: numberOf('timeMs'),
      gateEveryMs: numberOf('timeMs'),
      patienceMs: numberOf('timeMs'),
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
