/** Positions in a text. */
import { expect, it } from 'vitest'
import { offsetOf } from './position.ts'

const doc = {
  lines: 2,
  line: (number: number) => (number === 1 ? { from: 0, to: 3 } : { from: 4, to: 6 }),
}

it('counts lines and columns from 1 and stays within the text', () => {
  expect(offsetOf(doc, 1, 1)).toBe(0)
  expect(offsetOf(doc, 2, 2)).toBe(5)
  expect(offsetOf(doc, 2, 99)).toBe(6)
  expect(offsetOf(doc, 99, 1)).toBe(4)
  expect(offsetOf(doc, 0, 0)).toBe(0)
})
