/** Installs the dependencies when `package-lock.json` is not what `node_modules` was installed from. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LaunchFailure } from './failure.js'
import { npmCi } from './npm.js'

/** @param {string} root */
const stampFile = (root) => join(root, 'node_modules', '.drover-installed')

/** @param {string} root */
function lockHash(root) {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
}

/**
 * @typedef {{ version?: string, optional?: boolean, os?: string | string[], cpu?: string | string[], libc?: string | string[] }} LockEntry
 */

/**
 * Whether `node_modules` is what the lock file asks for. npm's own record counts too, so that after `npm install` by hand nothing is
 * installed again; npm writes it last, so a killed installation has none.
 * @param {string} root
 */
export function areInstalled(root) {
  const hash = lockHash(root)
  if (existsSync(stampFile(root)) && readFileSync(stampFile(root), 'utf8') === hash) return true
  if (missingPackages(root).length > 0) return false
  try {
    writeFileSync(stampFile(root), hash)
  } catch {
    // Only the next start's quick check is lost, e.g. in a checkout that another user owns.
  }
  return true
}

/**
 * Packages of the lock file for this platform that npm did not record as installed.
 * @param {string} root
 */
function missingPackages(root) {
  const record = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(record)) return ['']
  const wanted = readPackages(join(root, 'package-lock.json'))
  const installed = readPackages(record)
  return Object.entries(wanted)
    .filter(([path, entry]) => path !== '' && path.includes('node_modules/') && isForThisPlatform(entry) && installed[path]?.version !== entry.version)
    .map(([path]) => path)
}

/**
 * @param {string} file
 * @returns {Record<string, LockEntry>}
 */
function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return {}
  }
}

/** @param {LockEntry} entry */
function isForThisPlatform(entry) {
  if (entry.optional !== true) return true
  // A libc other than glibc would need a probe; leaving those out only makes the check a little weaker there.
  return (
    covers(entry.os, process.platform) && covers(entry.cpu, process.arch) && covers(entry.libc, 'glibc') && (entry.os !== undefined || entry.cpu !== undefined)
  )
}

/**
 * @param {string | string[] | undefined} allowed
 * @param {string} value
 */
const covers = (allowed, value) => allowed === undefined || [allowed].flat().includes(value)

/**
 * @param {{ root: string, env: NodeJS.ProcessEnv, say: (line: string) => void, children: import('./npm.js').Children }} context
 */
export async function installDependencies(context) {
  const again = existsSync(join(context.root, 'node_modules'))
  context.say(again ? 'installing the dependencies (package-lock.json changed)' : 'installing the dependencies (once, about 100 MB to download)')
  await npmCi({ ...context, cwd: context.root, step: 'Installing the dependencies' })
  const missing = missingPackages(context.root)
  if (missing.length > 0 && existsSync(join(context.root, 'node_modules', '.package-lock.json')))
    throw new LaunchFailure(
      `npm left out ${missing.length} packages for this platform (${missing[0]}): check the network or registry, then run the same command again.`,
    )
  writeFileSync(stampFile(context.root), lockHash(context.root))
}
