/** Generates src/gen from proto/; with `--check` it only says whether src/gen is up to date. Needs no network. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import process from 'node:process'

const libraryDir = import.meta.dirname
const binDir = join(libraryDir, '..', '..', 'node_modules', '.bin')

/** Runs buf with the plugin that the lock file pins, never with one that happens to be installed on the machine. */
function runBuf(args: readonly string[]): void {
  const path = `${binDir}${delimiter}${process.env['PATH'] ?? ''}`
  const { status, error } = spawnSync(join(binDir, 'buf'), args, { cwd: libraryDir, stdio: 'inherit', env: { ...process.env, PATH: path } })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(1)
}

function readTree(dir: string): Map<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(files.map((entry) => join(entry.parentPath, entry.name)).map((path) => [path.slice(dir.length), readFileSync(path, 'utf8')]))
}

function findStale(): string[] {
  const freshDir = mkdtempSync(join(tmpdir(), 'protocol-'))
  try {
    runBuf(['generate', '--output', freshDir])
    const fresh = readTree(join(freshDir, 'src', 'gen'))
    const present = readTree(join(libraryDir, 'src', 'gen'))
    return [...new Set([...fresh.keys(), ...present.keys()])].filter((path) => fresh.get(path) !== present.get(path))
  } finally {
    rmSync(freshDir, { recursive: true, force: true })
  }
}

runBuf(['lint'])
if (process.argv.includes('--check')) {
  const stale = findStale()
  for (const path of stale) process.stderr.write(`libs/protocol/src/gen${path} does not match libs/protocol/proto; run: node libs/protocol/generate.ts\n`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  runBuf(['generate'])
}
