/** Prepares, then runs a program of this repository in place of the launcher: same arguments, streams, signals and exit code. */
import { spawn } from 'node:child_process'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { constants } from 'node:os'
import { LaunchFailure, explainSystem } from './failure.js'
import { prepare } from './prepare.js'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
const oldestLauncherNode = 20

/** Sent on to the program. Ctrl-C reaches it a second time through the terminal; programs count signals in quick succession as one. */
const forwarded = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])

/**
 * @param {{ builds: readonly import('./builds.js').BuildName[], script: string, args: readonly string[] }} program `script` is relative to the root of the checkout
 */
export async function launch(program) {
  const ready = await prepared(program.builds)
  if (ready !== undefined) run(ready.node, [resolve(root, program.script), ...program.args], ready.env)
}

/**
 * Brings what is needed; says what is in the way otherwise, sets the exit code and gives nothing.
 * @param {readonly import('./builds.js').BuildName[]} builds
 * @returns {Promise<{ node: string, env: NodeJS.ProcessEnv } | undefined>}
 */
export async function prepared(builds) {
  /** @type {import('./npm.js').Children} */
  const children = new Set()
  const stop = (/** @type {NodeJS.Signals} */ signal) => {
    for (const child of children) child.kill(signal)
    process.exit(128 + constants.signals[signal])
  }
  for (const signal of forwarded) process.on(signal, stop)
  try {
    if (Number(process.versions.node.split('.')[0]) < oldestLauncherNode)
      throw new LaunchFailure(`Node ${process.versions.node} is too old: install Node ${oldestLauncherNode} or newer, then run the same command again.`)
    return await prepare({ root, builds, env: process.env, say, children })
  } catch (error) {
    say(
      error instanceof LaunchFailure
        ? error.message
        : (explainSystem(error, root) ?? `The preparations failed: ${error instanceof Error ? error.message : String(error)}`),
    )
    process.exitCode = 1
    return undefined
  } finally {
    for (const signal of forwarded) process.removeListener(signal, stop)
  }
}

/** @param {string} line */
function say(line) {
  process.stderr.write(`drover: ${line}\n`)
}

/**
 * @param {string} node
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
function run(node, args, env) {
  const child = spawn(node, args, { stdio: 'inherit', env })
  for (const signal of forwarded) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    say(`${node} cannot be started (${error.message}): remove the folder .tools and run the same command again.`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code ?? 1
      return
    }
    // Ends the way the program ended, so that a shell or an init system sees the signal.
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}
