/** 16-bit numbers and the blocks they are kept in. */
import { describe, expect, it } from 'vitest'
import { readBlock, writeBlock } from './block.ts'
import { ByteReader, ByteWriter, DamagedError } from './bytes.ts'
import { ABSENT, levelOf, valueOf } from './level.ts'

/** A seeded generator: a failing case can be run again. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe('a level', () => {
  it('is exact for small whole numbers and within 0.05 % otherwise', () => {
    for (let value = 0; value <= 2048; value++) expect(valueOf(levelOf(value))).toBe(value)
    for (let value = 1e-5; value < 1e13; value *= 1.37) expect(Math.abs(valueOf(levelOf(value)) / value - 1)).toBeLessThan(0.000_5)
  })

  it('grows with its number and stays in 16 bits', () => {
    let before = 0
    for (const value of [0, 1e-300, 1e-6, 0.5, 1, 1.01, 1e6, 1e13, 1e38, 1e300, Infinity]) {
      expect(levelOf(value)).toBeGreaterThanOrEqual(before)
      expect(levelOf(value)).toBeLessThan(ABSENT)
      before = levelOf(value)
    }
  })

  it('is absent for what is no number from 0 on', () => {
    for (const value of [Number.NaN, -1, -0.001]) expect(levelOf(value)).toBe(ABSENT)
    expect(valueOf(ABSENT)).toBeNaN()
  })
})

describe('a block', () => {
  const encode = (slots: number, levels: Uint16Array): Buffer => {
    const out = new ByteWriter()
    writeBlock(out, new ByteWriter(), { slots, levels })
    return out.take()
  }

  it('gives back what was put in, whatever it is', () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = createRandom(seed)
      const [slots, series] = [1 + Math.floor(random() * 100), Math.floor(random() * 6)]
      const levels = new Uint16Array(slots * series)
      let level = 0
      for (let at = 0; at < levels.length; at++) {
        const dice = random()
        if (dice < 0.3) level = Math.floor(random() * 0x1_0000)
        else if (dice < 0.5) level = Math.max(0, level - 1)
        levels[at] = dice > 0.9 ? ABSENT : level
      }
      const wanted = Array.from({ length: series }, (_, at) => at)
      expect(readBlock(new ByteReader(encode(slots, levels)), slots, series, wanted).levels, `seed ${seed}`).toEqual(levels)
    }
  })

  it('reads only what is wanted, in the order that is asked for', () => {
    const levels = Uint16Array.from([1, 2, 3, 4, 5, 6])
    expect([...readBlock(new ByteReader(encode(2, levels)), 2, 3, [2, 0]).levels]).toEqual([5, 6, 1, 2])
  })

  it('takes two or three bytes for a series that does not change', () => {
    expect(encode(90, new Uint16Array(900).fill(levelOf(12_345))).length).toBeLessThanOrEqual(2 + 10 * 6)
    expect(encode(90, new Uint16Array(900)).length).toBeLessThanOrEqual(2 + 10 * 3)
  })

  it('is refused or read when any byte of it is another one, and never reads beyond its end', () => {
    const random = createRandom(7)
    const bytes = encode(
      30,
      Uint16Array.from({ length: 120 }, () => Math.floor(random() * 0x1_0000)),
    )
    for (let at = 0; at < bytes.length; at++)
      for (const bit of [1, 0x80]) {
        const broken = Buffer.from(bytes)
        broken[at] = (broken[at] ?? 0) ^ bit
        for (const candidate of [broken, bytes.subarray(0, at)]) {
          try {
            readBlock(new ByteReader(candidate), 30, 4, [0, 1, 2, 3])
          } catch (error) {
            expect(error).toBeInstanceOf(DamagedError)
          }
        }
      }
  })
})
