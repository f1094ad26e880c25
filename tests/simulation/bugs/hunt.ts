/** Plants each bug in a process of its own and says which seed found it. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { plantedBugs } from './bugs.ts'

interface Found {
  readonly seed: number
  /** Which one was broken. */
  readonly promise: string
  readonly message: string
}

const run = promisify(execFile)
const pathOf = (file: string): string => new URL(file, import.meta.url).href
/** A bug may keep a simulation from ever ending. */
const timeoutMs = 10 * 60_000

/** null: 500 seeds keep every promise. `signal` ends it. */
export async function seek(bug: string, signal?: AbortSignal): Promise<Found | null> {
  const { stdout } = await run(process.execPath, ['--import', pathOf('plant.ts'), new URL('seek.ts', import.meta.url).pathname, bug], {
    timeout: timeoutMs,
    signal,
  })
  return JSON.parse(stdout) as Found | null
}

/** As rows of a table. True: all were found, but for those of which that is known. */
export async function huntBugs(only?: string): Promise<boolean> {
  const bugs = plantedBugs.filter(({ name }) => only === undefined || name === only)
  process.stdout.write('| Bug | Seed | Broken promise |\n|---|---|---|\n')
  let count = 0
  let isAsKnown = true
  for (const { name, missed } of bugs) {
    const found = await seek(name)
    if (found !== null) count++
    else if (missed === undefined) isAsKnown = false
    process.stdout.write(`| ${name} | ${found?.seed ?? 'none'} | ${found === null ? 'not found in 500 seeds' : found.message} |\n`)
  }
  process.stdout.write(`\n${count} of ${bugs.length} found.\n`)
  return isAsKnown
}
