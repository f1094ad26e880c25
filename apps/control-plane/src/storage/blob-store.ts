/** Bodies by content hash: stored once, compressed, checked when they are read. */
import { createHash } from 'node:crypto'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { BlobCorruptError } from './errors.ts'
import type { ReadStore, Tx } from './store.ts'

/** Smaller bodies gain nothing. */
const MIN_COMPRESSED_BYTES = 256
/** Bounds the length of the transaction; the rest goes the next time. */
const PRUNED_TOGETHER = 1_000

export interface BlobStore {
  /** Returns the key: SHA-256 as hex. A body that is there already is not written again. */
  put(tx: Tx, body: Uint8Array): Promise<string>
  /** @throws {BlobCorruptError} */
  get(from: ReadStore, hash: string): Promise<Uint8Array | undefined>
  /** The value as JSON text. Equal values written in the same order of keys share a key. */
  putJson(tx: Tx, value: unknown): Promise<string>
  getJson(from: ReadStore, hash: string): Promise<unknown>
  /** Lets go of bodies that nothing refers to any more, some at a time. Returns how many went. */
  prune(tx: Tx): Promise<number>
}

export function createBlobStore(clock: { now(): number }): BlobStore {
  const put = async (tx: Tx, body: Uint8Array): Promise<string> => {
    const hash = hashOf(body)
    const known = await tx.selectFrom('blobs').select('hash').where('hash', '=', hash).executeTakeFirst()
    if (known) return hash
    const compressed = body.length < MIN_COMPRESSED_BYTES ? body : zstdCompressSync(body)
    const smaller = compressed.length < body.length
    await tx
      .insertInto('blobs')
      .values({ hash, encoding: smaller ? 'zstd' : 'identity', body: smaller ? compressed : body, bytes: body.length, created_at: clock.now() })
      .execute()
    return hash
  }
  const get = async (from: ReadStore, hash: string): Promise<Uint8Array | undefined> => {
    const row = await from.selectFrom('blobs').select(['encoding', 'body', 'bytes']).where('hash', '=', hash).executeTakeFirst()
    if (row === undefined) return undefined
    const body = unpack(row, hash)
    if (hashOf(body) !== hash) throw new BlobCorruptError(hash)
    return body
  }
  return {
    put,
    get,
    putJson: (tx, value) => put(tx, new TextEncoder().encode(JSON.stringify(value))),
    getJson: async (from, hash) => {
      const body = await get(from, hash)
      return body === undefined ? undefined : JSON.parse(new TextDecoder().decode(body))
    },
    prune: async (tx) => {
      const unused = tx
        .selectFrom('blobs')
        .select('hash')
        .where('hash', 'not in', (eb) => eb.selectFrom('config_versions').select('blob_hash'))
        .where('hash', 'not in', (eb) => eb.selectFrom('config_drafts').select('blob_hash'))
        .where('hash', 'not in', (eb) => eb.selectFrom('rendered_configs').select('blob_hash'))
        .where('hash', 'not in', (eb) =>
          eb
            .selectFrom('agents')
            .select('effective_config_hash')
            .where('effective_config_hash', 'is not', null)
            .$narrowType<{ effective_config_hash: string }>(),
        )
        .limit(PRUNED_TOGETHER)
      const { numDeletedRows } = await tx.deleteFrom('blobs').where('hash', 'in', unused).executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

function unpack(row: { encoding: 'identity' | 'zstd'; body: Uint8Array; bytes: number }, hash: string): Uint8Array {
  if (row.encoding === 'identity') return row.body
  try {
    return new Uint8Array(zstdDecompressSync(row.body, { maxOutputLength: Math.max(1, row.bytes) }))
  } catch {
    throw new BlobCorruptError(hash)
  }
}

function hashOf(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex')
}
