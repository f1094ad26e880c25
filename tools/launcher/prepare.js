/** Brings what a command needs: Node, the dependencies, what it runs built. Costs next to nothing when all is there. */
import { join } from 'node:path'
import { build, isBuilt } from './builds.js'
import { areInstalled, installDependencies } from './dependencies.js'
import { withLock } from './lock.js'
import { installNode, isInstalled, isNewEnough, pinnedNode } from './node-runtime.js'
import { environmentFor } from './npm.js'

/**
 * @typedef {object} PrepareOptions
 * @property {string} root of the checkout
 * @property {readonly import('./builds.js').BuildName[]} builds what the command serves, runs or tests
 * @property {NodeJS.ProcessEnv} env
 * @property {(line: string) => void} say tells a person what is being done, once a step
 * @property {import('./npm.js').Children} children
 * @property {string} [nodeVersion] of the running Node
 * @property {string} [platform] e.g. `linux-x64`
 */

/**
 * @param {PrepareOptions} options
 * @returns {Promise<{ node: string, env: NodeJS.ProcessEnv }>} the Node to run, and the environment with it first on PATH
 */
export async function prepare(options) {
  const { root, say, children } = options
  const pinned = isNewEnough(options.nodeVersion ?? process.versions.node)
    ? undefined
    : pinnedNode(root, options.platform ?? `${process.platform}-${process.arch}`)
  const env = environmentFor(options.env, pinned?.binFolder, process.execPath)
  const node = pinned === undefined ? process.execPath : join(pinned.binFolder, 'node')
  const stale = async () => {
    const built = await Promise.all(options.builds.map((name) => isBuilt(root, name)))
    return options.builds.filter((_, index) => built[index] === false)
  }
  const isReady = async () => (pinned === undefined || isInstalled(pinned)) && areInstalled(root) && (await stale()).length === 0
  if (await isReady()) return { node, env }
  const waiting = (/** @type {number | undefined} */ pid) =>
    say(`waiting for another start${pid === undefined ? '' : ` (process ${pid})`} to finish its preparations`)
  await withLock(join(root, '.cache', 'launcher.lock'), { waiting }, async () => {
    const context = { root, env, say, children, node }
    if (pinned !== undefined && !isInstalled(pinned)) await installNode(pinned, { ...context, env: options.env })
    if (!areInstalled(root)) await installDependencies(context)
    for (const name of await stale()) await build(name, context)
  })
  return { node, env }
}
