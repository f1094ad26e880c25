/** Texts brought into one form before they are compared. */
import { expect, it } from 'vitest'
import { comparableYaml, effectiveAsDesired, joinFiles } from './comparable-yaml.ts'

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

const drifted = [
  { path: 'a.endpoint', kind: 'changed' as const, desired: 'x:1', effective: 'y:1' },
  { path: 'a["odd.key"]', kind: 'missing' as const, desired: 5 },
]

it('writes what did not drift as it was desired, so that only drift differs', () => {
  const desired = 'a: {wait: 60s, endpoint: "x:1", odd.key: 5}\nl: ["${env:A}"]\n'
  const effective = 'l: [7]\na: {endpoint: "y:1", wait: 1m0s, own: true}\nmore: {}\n'
  expect(effectiveAsDesired(desired, effective, drifted, false)).toBe('a:\n  endpoint: y:1\n  wait: 60s\nl:\n  - ${env:A}\n')
  expect(effectiveAsDesired(desired, effective, [], false)).toBe(comparableYaml(desired))
})

it('keeps on request what the agent added', () => {
  const desired = 'e: [a]\no:\nm: {x: 1}\n'
  expect(effectiveAsDesired(desired, 'e: [a, own]\no: {p: 1}\nm: {x: 1, y: 2}\nz: 3\n', [], true)).toBe(
    comparableYaml('e: [a, own]\no: {p: 1}\nm: {x: 1, y: 2}\nz: 3\n'),
  )
})

it('shows an effective configuration that cannot be read as it is', () => {
  expect(effectiveAsDesired('a: 1', 'a: [', [], false)).toBe('a: [')
})
