/** Runs npm for the launcher: quiet, bounded, its output kept in a log file, its failures explained. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { LaunchFailure, explainNpm } from './failure.js'

/** A registry that does not answer is given up after about twice this. */
const fetchTimeoutMs = 30_000
const stillWorkingMs = 15_000

const quietFlags = [
  '--ignore-scripts',
  '--include=dev',
  '--include=optional',
  '--no-audit',
  '--no-fund',
  '--no-update-notifier',
  '--prefer-offline',
  '--loglevel=warn',
  `--fetch-timeout=${fetchTimeoutMs}`,
  '--fetch-retries=1',
  '--fetch-retry-mintimeout=1000',
]

/**
 * @typedef {object} NpmRun
 * @property {string} cwd
 * @property {NodeJS.ProcessEnv} env
 * @property {string} root of the checkout
 * @property {string} step what it is for, e.g. `Installing the dependencies`
 * @property {(line: string) => void} say
 * @property {Children} children
 */

/** Child processes that a signal must end before the launcher ends. @typedef {Set<import('node:child_process').ChildProcess>} Children */

/**
 * `npm ci` in a folder that has a package-lock.json.
 * @param {NpmRun} run
 */
export async function npmCi(run) {
  const { code, output } = await capture('npm', ['ci', ...quietFlags], run)
  // A disk that fills up while packages are unpacked is but a warning to npm.
  if (code === 0 && !/\b(ENOSPC|EDQUOT)\b/.test(output)) return
  const logFile = join(run.root, '.cache', 'launcher.log')
  await mkdir(dirname(logFile), { recursive: true }).catch(() => {})
  await writeFile(logFile, output).catch(() => {})
  const registry = run.env['npm_config_registry'] ?? (/https?:\/\/[^\s/]+/.exec(output)?.[0] || 'https://registry.npmjs.org')
  throw new LaunchFailure(explainNpm(output, { root: run.root, registry, step: run.step, logFile }))
}

/**
 * Runs a command without stdin and collects what it prints.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NpmRun} run
 * @returns {Promise<{ code: number | null, output: string }>}
 */
export function capture(command, args, run) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: run.cwd, env: run.env, stdio: ['ignore', 'pipe', 'pipe'] })
    run.children.add(child)
    const started = Date.now()
    const still = setInterval(() => run.say(`still at it (${Math.round((Date.now() - started) / 1000)} s)`), stillWorkingMs)
    let output = ''
    const collect = (/** @type {Buffer} */ chunk) => (output = (output + chunk.toString()).slice(-200_000))
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    const end = () => {
      clearInterval(still)
      run.children.delete(child)
    }
    child.on('error', (error) => {
      end()
      const missing = /** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT' && existsSync(run.cwd)
      reject(missing ? new LaunchFailure(`${command} was not found: install ${command} (it comes with Node) and make sure that it is on PATH.`) : error)
    })
    child.on('close', (code) => {
      end()
      resolve({ code, output })
    })
  })
}

/**
 * The environment for the pinned Node: its folder first on PATH, so that npm and everything below runs on it. Settings that `npm start`
 * hands down for its own folder would misdirect an npm that works in another one.
 * @param {NodeJS.ProcessEnv} env
 * @param {string | undefined} binFolder undefined: the running Node is used
 * @param {string} execPath of the running Node
 */
export function environmentFor(env, binFolder, execPath) {
  const ownFolder = /^npm_config_(local_prefix|global_prefix|prefix|workspaces?|include_workspace_root|dry_run|omit|production|loglevel|silent)$/i
  const result = Object.fromEntries(Object.entries(env).filter(([name]) => !ownFolder.test(name)))
  result['PATH'] = [binFolder ?? dirname(execPath), env['PATH']].filter(Boolean).join(delimiter)
  // npm looks for the machine's npmrc beside the Node that runs it; with another Node in front it has to be told.
  const globalConfig = join(dirname(dirname(execPath)), 'etc', 'npmrc')
  if (binFolder !== undefined && result['npm_config_globalconfig'] === undefined && existsSync(globalConfig)) result['npm_config_globalconfig'] = globalConfig
  return result
}
