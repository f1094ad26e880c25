/** The agents table's filters in the address. */
import { expect, it } from 'vitest'
import { nextSort, parseAgentSearch, toListFilter, withSearch } from './agent-search.ts'

it('reads what an address says and ignores the rest', () => {
  expect(parseAgentSearch({ filter: 'a = b', state: 'failed', search: '007', sort: '-lastSeenAt', other: 'x' })).toEqual({
    filter: 'a = b',
    state: 'failed',
    search: '007',
    sort: '-lastSeenAt',
  })
  expect(parseAgentSearch({ filter: '  ', state: 'asleep', search: '', sort: 'colour' })).toEqual({})
  expect(parseAgentSearch({ filter: 3, state: ['failed'] })).toEqual({})
})

it('leaves the default order out of the address, and asks the server for it', () => {
  expect(parseAgentSearch({ sort: 'name' })).toEqual({})
  expect(toListFilter({})).toEqual({ sort: 'name' })
})

it('changes one filter and keeps the others', () => {
  const search = { filter: 'a = b', state: 'failed' } as const
  expect(withSearch(search, { search: 'x' })).toEqual({ ...search, search: 'x' })
  expect(withSearch(search, { state: undefined })).toEqual({ filter: 'a = b' })
})

it('sorts names from A and times from the newest first, then turns round', () => {
  expect(nextSort({}, 'name')).toBe('-name')
  expect(nextSort({ sort: '-name' }, 'name')).toBe('name')
  expect(nextSort({}, 'lastSeenAt')).toBe('-lastSeenAt')
  expect(nextSort({ sort: '-lastSeenAt' }, 'lastSeenAt')).toBe('lastSeenAt')
  expect(nextSort({ sort: 'lastSeenAt' }, 'name')).toBe('name')
})
