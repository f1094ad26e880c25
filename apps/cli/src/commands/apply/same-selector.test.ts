import { describe, expect, it } from 'vitest'
import { isSameSelector } from './same-selector.ts'

describe('selectors', () => {
  it('are the same whatever spaces stand between their parts', () => {
    expect(isSameSelector('host.name="a b" and  tier!=x', 'host.name = "a b" and tier != x')).toBe(true)
    expect(isSameSelector('a in(b,c)', 'a in (b, c)')).toBe(true)
  })

  it.each([
    ['in a value', 'host.name = "a b"', 'host.name = "ab"'],
    ['in a value with quotes', String.raw`a = "x\" y"`, String.raw`a = "x\"y"`],
    ['between words', 'not a = b', 'nota = b'],
  ])('are others when a space is missing %s', (_, one, other) => {
    expect(isSameSelector(one, other)).toBe(false)
  })
})
