import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { chapters } from './chapters.ts'
import { renderComparison } from './comparison-page.ts'
import type { SeenOutcome } from './comparison-page.ts'

const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8')

it('is the page that is in the documentation, and has every scenario', async () => {
  const seen = JSON.parse(await read('./seen.json')) as readonly SeenOutcome[] // as: written by the test run
  expect(await read('../../../docs/operations/supervisor-comparison.md')).toBe(renderComparison(chapters, seen))
})

it('tells apart what was seen with each Collector, where it was not the same', () => {
  const scenario = { id: 'x', title: 'It | works', collectors: ['stub', 'real'], reason: 'why', run: () => Promise.reject(new Error('not played')) } as const
  const outcome = { scenario: 'x', result: 'ok', seen: 'fine' } as const
  const seen: readonly SeenOutcome[] = [
    { ...outcome, kind: 'stock', collector: 'stub' },
    { ...outcome, kind: 'stock', collector: 'real', result: 'differs', seen: 'worse' },
    { ...outcome, kind: 'drover', collector: 'stub' },
    { ...outcome, kind: 'drover', collector: 'real' },
  ]
  const page = renderComparison([{ title: 'Chapter', scenarios: [scenario] }], seen)
  expect(page).toContain('| It \\| works | stub, real | stub: yes: fine<br>real: **no**: worse | yes: fine | why |')
  expect(() => renderComparison([{ title: 'Chapter', scenarios: [scenario] }], seen.slice(1))).toThrow('x was not played with stock and the stub Collector')
})
