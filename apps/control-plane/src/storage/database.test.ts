/** Opening and migrating real database files. */
import { createHash } from 'node:crypto'
import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDataFolder } from './data-folder.ts'
import { openDatabase } from './database.ts'
import { DataFolderInUseError, NewerSchemaError, StoreUnusableError } from './errors.ts'
import { migrations } from './migrations/index.ts'
import type { Migration } from './migrations/migration.ts'
import { makeTempDir } from './test-store.ts'

let dir: ReturnType<typeof makeTempDir>
let path: string
beforeEach(() => {
  dir = makeTempDir()
  path = join(dir.path, 'drover.sqlite')
})
afterEach(() => dir.remove())

const hashOfFolder = (): string[] =>
  readdirSync(dir.path)
    .toSorted()
    .map(
      (name) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(join(dir.path, name)))
          .digest('hex')}`,
    )
const next: Migration = { version: (migrations.at(-1)?.version ?? 0) + 1, up: (execute) => execute('create table later (a integer) strict') }

describe('openDatabase', () => {
  it('makes the tables in a new file and records the schema version', async () => {
    const database = openDatabase(path)
    expect(database.schemaVersion).toBe(migrations.at(-1)?.version)
    expect(await database.reader.selectFrom('meta').selectAll().execute()).toEqual([{ key: 'schema_version', value: String(database.schemaVersion) }])
    expect(database.handle.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' })
    expect(database.handle.prepare('pragma synchronous').get()).toEqual({ synchronous: 2 })
    await database.close()
  })

  it('makes files that only their owner can read, also in a folder that is open to others', async () => {
    chmodSync(dir.path, 0o755)
    const database = openDatabase(path)
    const modes = readdirSync(dir.path).map((name) => `${name} ${(statSync(join(dir.path, name)).mode & 0o777).toString(8)}`)
    expect(modes.toSorted()).toEqual(['drover.sqlite 600', 'drover.sqlite-shm 600', 'drover.sqlite-wal 600'])
    await database.close()
  })

  it('migrates an older file forward and keeps what is in it', async () => {
    const before = openDatabase(path)
    await before.writer.insertInto('meta').values({ key: 'kept', value: 'yes' }).execute()
    await before.close()
    const after = openDatabase(path, { migrations: [...migrations, next] })
    expect(after.schemaVersion).toBe(next.version)
    expect(await after.reader.selectFrom('meta').select('value').where('key', '=', 'kept').executeTakeFirst()).toEqual({ value: 'yes' })
    expect(after.handle.prepare('select count(*) as n from later').get()).toEqual({ n: 0 })
    await after.close()
  })

  it('refuses a file that a newer program wrote and changes no byte of the folder', async () => {
    await openDatabase(path, { migrations: [...migrations, next] }).close()
    const before = hashOfFolder()
    expect(() => openDatabase(path)).toThrow(NewerSchemaError)
    expect(hashOfFolder()).toEqual(before)
  })

  it('sees a newer version that is still only in the write-ahead log', () => {
    const writer = new DatabaseSync(path)
    writer.exec(
      `pragma journal_mode = wal; create table meta (key text primary key, value text) strict; insert into meta values ('schema_version', '${next.version}')`,
    )
    try {
      expect(readFileSync(`${path}-wal`).length).toBeGreaterThan(0)
      expect(() => openDatabase(path)).toThrow(NewerSchemaError)
    } finally {
      writer.close()
    }
  })

  it('leaves the store at the old version when a migration fails', async () => {
    const broken: Migration = { version: next.version, up: (execute) => execute('create table half (a integer) strict; this is no SQL') }
    expect(() => openDatabase(path, { migrations: [...migrations, broken] })).toThrow(/migration \d+ failed/)
    const database = openDatabase(path)
    expect(database.handle.prepare(`select 1 from sqlite_master where name = 'half'`).get()).toBeUndefined()
    await database.close()
  })

  it('says which file is no database', () => {
    writeFileSync(path, 'This is a text file, and much longer than a header of SQLite would be. '.repeat(20))
    expect(() => openDatabase(path)).toThrow(StoreUnusableError)
    expect(() => openDatabase(path)).toThrow(path)
  })

  it('gives a reader that cannot write', async () => {
    const database = openDatabase(path)
    await expect(database.reader.insertInto('meta').values({ key: 'a', value: 'b' }).execute()).rejects.toThrow(/readonly/)
    await database.close()
  })
})

describe('openDataFolder', () => {
  it('refuses a second server and lets the next one in afterwards', () => {
    const first = openDataFolder(dir.path)
    expect(() => openDataFolder(dir.path)).toThrow(DataFolderInUseError)
    expect(() => openDataFolder(dir.path)).toThrow(`process ${process.pid}`)
    first[Symbol.dispose]()
    openDataFolder(dir.path)[Symbol.dispose]()
  })

  it('says what is wrong with a folder that cannot be made', () => {
    writeFileSync(join(dir.path, 'file'), '')
    expect(() => openDataFolder(join(dir.path, 'file', 'sub'))).toThrow(StoreUnusableError)
  })
})
