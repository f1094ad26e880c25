/** `npm run check`: types, lint, format, imports, dead code, generated files. */
import { availableParallelism } from 'node:os'
import { isMain } from './repository.ts'
import { runSteps } from './steps.ts'
import type { Step, StepResult } from './steps.ts'

const steps: readonly Step[] = [
  { name: 'types', command: ['tsc', '-p', 'tsconfig.json'] },
  { name: 'types of the console', command: ['tsc', '-p', 'apps/console/tsconfig.json'] },
  { name: 'lint', command: ['oxlint', '--deny-warnings', 'apps', 'libs', 'tests', 'tools', 'vitest.config.ts'] },
  { name: 'format', command: ['biome', 'format', '.'], remedy: 'npx biome format --write .' },
  { name: 'imports', command: ['node', 'tools/check-imports.ts'], remedy: 'who may import whom is in tools/import-rules.ts' },
  { name: 'dead code', command: ['knip', '--no-progress'] },
  { name: 'generated protocol code', command: ['node', 'libs/protocol/generate.ts', '--check'], remedy: 'node libs/protocol/generate.ts' },
  { name: 'conformance page', command: ['node', 'tools/conformance.ts', '--check'], remedy: 'node tools/conformance.ts' },
]

export function runChecks(): Promise<readonly StepResult[]> {
  return runSteps(steps, Math.max(2, availableParallelism()))
}

if (isMain(import.meta.url)) {
  const results = await runChecks()
  process.exitCode = results.every(({ ok }) => ok) ? 0 : 1
}
