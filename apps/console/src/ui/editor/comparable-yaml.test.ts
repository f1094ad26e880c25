/** Texts brought into one form before they are compared. */
import { expect, it } from 'vitest'
import { comparableYaml, joinFiles } from './comparable-yaml.ts'

it('makes texts equal that say the same in another order and form', () => {
  expect(comparableYaml('b: {y: 1, x: [1, 2]}\na: "text" # why\n')).toBe(comparableYaml('a: text\nb:\n  x:\n    - 1\n    - 2\n  y: 1\n'))
})

it('keeps what differs', () => {
  expect(comparableYaml('a: [1, 2]')).not.toBe(comparableYaml('a: [2, 1]'))
  expect(comparableYaml('a: "1"')).not.toBe(comparableYaml('a: 1'))
})

it('gives back what it cannot read', () => {
  expect(comparableYaml('a: [unclosed')).toBe('a: [unclosed')
  expect(comparableYaml('  \n')).toBe('')
})

it('joins several files under their names, and leaves one alone', () => {
  expect(joinFiles([{ name: 'a.yaml', body: 'x: 1\n' }])).toBe('x: 1\n')
  expect(
    joinFiles([
      { name: 'a.yaml', body: 'x: 1\n' },
      { name: '', body: 'y: 2' },
    ]),
  ).toBe('# a.yaml\nx: 1\n\n# (unnamed file)\ny: 2\n')
})
