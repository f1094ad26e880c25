import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { chapters } from './chapters.ts'
import { factsOf, renderComparison } from './comparison-page.ts'
import type { Comparison, SeenOutcome } from './comparison-page.ts'

const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8')

it('is the page that is in the documentation, and tells of the scenarios as they are', async () => {
  const comparison = JSON.parse(await read('./comparison.json')) as Comparison // as: written by the test run
  expect(comparison.chapters).toEqual(factsOf(chapters))
  expect(await read('../../../docs/operations/supervisor-comparison.md')).toBe(renderComparison(comparison))
})

it('tells apart what was seen with each Collector, where it was not the same', () => {
  const scenario = { id: 'x', title: 'It | works', collectors: ['stub', 'real'], reason: 'why' } as const
  const outcome = { scenario: 'x', result: 'ok', seen: 'fine' } as const
  const seen: readonly SeenOutcome[] = [
    { ...outcome, kind: 'stock', collector: 'stub' },
    { ...outcome, kind: 'stock', collector: 'real', result: 'differs', seen: 'worse' },
    { ...outcome, kind: 'drover', collector: 'stub' },
    { ...outcome, kind: 'drover', collector: 'real' },
  ]
  const page = renderComparison({ chapters: [{ title: 'Chapter', scenarios: [scenario] }], seen })
  expect(page).toContain('| It \\| works | stub, real | stub: yes: fine<br>real: **no**: worse | yes: fine | why |')
  expect(() => renderComparison({ chapters: [{ title: 'Chapter', scenarios: [scenario] }], seen: seen.slice(1) })).toThrow(
    'x was not played with stock and the stub Collector',
  )
})
