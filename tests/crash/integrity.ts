/** What SQLite itself says of a database that was left behind. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** `['ok']`, or what is wrong. The server must have ended. */
export async function integrityOf(dataDir: string): Promise<readonly string[]> {
  const file = (await readdir(dataDir)).find((name) => /\.(db|sqlite)$/.test(name))
  if (file === undefined) throw new Error(`no database in ${dataDir}`)
  using database = new DatabaseSync(join(dataDir, file), { readOnly: true })
  return database
    .prepare('PRAGMA integrity_check')
    .all()
    .map((row) => String(row['integrity_check']))
}
