import { describe, expect, it } from 'vitest'
import { exceeds, judgeAgainstControl, judgeAgainstPast, judgeQuery, judgeShare, judgeWebhook, percentText, significance } from './judge.ts'
import { fisherP, median, rankSumP, signP } from './statistics.ts'

/** mulberry32 */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Heavy tails, as loads have. */
function createLogNormal(random: () => number): () => number {
  return () => Math.exp(Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()))
}

const limit = { maxCount: 1, maxPercent: 2, minSample: 20 }
const verdictOf = ({ verdict }: { readonly verdict: string }): string => verdict

describe('the tests', () => {
  it('give the values of the tables', () => {
    // All 3 above all 4: one of 35 ways.
    expect(rankSumP([5, 6, 7], [1, 2, 3, 4])).toBeCloseTo(1 / 35, 10)
    expect(rankSumP([1, 2, 3], [4, 5, 6, 7])).toBe(1)
    // All the same: nothing to tell.
    expect(rankSumP([1, 1, 1], [1, 1, 1, 1])).toBe(1)
    expect(rankSumP([], [1])).toBe(1)
    expect(signP(10, 0)).toBeCloseTo(1 / 1024, 10)
    expect(signP(5, 5)).toBeCloseTo(0.623, 3)
    expect(signP(0, 0)).toBe(1)
    // The lady who tastes tea: 3 of 4 cups right.
    expect(fisherP({ bad: 3, of: 4 }, { bad: 1, of: 4 })).toBeCloseTo(17 / 70, 10)
    expect(fisherP({ bad: 0, of: 4 }, { bad: 1, of: 4 })).toBeCloseTo(1, 10)
    expect([median([3, 1, 2]), median([1, 2, 3, 4])]).toEqual([2, 2.5])
  })

  it.each([
    { n: 7, m: 30, round: 1e9 },
    { n: 7, m: 30, round: 4 },
    { n: 30, m: 60, round: 1e9 },
    { n: 30, m: 60, round: 4 },
  ])('agree with drawing lots, $n against $m, ties from rounding to 1/$round', ({ n, m, round }) => {
    const random = createRandom(n)
    const draw = (count: number, shift: number) => Array.from({ length: count }, () => Math.round((random() + shift) * round) / round)
    const [wave, control] = [draw(n, 0.12), draw(m, 0)]
    const all = [...wave, ...control]
    const ranks = all.map((one) => all.reduce((sum, other) => sum + (other < one ? 1 : other === one ? 0.5 : 0), 0))
    const sum = (values: readonly number[]) => values.slice(0, n).reduce((total, one) => total + one, 0)
    const observed = sum(ranks)
    let asHigh = 0
    for (let run = 0; run < 20_000; run++) {
      for (let index = 0; index < n; index++) {
        const other = index + Math.floor(random() * (ranks.length - index))
        const [one, two] = [ranks[index] ?? 0, ranks[other] ?? 0]
        ranks[index] = two
        ranks[other] = one
      }
      if (sum(ranks) >= observed - 1e-9) asHigh++
    }
    expect(rankSumP(wave, control)).toBeGreaterThan(asHigh / 20_000 - 0.015)
    expect(rankSumP(wave, control)).toBeLessThan(asHigh / 20_000 + 0.015)
  })

  it.each([
    { agents: 3, control: 100 },
    { agents: 15, control: 80 },
    { agents: 100, control: 500 },
  ])('raise a false alarm for $agents agents no more often than they say', ({ agents, control }) => {
    const value = createLogNormal(createRandom(agents))
    const runs = 2000
    let alarms = 0
    for (let run = 0; run < runs; run++) {
      const p = rankSumP(Array.from({ length: agents }, value), Array.from({ length: control }, value))
      if (p < 0.01) alarms++
    }
    // Expected 1 %; four standard deviations of room.
    expect(alarms / runs).toBeLessThan(0.01 + 4 * Math.sqrt((0.01 * 0.99) / runs))
    // And not far less, or the test would see nothing.
    expect(alarms / runs).toBeGreaterThan(0.003)
  })

  it('fail a wave without any difference in at most 2 of 1,000 soaks', () => {
    const value = createLogNormal(createRandom(42))
    const soaks = 1500
    let failed = 0
    for (let soak = 0; soak < soaks; soak++) {
      // An Agent is what it is: half of the (log) variance stays from look to look.
      const own = Array.from({ length: 60 }, value)
      let inRow = 0
      let worst = 0
      for (let look = 0; look < 10; look++) {
        const seen = own.map((one) => Math.sqrt(one) * Math.sqrt(value()))
        inRow = rankSumP(seen.slice(0, 15), seen.slice(15)) < significance ? inRow + 1 : 0
        worst = Math.max(worst, inRow)
      }
      if (worst >= 2) failed++
    }
    expect(failed / soaks).toBeLessThanOrEqual(0.002)
  })
})

