/** How often comparisons fail a wave without any difference: the rule as it is carried out, over many made-up soaks. */
import { describe, expect, it } from 'vitest'
import { judgeAgainstControl, judgeAgainstPast } from './judge.ts'

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

interface Scene {
  readonly wave: number
  /** 0: against the past. */
  readonly control: number
  /** Part of the variance that lies between agents and stays from look to look; the rest is drawn anew. */
  readonly lasting: number
  readonly looks: number
}

/** Smaller than any difference, so that the test alone decides. */
const noRatio = 1 + 1e-9

interface Alarms {
  readonly inOneLook: number
  readonly inTwoLooks: number
}

/** Soaks that were failed by at least one look, and by two in a row. */
function countAlarms({ wave, control, lasting, looks }: Scene, soaks: number): Alarms {
  const random = createRandom(wave * 1000 + control + looks)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const see = (own: number) => Math.exp(Math.sqrt(lasting) * own + Math.sqrt(1 - lasting) * normal())
  const rule = { maxRatio: noRatio, minSample: 3, betterWhen: 'lower' } as const
  let [inOneLook, inTwoLooks] = [0, 0]
  for (let soak = 0; soak < soaks; soak++) {
    const own = Array.from({ length: wave + control }, normal)
    const before = own.map(see)
    let [inRow, most] = [0, 0]
    for (let look = 0; look < looks; look++) {
      const now = own.map(see)
      const { verdict } =
        control > 0
          ? judgeAgainstControl('it', { ...rule, wave: now.slice(0, wave), control: now.slice(wave) })
          : judgeAgainstPast('it', { ...rule, pairs: now.map((after, index) => ({ before: before[index] ?? Number.NaN, after })) })
      inRow = verdict === 'fail' ? inRow + 1 : 0
      most = Math.max(most, inRow)
    }
    if (most >= 1) inOneLook++
    if (most >= 2) inTwoLooks++
  }
  return { inOneLook, inTwoLooks }
}

const soaks = 1000

describe('a wave without any difference', () => {
  it.each<Scene>([
    { wave: 3, control: 30, lasting: 0.9, looks: 10 },
    { wave: 15, control: 45, lasting: 0.9, looks: 10 },
    { wave: 12, control: 0, lasting: 0.9, looks: 10 },
  ])('of $wave against $control, with $lasting of the variance lasting, is failed in at most 2 of 1,000 soaks', (scene) => {
    expect(countAlarms(scene, soaks).inTwoLooks / soaks).toBeLessThanOrEqual(0.002)
  })

  it('is failed by single looks more often than that, so that two in a row are needed', () => {
    const { inOneLook, inTwoLooks } = countAlarms({ wave: 15, control: 45, lasting: 0.5, looks: 10 }, soaks)
    expect(inOneLook / soaks).toBeGreaterThan(0.004)
    expect(inTwoLooks / soaks).toBeLessThanOrEqual(0.002)
  })
})
