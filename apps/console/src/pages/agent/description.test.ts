/** Attributes and capabilities as rows. */
import { expect, it } from 'vitest'
import { attributeFacts, capabilityRows } from './description.ts'
import { valueText } from './value-text.ts'

it('sorts attributes and writes nested values as JSON', () => {
  expect(attributeFacts({ b: ['x', 1], a: 'text', c: null })).toEqual([
    ['a', 'text'],
    ['b', '["x",1]'],
    ['c', 'null'],
  ])
})

it('lists what an agent can do first, then what it cannot, and keeps capabilities it does not know', () => {
  const rows = capabilityRows(['AcceptsRemoteConfig', 'FliesToTheMoon'])
  expect(rows.slice(0, 2).map(({ name, has }) => [name, has])).toEqual([
    ['AcceptsRemoteConfig', true],
    ['FliesToTheMoon', true],
  ])
  expect(rows.slice(2).every(({ has }) => !has)).toBe(true)
})

it('shortens long values', () => {
  expect(valueText({ a: 1 })).toBe('{"a":1}')
  expect(valueText('x'.repeat(1_000))).toHaveLength(401)
})
