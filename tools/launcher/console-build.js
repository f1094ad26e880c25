/** Builds the web console when its sources changed. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LaunchFailure } from './failure.js'
import { capture } from './npm.js'

/** What the build reads, files or folders. */
const sources = ['apps/console', 'libs/api', 'libs/agent-config', 'package-lock.json', 'tsconfig.base.json']
const ignored = new Set(['node_modules', 'dist', '.vite', 'coverage'])

/** @param {string} root */
const stampFile = (root) => join(root, '.cache', 'console-build.json')
/** @param {string} root */
const distFolder = (root) => join(root, 'apps', 'console', 'dist')

/**
 * Whether `apps/console/dist` is built from the sources as they are. Sizes and times are compared first, contents only when those differ
 * (after a checkout, say).
 * @param {string} root
 */
export async function isBuilt(root) {
  if (!existsSync(join(distFolder(root), 'index.html'))) return false
  const stamp = readStamp(root)
  if (stamp === undefined) return false
  const files = listFiles(root)
  const times = fingerprintTimes(files)
  if (stamp.times === times) return true
  const contents = fingerprintContents(files)
  if (stamp.contents !== contents) return false
  // Without the stamp only the quick comparison is lost, e.g. in a checkout that another user owns.
  await writeStamp(root, { times, contents }).catch(() => {})
  return true
}

/**
 * Builds beside the old build and swaps, so that a killed build leaves the old one and a running server always has whole files.
 * @param {{ root: string, env: NodeJS.ProcessEnv, node: string, say: (line: string) => void, children: import('./npm.js').Children }} context
 */
export async function buildConsole(context) {
  context.say('building the console')
  const { root } = context
  const files = listFiles(root)
  const stamp = { times: fingerprintTimes(files), contents: fingerprintContents(files) }
  const output = join(root, '.cache', 'console-build')
  await rm(output, { recursive: true, force: true })
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  const run = { ...context, cwd: join(root, 'apps', 'console'), env: { ...context.env, NODE_ENV: 'production' }, step: 'Building the console' }
  const result = await capture(context.node, [vite, 'build', '--outDir', output, '--emptyOutDir', '--logLevel', 'warn'], run)
  if (result.code !== 0) throw new LaunchFailure(`Building the console failed:\n${result.output.trim()}`)
  await rm(`${output}.old`, { recursive: true, force: true })
  if (existsSync(distFolder(root))) await rename(distFolder(root), `${output}.old`)
  await rename(output, distFolder(root))
  await rm(`${output}.old`, { recursive: true, force: true })
  await writeStamp(root, stamp)
}

/**
 * @typedef {{ path: string, absolute: string, size: number, mtimeMs: number }} SourceFile
 * @param {string} root
 * @returns {readonly SourceFile[]}
 */
function listFiles(root) {
  /** @type {SourceFile[]} */
  const files = []
  const visit = (/** @type {string} */ path) => {
    const absolute = join(root, path)
    const info = statSync(absolute, { throwIfNoEntry: false })
    if (info === undefined) return
    if (info.isFile()) files.push({ path, absolute, size: info.size, mtimeMs: info.mtimeMs })
    else for (const name of readdirSync(absolute).toSorted()) if (!ignored.has(name) && !/\.test\.tsx?$/.test(name)) visit(`${path}/${name}`)
  }
  for (const source of sources) visit(source)
  return files
}

/** @param {readonly SourceFile[]} files */
function fingerprintTimes(files) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${file.path}\0${file.size}\0${file.mtimeMs}\n`)
  return hash.digest('hex')
}

/** @param {readonly SourceFile[]} files */
function fingerprintContents(files) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${file.path}\0${file.size}\n`).update(readFileSync(file.absolute))
  return hash.digest('hex')
}

/**
 * @param {string} root
 * @returns {{ times: string, contents: string } | undefined}
 */
function readStamp(root) {
  try {
    return JSON.parse(readFileSync(stampFile(root), 'utf8'))
  } catch {
    return undefined
  }
}

/**
 * @param {string} root
 * @param {{ times: string, contents: string }} stamp
 */
async function writeStamp(root, stamp) {
  await mkdir(join(root, '.cache'), { recursive: true })
  await writeFile(`${stampFile(root)}.new`, JSON.stringify(stamp))
  await rename(`${stampFile(root)}.new`, stampFile(root))
}
