/** Builds what runs built (the web console, the command as the supervisor) when its sources changed. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LaunchFailure } from './failure.js'
import { capture } from './npm.js'

/**
 * @typedef {object} Build
 * @property {string} title
 * @property {readonly string[]} sources what it reads, files or folders
 * @property {string} output folder
 * @property {string} result file in `output` that is there when it was built
 * @property {string} cwd where it runs
 * @property {(output: string) => readonly string[]} command arguments of Node; leaves the result in `output`
 * @typedef {keyof typeof builds} BuildName
 */

const vite = 'node_modules/vite/bin/vite.js'
const rolldown = 'node_modules/rolldown/bin/cli.mjs'

const builds = /** @satisfies {Record<string, Build>} */ ({
  console: {
    title: 'the console',
    sources: ['apps/console', 'libs/api', 'libs/agent-config', 'package-lock.json', 'tsconfig.base.json'],
    output: 'apps/console/dist',
    result: 'index.html',
    cwd: 'apps/console',
    command: (/** @type {string} */ output) => [vite, 'build', '--outDir', output, '--emptyOutDir', '--logLevel', 'warn'],
  },
  // For the supervisor, which runs on every host of a fleet: JavaScript in a few files needs 40 MB less than stripping types from many.
  command: {
    title: 'the command',
    sources: ['apps/cli', 'apps/supervisor', 'libs', 'package-lock.json'],
    output: 'apps/cli/dist',
    result: 'main.js',
    cwd: 'apps/cli',
    command: (/** @type {string} */ output) => [rolldown, '--config', 'rolldown.config.ts', '--dir', output, '--log-level', 'warn'],
  },
})

const ignored = new Set(['node_modules', 'dist', '.vite', 'coverage'])

/**
 * @param {string} root
 * @param {BuildName} name
 */
const stampFile = (root, name) => join(root, '.cache', `${name}-build.json`)

/**
 * Whether the output is built from the sources as they are. Sizes and times are compared first, contents only when those differ
 * (after a checkout, say).
 * @param {string} root
 * @param {BuildName} name
 */
export async function isBuilt(root, name) {
  const build = builds[name]
  if (!existsSync(join(root, build.output, build.result))) return false
  const stamp = readStamp(root, name)
  if (stamp === undefined) return false
  const files = listFiles(root, build.sources)
  const times = fingerprintTimes(files)
  if (stamp.times === times) return true
  const contents = fingerprintContents(files)
  if (stamp.contents !== contents) return false
  // Without the stamp only the quick comparison is lost, e.g. in a checkout that another user owns.
  await writeStamp(root, name, { times, contents }).catch(() => {})
  return true
}

/**
 * Builds beside the old build and swaps, so that a killed build leaves the old one and a running program always has whole files.
 * @param {BuildName} name
 * @param {{ root: string, env: NodeJS.ProcessEnv, node: string, say: (line: string) => void, children: import('./npm.js').Children }} context
 */
export async function build(name, context) {
  const { title, sources, output, cwd, command } = builds[name]
  const { root } = context
  context.say(`building ${title}`)
  const files = listFiles(root, sources)
  const stamp = { times: fingerprintTimes(files), contents: fingerprintContents(files) }
  const fresh = join(root, '.cache', `${name}-build`)
  const target = join(root, output)
  await rm(fresh, { recursive: true, force: true })
  const [script = '', ...args] = command(fresh)
  const run = { ...context, cwd: join(root, cwd), env: { ...context.env, NODE_ENV: 'production' }, step: `Building ${title}` }
  const result = await capture(context.node, [join(root, script), ...args], run)
  if (result.code !== 0) throw new LaunchFailure(`Building ${title} failed:\n${result.output.trim()}`)
  await rm(`${fresh}.old`, { recursive: true, force: true })
  if (existsSync(target)) await rename(target, `${fresh}.old`)
  await rename(fresh, target)
  await rm(`${fresh}.old`, { recursive: true, force: true })
  await writeStamp(root, name, stamp)
}

/**
 * @typedef {{ path: string, absolute: string, size: number, mtimeMs: number }} SourceFile
 * @param {string} root
 * @param {readonly string[]} sources
 * @returns {readonly SourceFile[]}
 */
function listFiles(root, sources) {
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
 * @param {BuildName} name
 * @returns {{ times: string, contents: string } | undefined}
 */
function readStamp(root, name) {
  try {
    return JSON.parse(readFileSync(stampFile(root, name), 'utf8'))
  } catch {
    return undefined
  }
}

/**
 * @param {string} root
 * @param {BuildName} name
 * @param {{ times: string, contents: string }} stamp
 */
async function writeStamp(root, name, stamp) {
  const file = stampFile(root, name)
  await mkdir(join(root, '.cache'), { recursive: true })
  await writeFile(`${file}.new`, JSON.stringify(stamp))
  await rename(`${file}.new`, file)
}
