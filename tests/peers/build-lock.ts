/** One build at a time on this machine: a lock that the operating system releases when its holder dies. */
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'

const SQLITE_BUSY = 5
const askAgainAfterMs = 500

/** Runs `work` while holding the lock kept in `file`; waits as long as another process holds it. */
export async function withBuildLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    while (!tryLock(database)) await delay(askAgainAfterMs) // another process's build; it has its own time limit
    return await work()
  } finally {
    database.close()
  }
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false // as: node:sqlite has no type for its errors
    throw error
  }
}
