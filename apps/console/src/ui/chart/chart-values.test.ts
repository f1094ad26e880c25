/** Values with their units. */
import { expect, it } from 'vitest'
import { axisTime, formatTicks, formatValue } from './chart-values.ts'

it('writes values with their unit, as exact as their size asks for', () => {
  expect(formatValue(0, 'perSecond')).toBe('0/s')
  expect(formatValue(0.254, 'perSecond')).toBe('0.25/s')
  expect(formatValue(1_234.4, 'perSecond')).toBe('1,234/s')
  expect(formatValue(12_345, 'perSecond')).toBe('12.3 k/s')
  expect(formatValue(2_500_000, 'bytes')).toBe('2.5 MB')
  expect(formatValue(512, 'bytes')).toBe('512 B')
  expect(formatValue(0.004, 'share')).toBe('0.4 %')
  expect(formatValue(1.25, 'share')).toBe('125 %')
  expect(formatValue(18_000, 'count')).toBe('18 k')
  expect(formatValue(undefined, 'count')).toBe('not told')
})

it('writes all ticks of an axis in the unit of the largest, with the digits that their distance needs', () => {
  expect(formatTicks([0, 500_000_000, 1_000_000_000], 500_000_000, 'bytes')).toEqual(['0', '0.5 GB', '1 GB'])
  expect(formatTicks([0, 0.25, 0.5], 0.25, 'share')).toEqual(['0 %', '25 %', '50 %'])
  expect(formatTicks([0, 0.001, 0.002], 0.001, 'share')).toEqual(['0 %', '0.1 %', '0.2 %'])
  expect(formatTicks([0, 5_000, 10_000], 5_000, 'perSecond')).toEqual(['0', '5 k/s', '10 k/s'])
  expect(formatTicks([0, 0.25, 0.5, 0.75], 0.25, 'perSecond')).toEqual(['0', '0.25/s', '0.5/s', '0.75/s'])
  expect(formatTicks([0, 0.5, 1], 0.5, 'perSecond')).toEqual(['0', '0.5/s', '1/s'])
})

it('tells midnight by its date when the axis spans more than a day', () => {
  const midnight = new Date(2026, 4, 3).getTime()
  expect(axisTime(midnight, 21_600, 7 * 86_400)).toBe('3 May')
  expect(axisTime(midnight, 600, 3_600)).toBe('00:00')
  expect(axisTime(midnight + 61_000, 10, 60)).toBe('00:01:01')
})
