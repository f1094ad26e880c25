/** The address of the list of rollouts. */
import { expect, it } from 'vitest'
import { filterOf, isFiltered } from './rollout-search.ts'

it('takes states and the two kinds of them, and nothing else', () => {
  expect(filterOf({ state: 'active' })).toEqual({ state: 'active' })
  expect(filterOf({ state: 'paused', group: 'edge' })).toEqual({ state: 'paused', group: 'edge' })
  expect(filterOf({ state: 'dancing' })).toEqual({})
})

it('shows what goes on before what is over unless a state is asked for', () => {
  expect(isFiltered(filterOf({ group: 'edge' }))).toBe(false)
  expect(isFiltered(filterOf({ state: 'over' }))).toBe(true)
})
