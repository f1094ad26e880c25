import { describe, expect, it } from 'vitest'
import { formatGoDuration, parseGoDuration } from './go-duration.ts'

describe('parseGoDuration', () => {
  it.each([
    ['5s', 5_000],
    ['1m30s', 90_000],
    ['1h2m3s4ms', 3_723_004],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['2.s', 2_000],
    ['250ms', 250],
    ['1500us', 1.5],
    ['1µs', 0.001],
    ['100ns', 0.0001],
    ['-1s', -1_000],
    ['+1s', 1_000],
    ['0', 0],
  ])('reads %s', (text, ms) => {
    expect(parseGoDuration(text)).toBeCloseTo(ms, 6)
  })

  it.each(['', '5', 's', '5 s', '5sec', '1d', '5s ', 'P1D', '1,5s', '--1s', '.s', '1s2'])('refuses %j', (text) => {
    expect(parseGoDuration(text)).toBeUndefined()
  })
})

describe('formatGoDuration', () => {
  it.each([
    [0, '0s'],
    [250, '250ms'],
    [5_000, '5s'],
    [90_000, '1m30s'],
    [3_600_000, '1h'],
    [3_661_000, '1h1m1s'],
  ])('writes %d ms', (ms, text) => {
    expect(formatGoDuration(ms)).toBe(text)
    expect(parseGoDuration(text)).toBe(ms)
  })
})
