/**
 * Writes docs/operations/supervisor-comparison.md from what a test run saw:
 * `DROVER_COMPARISON=$PWD/tests/interop/supervisor/comparison.json npx vitest run --project interop tests/interop/supervisor/`, then this.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { renderComparison } from './comparison-page.ts'
import type { Comparison } from './comparison-page.ts'

const comparison = JSON.parse(await readFile(new URL('./comparison.json', import.meta.url), 'utf8')) as Comparison // as: written by the test run
await writeFile(new URL('../../../docs/operations/supervisor-comparison.md', import.meta.url), renderComparison(comparison))
