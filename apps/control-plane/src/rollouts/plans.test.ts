import { planRanges as rangesOfApi, RolloutPlan as ApiPlan } from '@drover/api'
import { checkPlan, isOpenAt, placeMembers, planRanges, presets } from '@drover/fleet'
import type { RolloutPlan } from '@drover/fleet'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidInputError } from '../http/errors.ts'
import { choosePlan } from './plans.ts'
import { planSentences } from './show/plan-words.ts'

const edges = Object.values(planRanges).flatMap(({ min, above, max }: { min?: number; above?: number; max: number }) => {
  const low = min ?? above ?? 0
  return [low - 1, low, low + 0.05, low + 1, max - 1, max, max + 0.5, max + 1]
})
const number = fc.constantFrom(...new Set([...edges, -0, 0.5, 1.05, 1e300, Number.NaN, Number.POSITIVE_INFINITY]))
const sound = fc.constantFrom(1, 2, 10, 1000)
const amount = fc.oneof({ weight: 8, arbitrary: sound }, { weight: 1, arbitrary: number })
const text = fc.oneof(
  fc.constantFrom('', ' ', '\ufeff', '*', 'site = "ber"', 'site = ', 'x'.repeat(63), 'x'.repeat(64), 'x'.repeat(4097), 'x'.repeat(8193)),
  fc.string(),
)
const selector = fc.oneof({ weight: 8, arbitrary: fc.constantFrom('*', 'site = "ber"') }, { weight: 1, arbitrary: text })
const url = fc.constantFrom(
  'https://hooks.example.com/x',
  'http://a',
  'ftp://a',
  'nowhere',
  '',
  'https://u:p@a.example',
  ' https://a.example',
  'https:a',
  'javascript:1',
  `https://a.example/${'x'.repeat(2048)}`,
)
const limit = fc.record({ maxCount: amount, maxPercent: amount, minSample: amount })
const soak = { soakMs: fc.oneof(fc.constant(undefined), amount) }
const wave = fc.oneof(
  fc.record({ kind: fc.constant('count' as const), count: amount, ...soak }),
  fc.record({ kind: fc.constant('percent' as const), percent: amount, ...soak }),
  fc.record({ kind: fc.constant('ring' as const), name: text, selector, ...soak }),
  fc.record({
    kind: fc.constant('growing' as const),
    first: amount,
    factor: amount,
    max: amount,
    maxPercent: fc.oneof(fc.constant(undefined), amount),
    ...soak,
  }),
)
const gate = fc.oneof(
  fc.record({ kind: fc.constantFrom('applyFailures' as const, 'lostAfterPush' as const, 'health' as const, 'drift' as const), limit }),
  fc.record({
    kind: fc.constant('ownTelemetry' as const),
    metric: fc.constant('cpu' as const),
    against: fc.constant('past' as const),
    maxRatio: amount,
    minSample: amount,
  }),
  fc.record({ kind: fc.constant('promql' as const), url, query: text, operator: fc.constant('<' as const), threshold: amount }),
  fc.record({ kind: fc.constant('webhook' as const), url }),
  fc.constant({ kind: 'approval', after: 'everyWave', byAnother: true } as const),
)
const clock = fc.constantFrom('00:00', '23:59', '24:00', '7:00', '', '12:3', '12:30 ')
const window = fc.record({
  days: fc.array(fc.constantFrom('mon' as const, 'sun' as const), { maxLength: 8 }),
  from: clock,
  to: clock,
  timeZone: fc.constantFrom('Europe/Berlin', 'UTC', '+01:00', '', 'Nowhere/City', 'x'.repeat(65)),
})
const part = <T>(ordinary: T, other: fc.Arbitrary<T>) => fc.oneof({ weight: 4, arbitrary: fc.constant(ordinary) }, { weight: 1, arbitrary: other })
const standard = presets.standard as RolloutPlan // as: wider than this one
const anyPlan: fc.Arbitrary<RolloutPlan> = fc.record({
  version: fc.constant(1 as const),
  waves: part(standard.waves, fc.array(wave as fc.Arbitrary<RolloutPlan['waves'][number]>, { maxLength: 4 })), // as: an absent soak is undefined here
  soakMs: part(0, number),
  gates: part(
    standard.gates,
    fc.oneof(
      fc.array(gate, { maxLength: 3 }),
      fc.constant(Array.from({ length: 33 }, () => ({ kind: 'approval', after: 'everyWave', byAnother: true }) as const)),
    ),
  ),
  budget: part(standard.budget, limit),
  schedule: part(standard.schedule, fc.record({ notBefore: fc.oneof(fc.constant(null), number), windows: fc.array(window, { maxLength: 21 }) })),
  approval: fc.constantFrom('none' as const, 'anotherPerson' as const),
  concurrency: part(1, number),
  retries: part(standard.retries, fc.record({ count: amount, delayMs: amount })),
  deadlineMs: part<number | null>(null, number),
  onFail: fc.constantFrom('pause' as const, 'stop' as const, 'rollback' as const),
  weights: part<RolloutPlan['weights']>([], fc.array(fc.record({ selector, weight: amount }), { maxLength: 101 })),
  times: part(standard.times, fc.record({ applyTimeoutMs: amount, lostWithinMs: amount, lostGraceMs: amount, gateEveryMs: amount, patienceMs: amount })),
})

const at = (plan: unknown, path: readonly string[]): unknown => path.reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], plan)

describe('plans', () => {
  it('lie between the same bounds for the API and for the rules of the fleet', () => {
    expect(rangesOfApi).toEqual(planRanges)
    for (const plan of Object.values(presets)) expect(ApiPlan.safeParse(plan).error).toBeUndefined()
  })

  it('that the API takes go out, or are refused with the place; and the API takes all that can go out', () => {
    let [taken, refused] = [0, 0]
    fc.assert(
      fc.property(anyPlan, (plan) => {
        const isTaken = ApiPlan.safeParse(plan).success
        const findings = checkPlan(plan)
        if (!isTaken) {
          expect(findings).not.toEqual([])
          return
        }
        if (findings.length > 0) {
          refused += 1
          const error = errorOf(() => choosePlan(checkPlan, { plan: plan as ApiPlan }, null, 'body.rollout')) // as: likewise
          expect(error).toBeInstanceOf(InvalidInputError)
          for (const { field } of (error as InvalidInputError).errors) {
            expect(field.startsWith('body.rollout.plan.')).toBe(true)
            expect(at(plan, field.split('.').slice(3))).toBeDefined()
          }
          return
        }
        taken += 1
        goesOut(plan)
      }),
      { numRuns: 3000 },
    )
    expect(taken).toBeGreaterThan(10)
    expect(refused).toBeGreaterThan(10)
  })
})

function errorOf(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}

/** All that a plan is looked at for when a rollout begins. */
function goesOut(plan: RolloutPlan): void {
  const candidates = Array.from({ length: 20 }, (_, index) => ({ agent: `agent-${index}`, reachable: index % 3 > 0, lookup: () => 'ber' }))
  const { waves, placements } = placeMembers(plan, 'rol_1', candidates)
  expect(placements).toHaveLength(20)
  expect(waves.length).toBeGreaterThan(0)
  isOpenAt(plan.schedule.windows, 0)
  if (plan.schedule.notBefore !== null) expect(new Date(plan.schedule.notBefore).toISOString()).toMatch(/^\d{4}-/)
  expect(planSentences(plan, waves).length).toBeGreaterThan(0)
}
