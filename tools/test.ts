/** `npm test`: every check and every suite. Ends with one line that sums up: `N passed, N failed, N skipped`. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { runChecks } from './check.ts'
import { isMain, repositoryRoot } from './repository.ts'
import { stepEnvironment } from './steps.ts'

export interface Sum {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** The part of vitest's JSON report that is summed up. */
export interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly { readonly status: string }[] }[]
}

const none: Sum = { passed: 0, failed: 0, skipped: 0 }

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

export const addSums = (a: Sum, b: Sum): Sum => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped })

/** A file that could not be loaded has no tests and still is a failure. */
export function sumReport(report: Report): Sum {
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  ).length
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken, skipped: report.numPendingTests + report.numTodoTests }
}

async function runSuite(suite: Suite): Promise<Sum> {
  process.stdout.write(`\n${styleText('bold', suite.name)}\n`)
  const file = join(repositoryRoot, '.cache', 'test-results', `${suite.name}.json`)
  rmSync(file, { force: true })
  const code = await runVitest(suite, file)
  const sum = readSum(file)
  if (sum === undefined) return { ...none, failed: 1 }
  // Vitest also fails for what happens outside of a test, such as an unhandled rejection.
  return code !== 0 && sum.failed === 0 ? { ...sum, failed: 1 } : sum
}

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

function readSum(file: string): Sum | undefined {
  try {
    return sumReport(JSON.parse(readFileSync(file, 'utf8')) as Report)
  } catch {
    return undefined
  }
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
  let sum = none
  if (isWanted('check')) for (const { ok } of await runChecks()) sum = addSums(sum, ok ? { ...none, passed: 1 } : { ...none, failed: 1 })
  for (const suite of suites) if (isWanted(suite.name)) sum = addSums(sum, await runSuite(suite))
  process.stdout.write(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`)
  process.exitCode = sum.failed > 0 ? 1 : 0
}

if (isMain(import.meta.url)) await main()
