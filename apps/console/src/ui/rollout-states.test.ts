/** How states of rollouts are told. */
import { MemberState } from '@drover/api'
import { expect, it } from 'vitest'
import { type Counts, countsInWords, memberStates, partsOf } from './rollout-states.ts'

it('adds up states that a bar does not tell apart, and keeps the order of the bar', () => {
  expect(partsOf({ pending: 5, failed: 1, lost: 2, applied: 4, offered: 1, applying: 1 })).toEqual([
    { part: 'has', count: 4 },
    { part: 'bad', count: 3 },
    { part: 'underWay', count: 2 },
    { part: 'ahead', count: 5 },
  ])
})

it('loses nobody, whatever the state', () => {
  const counts: Counts = Object.fromEntries(MemberState.options.map((state, index) => [state, index + 1]))
  const sum = Object.values(counts).reduce((total, count) => total + count, 0)
  expect(partsOf(counts).reduce((total, { count }) => total + count, 0)).toBe(sum)
})

it('counts agents in a state of a newer server as those that cannot be told', () => {
  expect(partsOf({ dancing: 2 } as Counts)).toEqual([{ part: 'silent', count: 2 }])
})

it('tells the same in words', () => {
  expect(countsInWords({ applied: 1_200, failed: 1 })).toBe('1,200 applied, 1 failed')
  expect(countsInWords({})).toBe('nobody')
})

it('calls no two states of an agent the same', () => {
  const labels = Object.values(memberStates).map(({ label }) => label)
  expect(new Set(labels).size).toBe(labels.length)
})
