import { describe, expect, it } from 'vitest'
import { checkPlan } from './plan-check.ts'
import { askedGates, defaultPlan, presets, type RolloutPlan } from './plan.ts'

const fields = (change: Partial<RolloutPlan>): readonly string[] => checkPlan({ ...defaultPlan, ...change }).map(({ field }) => field)

describe('plans', () => {
  it('are all right as presets', () => {
    for (const plan of Object.values(presets)) expect(checkPlan(plan)).toEqual([])
  })

  it('name the field that cannot be meant', () => {
    expect(fields({ waves: [] })).toEqual(['waves'])
    const waves = [
      { kind: 'count', count: 0 },
      { kind: 'percent', percent: 10 },
      { kind: 'percent', percent: 10 },
      { kind: 'ring', name: ' ', selector: 'site = ' },
      { kind: 'growing', first: 3, factor: 1, max: 2 },
      { kind: 'count', count: 1, soakMs: -1 },
    ] as const
    expect(fields({ waves })).toEqual([
      'waves[0].count',
      'waves[2].percent',
      'waves[3].name',
      'waves[3].selector',
      'waves[4].factor',
      'waves[4].max',
      'waves[4]',
      'waves[5].soakMs',
    ])
    expect(fields({ waves: Array.from({ length: 101 }, () => ({ kind: 'count', count: 1 }) as const) })).toEqual(['waves'])
    expect(fields({ budget: { maxCount: 0.5, maxPercent: 101, minSample: 0 } })).toEqual(['budget.maxCount', 'budget.maxPercent', 'budget.minSample'])
    expect(fields({ concurrency: 0, soakMs: Number.NaN, deadlineMs: 0 })).toEqual(['soakMs', 'concurrency', 'deadlineMs'])
    expect(fields({ weights: [{ selector: 'drover.connected = true', weight: 0 }] })).toEqual(['weights[0].selector', 'weights[0].weight'])
    expect(fields({ retries: { count: 11, delayMs: -1 } })).toEqual(['retries.count', 'retries.delayMs'])
    expect(fields({ times: { ...defaultPlan.times, patienceMs: 0 } })).toEqual(['times.patienceMs'])
    const windows = [{ days: [], from: '25:00', to: '', timeZone: 'CEST/Nowhere' }] as const
    expect(fields({ schedule: { notBefore: null, windows } })).toEqual(['days', 'from', 'to', 'timeZone'].map((name) => `schedule.windows[0].${name}`))
  })

  it('say between what a value has to be', () => {
    const found = checkPlan({
      ...defaultPlan,
      waves: [
        { kind: 'percent', percent: 0 },
        { kind: 'percent', percent: 50 },
        { kind: 'percent', percent: 20 },
        { kind: 'percent', percent: 30 },
        { kind: 'growing', first: 5, factor: 500, max: 3 },
      ],
      weights: [{ selector: '*', weight: 1.5 }],
      gates: Array.from({ length: 33 }, () => ({ kind: 'approval', after: 'firstWave', byAnother: true }) as const),
      schedule: { notBefore: 1e15, windows: [] },
    })
    expect(found.map(({ field, message }) => `${field} ${message}`)).toEqual([
      'waves[0].percent must be a number above 0 and at most 100',
      'waves[2].percent must be more than the 50 of an earlier wave, which it includes',
      'waves[3].percent must be more than the 50 of an earlier wave, which it includes',
      'waves[4].factor must be a number from 1.1 to 100',
      'waves[4].max must not be less than the 5 of the first wave',
      'gates must be 0 to 32 entries',
      'schedule.notBefore must be a whole number from 0 to 253402214400000',
      'weights[0].weight must be a whole number from 1 to 1000',
    ])
  })

  it('name what is wrong in a gate', () => {
    expect(
      fields({
        gates: [
          { kind: 'promql', url: 'file:///etc/passwd', query: ' ', operator: '<', threshold: Number.NaN },
          { kind: 'webhook', url: 'nowhere' },
          { kind: 'webhook', url: 'https://user:password@hooks.example.com' },
          { kind: 'ownTelemetry', metric: 'cpu', against: 'control', maxRatio: 1, minSample: 0 },
          { kind: 'drift', limit: { maxCount: -1, maxPercent: 1, minSample: 1 } },
          { kind: 'approval', after: 'everyWave', byAnother: true },
        ],
      }),
    ).toEqual([
      'gates[0].url',
      'gates[0].query',
      'gates[0].threshold',
      'gates[1].url',
      'gates[2].url',
      'gates[3].maxRatio',
      'gates[3].minSample',
      'gates[4].limit.maxCount',
    ])
  })

  it('know which gates have to be asked', () => {
    expect(askedGates(defaultPlan)).toEqual([2])
  })
})
