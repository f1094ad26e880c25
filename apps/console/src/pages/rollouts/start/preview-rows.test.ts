/** A preview as rows. */
import { expect, it } from 'vitest'
import { previewRows } from './preview-rows.ts'

const waves = (...sizes: number[]) =>
  sizes.map((agents) => ({ label: `${agents} agents`, agents, connected: agents - 1, soakMs: 1_000, sample: [], missing: [] }))

it('gives few waves a row each, one beginning where the one before ends', () => {
  expect(previewRows(waves(3, 15, 75, 7)).map(({ before, agents }) => [before, agents])).toEqual([
    [0, 3],
    [3, 15],
    [18, 75],
    [93, 7],
  ])
})

it('tells equal waves together when there are many', () => {
  const rows = previewRows(waves(3, 15, 75, ...Array.from({ length: 180 }, () => 100), 9))
  expect(rows.map(({ first, last, agents, before, connected }) => ({ first, last, agents, before, connected }))).toEqual([
    { first: 0, last: 0, agents: 3, before: 0, connected: 2 },
    { first: 1, last: 1, agents: 15, before: 3, connected: 14 },
    { first: 2, last: 2, agents: 75, before: 18, connected: 74 },
    { first: 3, last: 182, agents: 18_000, before: 93, connected: 17_820 },
    { first: 183, last: 183, agents: 9, before: 18_093, connected: 8 },
  ])
})

it('stays short and loses nobody when waves are many and differ', () => {
  const sizes = Array.from({ length: 100 }, (_, index) => index + 1)
  const rows = previewRows(waves(...sizes))
  expect(rows).toHaveLength(16)
  expect(rows.reduce((sum, { agents }) => sum + agents, 0)).toBe(5_050)
  expect(rows.at(-1)).toMatchObject({ first: 15, last: 99, before: 120 })
})
