/** Times for people. */
import { expect, it } from 'vitest'
import { bytes, duration, relativeTime } from './time.ts'

const now = Date.UTC(2026, 5, 1, 12)
const ago = (seconds: number) => relativeTime(now - seconds * 1_000, now)

it('says how long ago something was in the largest unit that fits', () => {
  expect(ago(2)).toBe('just now')
  expect(ago(42)).toBe('42 sec. ago')
  expect(ago(90)).toBe('1 min. ago')
  expect(ago(3_600 * 5)).toBe('5 hr. ago')
  expect(ago(86_400 * 3)).toBe('3 days ago')
})

it('says how long something lies ahead', () => {
  expect(ago(-3_700)).toBe('in 1 hr.')
})

it('names durations and sizes shortly', () => {
  expect(duration(59)).toBe('59 s')
  expect(duration(3_700)).toBe('1 h 1 min')
  expect(duration(200_000)).toBe('2 d 7 h')
  expect(bytes(999)).toBe('999 B')
  expect(bytes(2_500_000)).toBe('2.5 MB')
})
