/** A lock folder: of several launches in one checkout, one prepares and the others wait. */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** The holder touches its lock this often. */
const touchMs = 2_000
/** A lock that nobody touched for this long is left over, also when its process id now belongs to another program. */
const staleMs = 30_000
/** A folder without an owner's file is one whose maker was killed between two system calls. */
const ownerlessMs = 5_000
const pollMs = 150

/**
 * Runs `work` while holding the lock; `waiting` is called once when another process holds it.
 * @template T
 * @param {string} folder
 * @param {{ waiting: (pid: number | undefined) => void }} told
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(folder, told, work) {
  const token = randomUUID()
  await acquire(folder, token, told)
  const touch = setInterval(() => void utimes(folder, new Date(), new Date()).catch(() => {}), touchMs)
  const release = () => releaseLock(folder, token)
  try {
    return await work()
  } finally {
    clearInterval(touch)
    await release()
  }
}

/**
 * @param {string} folder
 * @param {string} token
 * @param {{ waiting: (pid: number | undefined) => void }} told
 */
async function acquire(folder, token, told) {
  await mkdir(dirname(folder), { recursive: true })
  let announced = false
  for (;;) {
    if (await tryMake(folder, token)) return
    const holder = await readHolder(folder)
    if (holder === undefined) continue
    if (holder.stale) {
      await breakLock(folder, holder.token)
      continue
    }
    if (!announced) told.waiting(holder.pid)
    announced = true
    await wait(pollMs)
  }
}

/**
 * @param {string} folder
 * @param {string} token
 */
async function tryMake(folder, token) {
  try {
    await mkdir(folder)
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false
    throw error
  }
  await writeFile(join(folder, 'owner.json'), JSON.stringify({ pid: process.pid, host: hostname(), token }))
  return true
}

/**
 * Who holds the lock; undefined when it was just released.
 * @param {string} folder
 * @returns {Promise<{ pid: number | undefined, token: string | undefined, stale: boolean } | undefined>}
 */
async function readHolder(folder) {
  let touchedMs
  try {
    touchedMs = (await stat(folder)).mtimeMs
  } catch {
    return undefined
  }
  const age = Date.now() - touchedMs
  try {
    const owner = /** @type {{ pid: number, host: string, token: string }} */ (JSON.parse(await readFile(join(folder, 'owner.json'), 'utf8')))
    return { pid: owner.pid, token: owner.token, stale: age > staleMs || (owner.host === hostname() && !isAlive(owner.pid)) }
  } catch {
    return { pid: undefined, token: undefined, stale: age > ownerlessMs }
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

/**
 * Removes a stale lock. Moving it aside first makes sure that of two processes only one removes it, and looking at what was
 * moved gives a lock back that was made anew in between.
 * @param {string} folder
 * @param {string | undefined} token
 */
async function breakLock(folder, token) {
  const aside = `${folder}.${randomUUID()}`
  try {
    await rename(folder, aside)
  } catch {
    return
  }
  const moved = await readHolder(aside)
  if (moved !== undefined && moved.token !== token) {
    await rename(aside, folder).catch(() => {})
    return
  }
  await rm(aside, { recursive: true, force: true })
}

/**
 * @param {string} folder
 * @param {string} token
 */
async function releaseLock(folder, token) {
  const holder = await readHolder(folder)
  if (holder?.token === token) await rm(folder, { recursive: true, force: true })
}
