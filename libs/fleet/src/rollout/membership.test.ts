import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Candidate, placeLate, placeMembers, pointOf } from './membership.ts'
import { defaultPlan, type RolloutPlan, type WaveSpec } from './plan.ts'

const candidates = (count: number, reachable: (index: number) => boolean = () => true): readonly Candidate[] =>
  Array.from({ length: count }, (_, index) => ({
    agent: `agent-${index}`,
    reachable: reachable(index),
    lookup: (key) => (key === 'n' ? String(index) : undefined),
  }))
const planOf = (...waves: readonly WaveSpec[]): RolloutPlan => ({ ...defaultPlan, waves })
const percents = (...values: readonly number[]): RolloutPlan => planOf(...values.map((percent): WaveSpec => ({ kind: 'percent', percent })))
const sizes = (plan: RolloutPlan, members: readonly Candidate[]): readonly number[] => placeMembers(plan, 'r', members).waves.map(({ size }) => size)
const waveOf = (plan: RolloutPlan, members: readonly Candidate[]): ReadonlyMap<string, number> =>
  new Map(placeMembers(plan, 'r', members).placements.map(({ agent, wave }) => [agent, wave]))

describe('placeMembers', () => {
  it('is the same for ever, and another for each rollout', () => {
    expect([pointOf('r', 'a'), pointOf('r', 'b'), pointOf('s', 'a'), pointOf('', '')]).toMatchInlineSnapshot(`
      [
        4021685848,
        562278964,
        4246444023,
        1751238791,
      ]
    `)
    expect(waveOf(percents(50), candidates(100))).toEqual(new Map(waveOf(percents(50), candidates(100).toReversed())))
    const other = placeMembers(percents(50), 's', candidates(100)).placements
    expect(new Map(other.map(({ agent, wave }) => [agent, wave]))).not.toEqual(waveOf(percents(50), candidates(100)))
  })

  it('spreads Agents evenly', () => {
    const buckets = Array.from({ length: 16 }, () => 0)
    for (let index = 0; index < 16_000; index++) {
      const bucket = Math.floor(pointOf('rollout-7', `0197f3c2-0000-7000-8000-${String(index).padStart(12, '0')}`) / 2 ** 28)
      buckets[bucket] = (buckets[bucket] ?? 0) + 1
    }
    expect(Math.min(...buckets)).toBeGreaterThan(850)
    expect(Math.max(...buckets)).toBeLessThan(1150)
  })

  it('rounds percentages down, but not to nobody at first', () => {
    expect(sizes(percents(1, 50, 100), candidates(3))).toEqual([1, 2])
    expect(sizes(percents(50, 100), candidates(3))).toEqual([1, 2])
    expect(sizes(percents(10, 70, 100), candidates(3))).toEqual([1, 1, 1])
    expect(sizes(percents(1, 10, 50, 100), candidates(1000))).toEqual([10, 90, 400, 500])
    expect(sizes(percents(29), candidates(100))).toEqual([29, 71])
    expect(sizes(percents(10), candidates(1))).toEqual([1])
  })

  it('has one empty wave for an empty group', () => {
    expect(placeMembers(defaultPlan, 'r', [])).toMatchObject({ waves: [{ label: 'the rest', size: 0, counters: {} }], placements: [] })
  })

  it('grows batches as the default says, and makes larger ones rather than too many', () => {
    expect(sizes(defaultPlan, candidates(400))).toEqual([3, 15, 75, 100, 100, 100, 7])
    expect(sizes(defaultPlan, candidates(18_000)).length).toBe(24)
    expect(sizes(defaultPlan, candidates(18_000)).slice(0, 6)).toEqual([3, 15, 75, 375, 900, 900])
    expect(sizes(planOf({ kind: 'growing', first: 1, factor: 2, max: 2 }), candidates(4000)).length).toBeLessThan(410)
  })

  it('takes only who is reachable for counts and percentages, and the rest last', () => {
    const members = candidates(10, (index) => index >= 5)
    const { waves, placements } = placeMembers(planOf({ kind: 'count', count: 2 }, { kind: 'percent', percent: 100 }), 'r', members)
    expect(waves.map(({ label, size }) => `${label}: ${size}`)).toEqual(['2 agents: 2', '100 %: 3', 'the rest: 5'])
    const early = placements.filter(({ wave }) => wave < 2).map(({ agent }) => agent)
    expect(early.toSorted()).toEqual(['agent-5', 'agent-6', 'agent-7', 'agent-8', 'agent-9'])
  })

  it('takes all of a ring, and nobody twice', () => {
    const plan = planOf({ kind: 'ring', name: 'canary', selector: 'n in (1, 2, 3)' }, { kind: 'ring', name: 'more', selector: 'n in (3, 4)' })
    const { waves } = placeMembers(
      plan,
      'r',
      candidates(6, (index) => index !== 1),
    )
    expect(waves.map(({ label, size, bound }) => [label, size, bound])).toEqual([
      ['ring canary', 3, null],
      ['ring more', 1, null],
      ['the rest', 2, null],
    ])
  })

  it('counts weight in percentages', () => {
    const plan = { ...percents(50, 100), weights: [{ selector: 'n = 0', weight: 8 }] }
    const { placements } = placeMembers(plan, 'r', candidates(9))
    const first = placements.filter(({ wave }) => wave === 0)
    expect(first.length).toBe(first.some(({ agent }) => agent === 'agent-0') ? 1 : first.length)
    const weight = first.reduce((sum, { agent }) => sum + (agent === 'agent-0' ? 8 : 1), 0)
    expect(weight).toBeLessThanOrEqual(8)
  })

  it('places everybody once and never exceeds a percentage', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 }), (count, values) => {
        const ascending = values.toSorted((a, b) => a - b)
        const { waves, placements } = placeMembers(percents(...ascending), 'r', candidates(count))
        expect(new Set(placements.map(({ agent }) => agent)).size).toBe(count)
        expect(waves.reduce((sum, { size }) => sum + size, 0)).toBe(count)
        let reached = 0
        for (const wave of waves) {
          reached += wave.size
          const percent = wave.spec === null ? 100 : (ascending[wave.spec] ?? 0)
          expect(reached).toBeLessThanOrEqual(Math.max(1, (count * percent) / 100))
        }
      }),
    )
  })
})

