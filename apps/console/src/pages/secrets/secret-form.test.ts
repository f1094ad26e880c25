/** Secrets while they are written. */
import { describe, expect, it } from 'vitest'
import { deleteRefusal, endsWithLineBreak, groupsBehind, reference, secretNameError, withoutLastBreak } from './secret-form.ts'

describe('the name of a new secret', () => {
  it('is refused when it is taken or could not stand in a configuration', () => {
    expect(secretNameError('api_key', ['api_key'])).toMatch(/new value in its row/)
    expect(secretNameError('api-key', [])).toMatch(/letters, digits or underscores/)
    expect(secretNameError('1st', [])).toBeDefined()
    expect(secretNameError('api_key', ['other'])).toBeUndefined()
  })

  it('is not wrong before it was begun', () => {
    expect(secretNameError('', [])).toBeUndefined()
  })
})

it('writes a secret as configurations name it', () => {
  expect(reference('api_key')).toBe('${drover:secret.api_key}')
})

it('notices a line break at the end, and takes it off without touching those within', () => {
  expect(endsWithLineBreak('abc\n')).toBe(true)
  expect(endsWithLineBreak('a\nb')).toBe(false)
  expect(withoutLastBreak('a\nb\r\n\n')).toBe('a\nb')
})

it('says which groups stand in the way of deleting', () => {
  const uses = (...groups: readonly string[]) => ({ usedBy: groups.map((group) => ({ group, version: 1 })) })
  expect(deleteRefusal(uses())).toBeUndefined()
  expect(deleteRefusal(uses('edge', 'edge'))).toBe('Agents of edge get it. Take it out of the configs of that group first')
  expect(deleteRefusal(uses('a', 'b', 'c', 'd'))).toMatch(/a, b, c and 1 more/)
})

it('names the groups that go on with an older value', () => {
  const usedBy = [
    { group: 'a', version: 2 },
    { group: 'b', version: 1 },
  ]
  expect(groupsBehind({ usedBy, version: 2 })).toEqual(['b'])
})
