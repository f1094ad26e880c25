/** Drafts in the store: one for each name of a config, apart from its versions. */
import type { ConfigFile } from '@drover/api'
import type { BlobStore } from '../storage/blob-store.ts'
import type { Row } from '../storage/schema.ts'
import type { ReadStore, Tx } from '../storage/store.ts'

export type DraftRow = Row<'config_drafts'>

export interface DraftValues {
  readonly description: string
  /** null: the config is not there yet. */
  readonly baseVersion: number | null
  readonly files: readonly ConfigFile[]
  readonly message: string
  readonly by: string
}

export interface DraftStore {
  find(from: ReadStore, config: string): Promise<DraftRow | undefined>
  /** The last changed first. */
  list(from: ReadStore, query: { after?: { updatedAt: number; config: string }; limit: number }): Promise<{ rows: DraftRow[]; total: number }>
  readFiles(from: ReadStore, draft: DraftRow): Promise<ConfigFile[]>
  save(tx: Tx, config: string, values: DraftValues): Promise<DraftRow>
  delete(tx: Tx, config: string): Promise<void>
}

export function createDraftStore(blobs: BlobStore, clock: { now(): number }): DraftStore {
  return {
    find,
    list,
    readFiles: async (from, { config, blob_hash: hash }) => {
      const files = await blobs.getJson(from, hash)
      if (files === undefined) throw new Error(`the body ${hash} of the draft of ${config} is missing`)
      return files as ConfigFile[] // as: only save writes it, and the content hash proves it
    },
    save: async (tx, config, { description, baseVersion, files, message, by }) => {
      const before = await find(tx, config)
      const body = files.map(({ name, contentType, body: text }) => ({ name, contentType, body: text }))
      const row: DraftRow = {
        config,
        description,
        base_version: baseVersion,
        blob_hash: await blobs.putJson(tx, body),
        message,
        updated_by: by,
        updated_at: clock.now(),
        edit: (before?.edit ?? 0) + 1,
      }
      if (before === undefined) await tx.insertInto('config_drafts').values(row).execute()
      else await tx.updateTable('config_drafts').set(row).where('config', '=', config).execute()
      return row
    },
    delete: async (tx, config) => {
      await tx.deleteFrom('config_drafts').where('config', '=', config).execute()
    },
  }
}

const find: DraftStore['find'] = (from, config) => from.selectFrom('config_drafts').selectAll().where('config', '=', config).executeTakeFirst()

const list: DraftStore['list'] = async (from, { after, limit }) => {
  const { total } = await from
    .selectFrom('config_drafts')
    .select((eb) => eb.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  let page = from.selectFrom('config_drafts').selectAll()
  if (after)
    page = page.where((eb) =>
      eb.or([eb('updated_at', '<', after.updatedAt), eb.and([eb('updated_at', '=', after.updatedAt), eb('config', '>', after.config)])]),
    )
  const rows = await page
    .orderBy('updated_at', 'desc')
    .orderBy('config')
    .limit(limit + 1)
    .execute()
  return { rows, total }
}