describe('placeLate', () => {
  const late = (plan: RolloutPlan, members: readonly Candidate[], agent: string, attributes: Readonly<Record<string, string>> = {}) =>
    placeLate(plan, 'r', placeMembers(plan, 'r', members).waves, agent, (key) => attributes[key])

  it('puts Agents that were there before where they were', () => {
    const plan = percents(10, 40, 100)
    const { waves, placements } = placeMembers(plan, 'r', candidates(200))
    for (const { agent, wave } of placements) expect(placeLate(plan, 'r', waves, agent, () => undefined).wave).toBe(wave)
  })

  it('puts late joiners where they fall, in about the same parts', () => {
    const plan = percents(10, 100)
    const { waves } = placeMembers(plan, 'r', candidates(1000))
    const first = Array.from({ length: 1000 }, (_, index) => placeLate(plan, 'r', waves, `new-${index}`, () => undefined)).filter(({ wave }) => wave === 0)
    expect(first.length).toBeGreaterThan(60)
    expect(first.length).toBeLessThan(140)
    expect(first[0]?.late).toBe(true)
  })

  it('never makes a count larger', () => {
    const plan = planOf({ kind: 'count', count: 3 })
    const { waves } = placeMembers(plan, 'r', candidates(4))
    const places = Array.from({ length: 50 }, (_, index) => placeLate(plan, 'r', waves, `new-${index}`, () => undefined).wave)
    expect(new Set(places)).toEqual(new Set([1]))
  })

  it('puts them into the first ring that chooses them', () => {
    const plan = planOf({ kind: 'count', count: 1 }, { kind: 'ring', name: 'a', selector: 'n = 1' })
    expect(late(plan, candidates(9), 'new', { n: '1' }).wave).toBe(1)
  })
})
