/**
 * Writes docs/operations/supervisor-comparison.md from what a test run saw:
 * `DROVER_COMPARISON=$PWD/tests/interop/supervisor/seen.json npx vitest run --project interop tests/interop/supervisor/`, then this.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { chapters } from './chapters.ts'
import { renderComparison } from './comparison-page.ts'
import type { SeenOutcome } from './comparison-page.ts'

const seen = JSON.parse(await readFile(new URL('./seen.json', import.meta.url), 'utf8')) as readonly SeenOutcome[] // as: written by the test run
await writeFile(new URL('../../../docs/operations/supervisor-comparison.md', import.meta.url), renderComparison(chapters, seen))
