/** Configs and their versions in the store. Versions never change, and their numbers are never used twice. */
import type { ConfigFile, Finding } from '@drover/api'
import { contentHash } from '@drover/agent-config'
import type { BlobStore } from '../storage/blob-store.ts'
import type { Row } from '../storage/schema.ts'
import type { ReadStore, Tx } from '../storage/store.ts'

export type ConfigRow = Row<'configs'>
export type VersionRow = Row<'config_versions'>

export interface NewVersion {
  readonly files: readonly ConfigFile[]
  readonly message: string
  readonly author: string
  readonly findings: readonly Finding[]
}

export interface ConfigStore {
  find(from: ReadStore, name: string): Promise<ConfigRow | undefined>
  list(from: ReadStore, query: { search?: string; afterName?: string; limit: number }): Promise<{ rows: ConfigRow[]; total: number }>
  findVersion(from: ReadStore, config: string, version: number): Promise<VersionRow | undefined>
  listVersions(from: ReadStore, config: ConfigRow, query: { beforeVersion?: number; limit: number }): Promise<{ rows: VersionRow[]; total: number }>
  /** Also of versions whose config was deleted. */
  readFiles(from: ReadStore, version: Pick<VersionRow, 'blob_hash'>): Promise<ConfigFile[]>
  create(tx: Tx, config: { name: string; description: string }, version: NewVersion): Promise<ConfigRow>
  addVersion(tx: Tx, config: ConfigRow, version: NewVersion): Promise<ConfigRow>
  delete(tx: Tx, name: string): Promise<void>
}

export function createConfigStore(blobs: BlobStore, clock: { now(): number }): ConfigStore {
  const insertVersion = async (tx: Tx, config: string, number: number, version: NewVersion, now: number): Promise<void> => {
    const files = version.files.map(({ name, contentType, body }) => ({ name, contentType, body }))
    await tx
      .insertInto('config_versions')
      .values({
        config,
        version: number,
        content_hash: contentHash(files),
        blob_hash: await blobs.putJson(tx, files),
        bytes: files.reduce((sum, file) => sum + Buffer.byteLength(file.body), 0),
        message: version.message,
        author: version.author,
        created_at: now,
        findings_json: JSON.stringify(version.findings),
      })
      .execute()
  }

  return {
    find: (from, name) => from.selectFrom('configs').selectAll().where('name', '=', name).executeTakeFirst(),
    list: listConfigs,
    findVersion: (from, config, version) =>
      from.selectFrom('config_versions').selectAll().where('config', '=', config).where('version', '=', version).executeTakeFirst(),
    listVersions,
    readFiles: async (from, { blob_hash: hash }) => {
      const files = await blobs.getJson(from, hash)
      if (files === undefined) throw new Error(`the body ${hash} of a config version is missing`)
      return files as ConfigFile[] // as: only insertVersion writes it, and the content hash proves it
    },
    create: async (tx, { name, description }, version) => {
      const { last } = await tx
        .selectFrom('config_versions')
        .select((eb) => eb.fn.max('version').as('last'))
        .where('config', '=', name)
        .executeTakeFirstOrThrow()
      const number = (last ?? 0) + 1
      const now = clock.now()
      const row: ConfigRow = { name, description, latest_version: number, first_version: number, created_at: now, updated_at: now }
      await tx.insertInto('configs').values(row).execute()
      await insertVersion(tx, name, number, version, now)
      return row
    },
    addVersion: async (tx, config, version) => {
      const now = clock.now()
      const change = { latest_version: config.latest_version + 1, updated_at: now }
      await insertVersion(tx, config.name, change.latest_version, version, now)
      await tx.updateTable('configs').set(change).where('name', '=', config.name).execute()
      return { ...config, ...change }
    },
    delete: async (tx, name) => {
      await tx.deleteFrom('configs').where('name', '=', name).execute()
    },
  }
}

const listConfigs: ConfigStore['list'] = async (from, { search, afterName, limit }) => {
  let matching = from.selectFrom('configs')
  // instr and not like: what people type may hold % and _.
  if (search !== undefined && search !== '')
    matching = matching.where((eb) => eb(eb.fn<number>('instr', [eb.ref('name'), eb.val(search.toLowerCase())]), '>', 0))
  const { total } = await matching.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  let page = matching.selectAll()
  if (afterName !== undefined) page = page.where('name', '>', afterName)
  return {
    rows: await page
      .orderBy('name')
      .limit(limit + 1)
      .execute(),
    total,
  }
}

const listVersions: ConfigStore['listVersions'] = async (from, config, { beforeVersion, limit }) => {
  let page = from.selectFrom('config_versions').selectAll().where('config', '=', config.name).where('version', '>=', config.first_version)
  if (beforeVersion !== undefined) page = page.where('version', '<', beforeVersion)
  return {
    rows: await page
      .orderBy('version', 'desc')
      .limit(limit + 1)
      .execute(),
    total: config.latest_version - config.first_version + 1,
  }
}
