/** The data folder: made private, and locked so that two servers never work in one. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DataFolderInUseError, StoreUnusableError } from './errors.ts'

export interface DataFolder extends Disposable {
  readonly path: string
  readonly databasePath: string
  readonly adminTokenPath: string
  readonly secretPath: string
}

/** @throws {DataFolderInUseError} while another server has it. */
export function openDataFolder(dir: string): DataFolder {
  const path = resolve(dir)
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new StoreUnusableError(`the data folder ${path} cannot be made: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  const lock = lockFolder(path)
  return {
    path,
    databasePath: join(path, 'drover.sqlite'),
    adminTokenPath: join(path, 'admin.token'),
    secretPath: join(path, 'server.secret'),
    [Symbol.dispose]: () => lock.close(),
  }
}

/**
 * Node has no file locks, but SQLite takes real ones, which the system gives back however the process ends. So an empty database is held
 * open for writing; the process id beside it is only for the message.
 */
function lockFolder(path: string): DatabaseSync {
  const pidPath = join(path, 'server.pid')
  const lock = openLock(path)
  try {
    lock.exec('pragma journal_mode = memory; begin exclusive')
  } catch (error) {
    lock.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === 5) throw new DataFolderInUseError(path, readPid(pidPath))
    throw new StoreUnusableError(`the data folder ${path} cannot be locked: ${String(error)}`, { cause: error })
  }
  try {
    writeFileSync(pidPath, `${process.pid}\n`, { mode: 0o600 })
  } catch {
    // Only a message of another server would have shown it; with a full disk this one can still serve reads.
  }
  return lock
}

function openLock(path: string): DatabaseSync {
  const lockPath = join(path, 'server.lock')
  try {
    const lock = new DatabaseSync(lockPath, { timeout: 0 })
    chmodSync(lockPath, 0o600)
    return lock
  } catch (error) {
    throw new StoreUnusableError(`the data folder ${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8'))
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}
