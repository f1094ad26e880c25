/** Keys that move through the rows of a grid. */
import { expect, it } from 'vitest'
import { rowForKey } from './row-keys.ts'

it('moves by one, by a page, and to the ends', () => {
  expect(rowForKey('ArrowDown', 3, 100, 20)).toBe(4)
  expect(rowForKey('ArrowUp', 3, 100, 20)).toBe(2)
  expect(rowForKey('PageDown', 3, 100, 20)).toBe(23)
  expect(rowForKey('PageUp', 30, 100, 20)).toBe(10)
  expect(rowForKey('Home', 30, 100, 20)).toBe(0)
  expect(rowForKey('End', 30, 100, 20)).toBe(99)
})

it('stays within the grid', () => {
  expect(rowForKey('ArrowUp', 0, 100, 20)).toBe(0)
  expect(rowForKey('PageDown', 95, 100, 20)).toBe(99)
  expect(rowForKey('End', 0, 0, 20)).toBeUndefined()
})

it('leaves other keys alone', () => {
  expect(rowForKey('Tab', 3, 100, 20)).toBeUndefined()
})