describe('limits', () => {
  it('need the count and the percentage, and the count alone while the sample is small', () => {
    expect(exceeds({ bad: 1, of: 1 }, limit)).toBe(false)
    expect(exceeds({ bad: 2, of: 19 }, limit)).toBe(true)
    expect(exceeds({ bad: 2, of: 100 }, limit)).toBe(false)
    expect(exceeds({ bad: 3, of: 100 }, limit)).toBe(true)
  })

  it('are told without becoming nothing', () => {
    expect([percentText({ bad: 1, of: 18_000 }), percentText({ bad: 1, of: 3 }), percentText({ bad: 0, of: 0 }), percentText({ bad: 1, of: 50 })]).toEqual([
      '0.0056 %',
      '33 %',
      '0 %',
      '2 %',
    ])
  })
})

describe('gates', () => {
  it('judge shares, and do not blame the change for what others have too', () => {
    const judge = (bad: number, of: number, control?: { bad: number; of: number }) => verdictOf(judgeShare('are unhealthy', { bad, of }, limit, control))
    expect(judge(0, 0)).toBe('inconclusive')
    expect(judge(1, 50)).toBe('pass')
    expect(judge(10, 50)).toBe('fail')
    expect(judge(10, 50, { bad: 0, of: 500 })).toBe('fail')
    expect(judge(10, 50, { bad: 100, of: 500 })).toBe('inconclusive')
    // More than the others, beyond chance.
    expect(judge(45, 50, { bad: 100, of: 500 })).toBe('fail')
    // Too few to compare with.
    expect(judge(10, 50, { bad: 5, of: 10 })).toBe('fail')
    expect(judgeShare('are unhealthy', { bad: 10, of: 50 }, limit, { bad: 100, of: 500 }).text).toBe(
      '10 of 50 agents are unhealthy (20 %), but so do 100 of 500 that did not get the change',
    )
  })

  const value = createLogNormal(createRandom(7))
  const control = Array.from({ length: 100 }, value)
  const compare = (wave: readonly number[], others: readonly number[] = control, betterWhen: 'lower' | 'higher' = 'lower') =>
    judgeAgainstControl('refused', { wave, control: others, maxRatio: 1.5, minSample: 3, betterWhen })

  it('compare a wave with its control group', () => {
    expect(compare([50, 60, 70])).toMatchObject({ verdict: 'fail', numbers: { agents: 3, control: 100, now: 60 } })
    expect(compare(control.slice(0, 15)).verdict).toBe('pass')
    expect(compare([0.0001, 0.0002, 0.0001], control, 'higher').verdict).toBe('fail')
    // Everybody refuses nothing but the wave.
    const zeros = Array.from({ length: 100 }, () => 0)
    expect(compare([1, 2, 3], zeros).verdict).toBe('fail')
    expect(compare([0, 0, 0], zeros).verdict).toBe('pass')
    // Beyond chance, but not by much.
    expect(
      compare(
        [1.1, 1.11, 1.12, 1.13],
        Array.from({ length: 50 }, (_, index) => 1 + index / 1000),
      ),
    ).toMatchObject({ verdict: 'pass' })
  })

  it('say nothing with too few samples, or without', () => {
    expect(compare([50, 60]).verdict).toBe('inconclusive')
    expect(compare([50, 60, 70, Number.NaN, Number.POSITIVE_INFINITY, Number.NaN, Number.NaN]).verdict).toBe('inconclusive')
    expect(compare([50, 60, 70], control.slice(0, 2)).verdict).toBe('inconclusive')
    // 3 of 7: one of 35 ways, which is not rare enough.
    expect(compare([50, 60, 70], control.slice(0, 4)).verdict).toBe('inconclusive')
    expect(compare([], []).verdict).toBe('inconclusive')
  })

  it('compare Agents with their own past', () => {
    const past = (count: number, ratio: number, betterWhen: 'lower' | 'higher' = 'lower') =>
      judgeAgainstPast('memory', {
        pairs: Array.from({ length: count }, (_, index) => ({ before: index + 1, after: (index + 1) * ratio })),
        maxRatio: 1.5,
        minSample: 3,
        betterWhen,
      })
    expect(past(12, 2).verdict).toBe('fail')
    expect(past(12, 1.2).verdict).toBe('pass')
    expect(past(12, 0.5).verdict).toBe('pass')
    expect(past(12, 0.5, 'higher').verdict).toBe('fail')
    expect(past(9, 2).verdict).toBe('inconclusive')
    expect(past(12, Number.NaN).verdict).toBe('inconclusive')
  })

  it('take only one fresh number from a query', () => {
    const judge = (...samples: readonly { value: number; ageMs: number }[]) => judgeQuery({ operator: '<', threshold: 1 }, { samples })
    expect(verdictOf(judge({ value: 0.5, ageMs: 0 }))).toBe('pass')
    expect(verdictOf(judge({ value: 1, ageMs: 0 }))).toBe('fail')
    const unclear = [judge(), judge({ value: 0, ageMs: 0 }, { value: 0, ageMs: 0 }), judge({ value: Number.NaN, ageMs: 0 })]
    unclear.push(judge({ value: Number.POSITIVE_INFINITY, ageMs: 0 }), judge({ value: 0, ageMs: 3 * 86_400_000 }), judge({ value: 0, ageMs: Number.NaN }))
    unclear.push(judgeQuery({ operator: '>', threshold: 1 }, { problem: 'status 500' }))
    expect(unclear.map(verdictOf)).toEqual(Array.from({ length: 7 }, () => 'inconclusive'))
    const all = (['<', '<=', '>', '>='] as const).map((operator) => judgeQuery({ operator, threshold: 1 }, { samples: [{ value: 1, ageMs: 0 }] }).verdict)
    expect(all).toEqual(['fail', 'pass', 'fail', 'pass'])
  })

  it('take only a verdict from a webhook', () => {
    expect(judgeWebhook({ body: { verdict: 'fail', text: 'error\nbudget  spent' } })).toEqual({
      verdict: 'fail',
      text: 'the webhook said fail: error budget spent',
      numbers: {},
    })
    expect(verdictOf(judgeWebhook({ body: { verdict: 'pass' } }))).toBe('pass')
    for (const body of [null, 'pass', {}, { verdict: 'PASS' }, [], { verdict: true }]) expect(verdictOf(judgeWebhook({ body }))).toBe('inconclusive')
    expect(verdictOf(judgeWebhook({ problem: 'it timed out' }))).toBe('inconclusive')
  })

  it('give numbers that can be stored', () => {
    const { numbers } = judgeQuery({ operator: '<', threshold: 1 }, { samples: [{ value: 0, ageMs: Number.POSITIVE_INFINITY }] })
    expect(numbers).toEqual({})
  })
})
