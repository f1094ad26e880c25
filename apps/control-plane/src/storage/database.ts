/** Opens the SQLite database of a data folder: looks before it touches, migrates forward, then gives a writer and a reader. */
import { closeSync, existsSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { Kysely } from 'kysely'
import { NewerSchemaError, StoreUnusableError } from './errors.ts'
import { migrations } from './migrations/index.ts'
import type { Migration } from './migrations/migration.ts'
import type { Database } from './schema.ts'
import { createSqliteDialect } from './sqlite-dialect.ts'
import type { CountOperation } from './sqlite-dialect.ts'

const BUSY_TIMEOUT_MS = 5_000

export interface OpenDatabase {
  readonly path: string
  /** The only connection that writes. Its transactions queue. */
  readonly writer: Kysely<Database>
  /** Sees what is committed; refuses to write. */
  readonly reader: Kysely<Database>
  readonly schemaVersion: number
  /** The writer's own connection, for pragmas. */
  readonly handle: DatabaseSync
  close(): Promise<void>
}

export interface OpenOptions {
  readonly count?: CountOperation
  readonly migrations?: readonly Migration[]
  /** Looks at the table `meta` before a byte is changed, and may refuse by throwing. A file that is not there yet has no entries. */
  readonly inspect?: (readMeta: ReadMeta) => void
}

export type ReadMeta = (key: string) => string | undefined

/** Throws {@link NewerSchemaError} when a newer Drover wrote the file, {@link StoreUnusableError} when it cannot be used. */
export function openDatabase(path: string, options: OpenOptions = {}): OpenDatabase {
  const steps = options.migrations ?? migrations
  const known = steps.at(-1)?.version ?? 0
  const meta = existsSync(path) ? asStoreError(path, () => peekMeta(path)) : new Map<string, string>()
  const found = asStoreError(path, () => toSchemaVersion(meta.get('schema_version'), meta.size > 0))
  if (found > known) throw new NewerSchemaError(path, found, known)
  options.inspect?.((key) => meta.get(key))
  const handle = asStoreError(path, () => openWriter(path))
  try {
    asStoreError(path, () => migrate(handle, steps, found))
    const readHandle = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
    readHandle.exec('pragma query_only = on')
    const count = options.count ?? (() => {})
    const writer = new Kysely<Database>({ dialect: createSqliteDialect(handle, count) })
    const reader = new Kysely<Database>({ dialect: createSqliteDialect(readHandle, count) })
    return {
      path,
      writer,
      reader,
      schemaVersion: known,
      handle,
      // Closed by hand: Kysely closes only connections that it has used.
      close: async () => {
        readHandle.close()
        handle.close()
      },
    }
  } catch (error) {
    handle.close()
    throw error
  }
}

/**
 * The table `meta` of a file that nobody has opened yet, without changing a byte of it. With a write-ahead log beside it the log has to be
 * read too; without one the file is opened as immutable, so that SQLite creates nothing next to it.
 */
function peekMeta(path: string): ReadonlyMap<string, string> {
  const url = pathToFileURL(path)
  if (!existsSync(`${path}-wal`)) url.searchParams.set('immutable', '1')
  const database = new DatabaseSync(url, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
  try {
    const table = database.prepare(`select 1 from sqlite_master where type = 'table' and name = 'meta'`).get()
    const rows = table === undefined ? [] : database.prepare('select key, value from meta').all()
    return new Map(rows.map(({ key, value }) => [String(key), String(value)]))
  } finally {
    database.close()
  }
}

/** 0 while nothing was written yet. */
function toSchemaVersion(text: string | undefined, hasMeta: boolean): number {
  if (!hasMeta) return 0
  const version = Number(text)
  if (!Number.isSafeInteger(version) || version < 1) throw new StoreUnusableError('the table meta holds no usable schema_version')
  return version
}

function openWriter(path: string): DatabaseSync {
  // SQLite would make the file readable for everybody, in a folder that may have been there before and be open. Its logs take its mode.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
  database.exec(
    'pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 1000; pragma journal_size_limit = 67108864; pragma cell_size_check = on',
  )
  return database
}

/** Runs what is missing, each step in one transaction together with its version number. */
function migrate(database: DatabaseSync, steps: readonly Migration[], found: number): void {
  database.exec('create table if not exists meta (key text primary key, value text not null) strict')
  for (const step of steps) {
    if (step.version <= found) continue
    database.exec('begin immediate')
    try {
      step.up((sql) => database.exec(sql))
      database
        .prepare(`insert into meta (key, value) values ('schema_version', ?) on conflict (key) do update set value = excluded.value`)
        .run(String(step.version))
      database.exec('commit')
    } catch (error) {
      if (database.isTransaction) database.exec('rollback')
      throw new StoreUnusableError(`migration ${step.version} failed, the store stays at version ${step.version - 1}: ${messageOf(error)}`, { cause: error })
    }
  }
}

/** SQLite's own words do not say which file it was. */
function asStoreError<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof StoreUnusableError) throw new StoreUnusableError(`${path} cannot be used: ${error.message}`, { cause: error })
    throw new StoreUnusableError(
      `${path} cannot be opened: ${messageOf(error)}. Check that the folder exists, may be written and has free space; a damaged file has to be restored from a backup.`,
      { cause: error },
    )
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
