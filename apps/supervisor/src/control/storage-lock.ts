/** One supervisor to a storage directory. */
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Another one has the directory. */
export class StorageLockedError extends Error {
  override readonly name = 'StorageLockedError'
}

const busy = 5

/**
 * Holds until it is disposed of or the process ends, however it ends: the kernel keeps it, so nothing stale can be left behind and no two can take
 * over at once. Node has no file locks of its own; an empty SQLite database has. Throws `StorageLockedError`.
 */
export function lockStorage(storageDirectory: string): Disposable {
  const path = join(storageDirectory, 'supervisor.lock')
  try {
    mkdirSync(storageDirectory, { recursive: true, mode: 0o700 })
    // Made here for its mode.
    closeSync(openSync(path, 'a', 0o600))
  } catch (cause) {
    throw new Error(`cannot use the storage directory ${storageDirectory}: ${messageOf(cause)}`, { cause })
  }
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    // Nothing is ever written, and a disk that is full does not keep the supervisor from starting: no journal in a file.
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    if ((cause as { errcode?: unknown }).errcode === busy) throw new StorageLockedError(`another supervisor uses ${storageDirectory}`, { cause }) // as: what SQLite throws
    throw new Error(`cannot lock ${path}: ${messageOf(cause)}`, { cause })
  }
  return { [Symbol.dispose]: () => database.close() }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
