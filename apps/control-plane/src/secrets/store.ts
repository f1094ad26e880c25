/** Secrets in the store: every value is a version of its own, sealed, and their numbers are never used twice. */
import type { Sealer } from '../seams.ts'
import type { Row } from '../storage/schema.ts'
import type { ReadStore, Tx } from '../storage/store.ts'

export type SecretRow = Row<'secrets'>

export interface SecretStore {
  find(from: ReadStore, name: string): Promise<SecretRow | undefined>
  list(from: ReadStore, query: { afterName?: string; limit: number }): Promise<{ rows: SecretRow[]; total: number }>
  /** The latest version of each. */
  latestVersions(from: ReadStore): Promise<ReadonlyMap<string, number>>
  /** Undefined: there is none, or it was deleted. */
  readValue(from: ReadStore, name: string, version: number): Promise<string | undefined>
  hasVersion(from: ReadStore, name: string, version: number): Promise<boolean>
  set(tx: Tx, name: string, given: { value: string; description: string; by: string }): Promise<SecretRow>
  /** The values are gone; their numbers stay used, since what agents have is known by them. */
  delete(tx: Tx, name: string): Promise<void>
}

/** Of a version whose value is gone. */
const NOTHING = new Uint8Array()

export function createSecretStore(sealer: Sealer, clock: { now(): number }): SecretStore {
  return {
    ...reading,
    readValue: async (from, name, version) => {
      const row = await selectVersion(from, name, version).select('sealed').executeTakeFirst()
      return row === undefined || row.sealed.length === 0 ? undefined : sealer.open(row.sealed, contextOf(name, version))
    },
    set: async (tx, name, { value, description, by }) => {
      const before = await reading.find(tx, name)
      const { last } = await tx
        .selectFrom('secret_versions')
        .select((eb) => eb.fn.max('version').as('last'))
        .where('name', '=', name)
        .executeTakeFirstOrThrow()
      const [version, now] = [(last ?? 0) + 1, clock.now()]
      const row: SecretRow = { name, description, version, created_at: before?.created_at ?? now, updated_at: now, updated_by: by }
      if (before === undefined) await tx.insertInto('secrets').values(row).execute()
      else await tx.updateTable('secrets').set(row).where('name', '=', name).execute()
      await tx
        .insertInto('secret_versions')
        .values({ name, version, sealed: sealer.seal(value, contextOf(name, version)), created_at: now, created_by: by })
        .execute()
      return row
    },
    delete: async (tx, name) => {
      await tx.deleteFrom('secrets').where('name', '=', name).execute()
      await tx.updateTable('secret_versions').set({ sealed: NOTHING }).where('name', '=', name).execute()
    },
  }
}

const reading: Pick<SecretStore, 'find' | 'list' | 'latestVersions' | 'hasVersion'> = {
  find: (from, name) => from.selectFrom('secrets').selectAll().where('name', '=', name).executeTakeFirst(),
  list: async (from, { afterName, limit }) => {
    const { total } = await from
      .selectFrom('secrets')
      .select((eb) => eb.fn.countAll<number>().as('total'))
      .executeTakeFirstOrThrow()
    let page = from.selectFrom('secrets').selectAll()
    if (afterName !== undefined) page = page.where('name', '>', afterName)
    return {
      rows: await page
        .orderBy('name')
        .limit(limit + 1)
        .execute(),
      total,
    }
  },
  latestVersions: async (from) => {
    const rows = await from.selectFrom('secrets').select(['name', 'version']).execute()
    return new Map(rows.map(({ name, version }) => [name, version]))
  },
  hasVersion: async (from, name, version) => {
    const row = await selectVersion(from, name, version)
      .select((eb) => eb(eb.fn<number>('length', ['sealed']), '>', 0).as('kept'))
      .executeTakeFirst()
    return Boolean(row?.kept)
  },
}

function selectVersion(from: ReadStore, name: string, version: number) {
  return from.selectFrom('secret_versions').where('name', '=', name).where('version', '=', version)
}

/** A sealed value opens only as the version that it was stored as. */
function contextOf(name: string, version: number): string {
  return `secret ${name}@${version}`
}
