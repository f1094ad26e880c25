/** `npm test`: every check and every suite. Ends with the names of what failed and one line that sums up: `N passed, N failed, N skipped`. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { runChecks } from './check.ts'
import { isMain, repositoryRoot } from './repository.ts'
import { stepEnvironment } from './steps.ts'
import { addSums, listFailures, noTests, sumReport } from './vitest-report.ts'
import type { Report, Sum } from './vitest-report.ts'

/** Quick suites first. Those that start programs run one after the other: they share two cores with what they start. */
const suites = [
  { name: 'unit', limitMinutes: 10 },
  { name: 'simulation', limitMinutes: 10 },
  { name: 'conformance', limitMinutes: 15 },
  { name: 'runtimes', limitMinutes: 10 },
  { name: 'interop', limitMinutes: 30 },
  { name: 'e2e', limitMinutes: 20 },
] as const
type Suite = (typeof suites)[number]

interface Outcome {
  readonly sum: Sum
  readonly failures: readonly string[]
}

async function runSuite(suite: Suite): Promise<Outcome> {
  process.stdout.write(`\n${styleText('bold', suite.name)}\n`)
  const file = join(repositoryRoot, '.cache', 'test-results', `${suite.name}.json`)
  rmSync(file, { force: true })
  const code = await runVitest(suite, file)
  const report = readReport(file)
  if (report === undefined) return oneFailure(noTests, `suite ${suite.name}: it ended without a report`)
  const sum = sumReport(report)
  if (code !== 0 && sum.failed === 0) return oneFailure(sum, `suite ${suite.name}: something went wrong outside of its tests; see its output`)
  return { sum, failures: listFailures(report, repositoryRoot) }
}

const oneFailure = (sum: Sum, failure: string): Outcome => ({ sum: { ...sum, failed: 1 }, failures: [failure] })

function runVitest(suite: Suite, file: string): Promise<number | null> {
  const args = ['run', '--project', suite.name, '--passWithNoTests', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const vitest = join(repositoryRoot, 'node_modules', 'vitest', 'vitest.mjs')
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [vitest, ...args], { cwd: repositoryRoot, env: stepEnvironment(), stdio: ['ignore', 'inherit', 'inherit'] })
    const limit = setTimeout(() => {
      process.stdout.write(`The suite ${suite.name} took longer than ${suite.limitMinutes} minutes and was stopped.\n`)
      child.kill('SIGKILL')
    }, suite.limitMinutes * 60_000)
    const stop = (signal: NodeJS.Signals) => child.kill(signal)
    process.on('SIGINT', stop).on('SIGTERM', stop)
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(limit)
      process.off('SIGINT', stop).off('SIGTERM', stop)
      resolve(code)
    })
  })
}

function readReport(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report // as: written by the vitest that is pinned
  } catch {
    return undefined
  }
}

async function runCheckSteps(): Promise<Outcome> {
  const results = await runChecks()
  const failures = results.filter(({ ok }) => !ok).map(({ step }) => `check: ${step.name}`)
  return { sum: { ...noTests, passed: results.length - failures.length, failed: failures.length }, failures }
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2)
  const unknown = wanted.find((name) => name !== 'check' && suites.every((suite) => suite.name !== name))
  if (unknown !== undefined) {
    process.stderr.write(`There is no suite "${unknown}"; there are: check, ${suites.map(({ name }) => name).join(', ')}.\n`)
    process.exitCode = 2
    return
  }
  const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name)
  mkdirSync(join(repositoryRoot, '.cache', 'test-results'), { recursive: true })
  const outcomes: Outcome[] = []
  if (isWanted('check')) outcomes.push(await runCheckSteps())
  for (const suite of suites) if (isWanted(suite.name)) outcomes.push(await runSuite(suite))
  const failures = outcomes.flatMap((outcome) => outcome.failures)
  if (failures.length > 0) process.stdout.write(`\nFailed:\n${failures.map((failure) => `  ${failure}\n`).join('')}`)
  const sum = outcomes.map((outcome) => outcome.sum).reduce(addSums, noTests)
  process.stdout.write(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`)
  process.exitCode = sum.failed > 0 ? 1 : 0
}

if (isMain(import.meta.url)) await main()
