/** Runs programs as named steps, some side by side, and reports each with its time and, when it failed, what it printed. */
import { spawn } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'
import { styleText } from 'node:util'
import { repositoryRoot } from './repository.ts'

export interface Step {
  readonly name: string
  /** Program and arguments; `node` is the running one, programs of dependencies are found by name. */
  readonly command: readonly [string, ...string[]]
  /** What to do when it fails. */
  readonly remedy?: string
}

export interface StepResult {
  readonly step: Step
  readonly ok: boolean
  readonly seconds: number
  readonly output: string
}

/** Runs the steps, `atOnce` of them side by side; prints a line for each when it ends. Output of failed steps follows at the end. */
export async function runSteps(steps: readonly Step[], atOnce: number): Promise<readonly StepResult[]> {
  const waiting = [...steps]
  const results: StepResult[] = []
  const lane = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const result = await runStep(step)
      results.push(result)
      printLine(result)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  for (const result of results) if (!result.ok) printFailure(result)
  return results
}

function runStep(step: Step): Promise<StepResult> {
  const started = performance.now()
  return new Promise((resolve) => {
    let output = ''
    const done = (ok: boolean) => resolve({ step, ok, seconds: (performance.now() - started) / 1000, output: output.trim() })
    const [command, ...args] = step.command
    const child = spawn(command === 'node' ? process.execPath : command, args, {
      cwd: repositoryRoot,
      env: stepEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const collect = (chunk: Buffer) => (output += chunk.toString())
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.on('error', (error) => {
      output += error.message
      done(false)
    })
    child.on('close', (code) => done(code === 0))
  })
}

/** The environment of a step: the running Node and the programs of the dependencies first on PATH. */
export function stepEnvironment(): NodeJS.ProcessEnv {
  const path = [dirname(process.execPath), join(repositoryRoot, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter)
  return { ...process.env, PATH: path }
}

function printLine({ step, ok, seconds }: StepResult): void {
  const mark = ok ? styleText('green', 'ok    ') : styleText('red', 'FAILED')
  process.stdout.write(`${mark} ${step.name.padEnd(24)} ${seconds.toFixed(1).padStart(6)} s\n`)
}

function printFailure({ step, output }: StepResult): void {
  process.stdout.write(`\n${styleText('bold', step.name)} (${step.command.join(' ')}):\n${output}\n`)
  if (step.remedy !== undefined) process.stdout.write(`-> ${step.remedy}\n`)
}
