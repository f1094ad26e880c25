/** Transactions, notifications and what happens when the disk does not take more. */
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createBlobStore } from './blob-store.ts'
import { BlobCorruptError, StoreUnavailableError } from './errors.ts'
import { openTestStore } from './test-store.ts'
import type { TestStore } from './test-store.ts'
import type { NewRow } from './schema.ts'
import type { Tx } from './store.ts'

let test: TestStore
beforeEach(() => {
  test = openTestStore({ probeIntervalMs: 5 })
})
afterEach(() => test[Symbol.asyncDispose]())

const put = (tx: Tx, key: string, value = 'v') => tx.insertInto('meta').values({ key, value }).execute()
const keys = async () =>
  (await test.store.read.selectFrom('meta').select('key').where('key', '!=', 'schema_version').orderBy('key').execute()).map((row) => row.key)

describe('a transaction', () => {
  it('is seen by readers only once it is committed, and notifies after that', async () => {
    const seen: string[][] = []
    let notified = false
    await test.store.transaction(async (tx) => {
      await put(tx, 'a')
      tx.afterCommit(() => {
        notified = true
      })
      seen.push(await keys())
      expect(notified).toBe(false)
    })
    expect(notified).toBe(true)
    expect(seen).toEqual([[]])
    expect(await keys()).toEqual(['a'])
  })

  it('keeps nothing and notifies nobody when the work throws', async () => {
    let notified = false
    const failing = test.store.transaction(async (tx) => {
      tx.afterCommit(() => {
        notified = true
      })
      await put(tx, 'a')
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await keys()).toEqual([])
    expect(notified).toBe(false)
  })

  it('runs alone: others wait their turn', async () => {
    const order: string[] = []
    const step = (name: string) =>
      test.store.transaction(async (tx) => {
        order.push(`${name} in`)
        await put(tx, name)
        await test.store.read.selectFrom('meta').select('key').execute()
        order.push(`${name} out`)
      })
    await Promise.all([step('a'), step('b'), step('c')])
    expect(order).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
  })

  it('refuses to be nested instead of waiting for itself', async () => {
    await expect(test.store.transaction(() => test.store.transaction(async () => {}))).rejects.toThrow(/inside a transaction/)
    await test.store.transaction((tx) => put(tx, 'still works'))
  })

  it('allows a listener to begin the next one', async () => {
    let later: Promise<unknown> | undefined
    await test.store.transaction(async (tx) => {
      await put(tx, 'a')
      tx.afterCommit(() => {
        later = test.store.transaction((next) => put(next, 'b'))
      })
    })
    await later
    expect(await keys()).toEqual(['a', 'b'])
  })

  it('refuses statements after its end', async () => {
    let leaked: Tx | undefined
    await test.store.transaction(async (tx) => {
      leaked = tx
    })
    await expect(leaked ? put(leaked, 'late') : undefined).rejects.toThrow(/already committed/)
  })

  it('is on disk when the promise resolves', async () => {
    await test.store.transaction((tx) => put(tx, 'durable', 'needle-4711'))
    expect(readFileSync(`${test.database.path}-wal`).includes('needle-4711')).toBe(true)
  })
})

describe('the counter of operations', () => {
  it('counts statements by kind and not the brackets around them', async () => {
    const before = { ...test.operations }
    await test.store.transaction(async (tx) => {
      await put(tx, 'a')
      await tx.selectFrom('meta').select('key').execute()
    })
    await keys()
    expect(test.operations).toEqual({ read: before.read + 2, write: before.write + 1 })
  })
})

describe('a full disk', () => {
  const fill = () => {
    const { page_count: pages } = test.database.handle.prepare('pragma page_count').get() as { page_count: number }
    test.database.handle.exec(`pragma max_page_count = ${pages}`)
  }
  const big = (tx: Tx) => put(tx, 'big', 'x'.repeat(100_000))

  it('refuses the write as a whole, goes on reading, and recovers by itself', async () => {
    await test.store.transaction((tx) => put(tx, 'before'))
    fill()
    const refused = test.store.transaction(async (tx) => {
      await put(tx, 'small')
      await big(tx)
    })
    await expect(refused).rejects.toThrow(StoreUnavailableError)
    await expect(refused).rejects.toThrow(/the disk is full/)
    expect(test.store.state()).toEqual({ state: 'read-only', detail: 'the disk is full' })
    expect(await keys()).toEqual(['before'])
    await expect(test.store.transaction((tx) => put(tx, 'refused at once'))).rejects.toThrow(StoreUnavailableError)

    test.database.handle.exec('pragma max_page_count = 1000000')
    await expect.poll(() => test.store.state().state, { interval: 5 }).toBe('ok')
    await test.store.transaction(big)
    expect(await keys()).toEqual(['before', 'big'])
  })

  it('does not take an ordinary error for a broken disk', async () => {
    await test.store.transaction((tx) => put(tx, 'a'))
    await expect(test.store.transaction((tx) => put(tx, 'a'))).rejects.toThrow(/UNIQUE/)
    expect(test.store.state().state).toBe('ok')
  })
})

describe('the blob store', () => {
  const blobs = createBlobStore({ now: () => 1 })
  const text = new TextEncoder().encode('receivers: {}\n'.repeat(1000))

  it('stores equal bodies once, compressed, and gives them back', async () => {
    const hashes = await test.store.transaction(async (tx) => [await blobs.put(tx, text), await blobs.put(tx, text), await blobs.put(tx, new Uint8Array())])
    expect(hashes[0]).toBe(hashes[1])
    const rows = await test.store.read.selectFrom('blobs').select(['encoding', 'bytes', 'body']).orderBy('bytes').execute()
    expect(rows.map((row) => [row.encoding, row.bytes])).toEqual([
      ['identity', 0],
      ['zstd', text.length],
    ])
    expect(rows[1]?.body.length).toBeLessThan(200)
    expect(await blobs.get(test.store.read, hashes[0] ?? '')).toEqual(text)
    expect(await blobs.get(test.store.read, hashes[2] ?? '')).toEqual(new Uint8Array())
    expect(await blobs.get(test.store.read, 'unknown')).toBeUndefined()
  })

  it('lets go of bodies that nothing refers to, and keeps the others', async () => {
    const kept = await test.store.transaction(async (tx) => {
      await blobs.put(tx, text)
      const hash = await blobs.putJson(tx, ['used'])
      await tx.insertInto('rendered_configs').values({ hash: 'r', blob_hash: hash, source: 's', created_at: 1 }).execute()
      const effective = await blobs.putJson(tx, ['effective'])
      const uid = '01890000-0000-7000-8000-000000000000'
      await tx
        .insertInto('agents')
        .values({ id: 'agt_1', instance_uid: uid, first_seen_at: 1, effective_config_hash: effective } as NewRow<'agents'>)
        .execute()
      return [hash, effective]
    })
    expect(await test.store.transaction((tx) => blobs.prune(tx))).toBe(1)
    const left = await test.store.read.selectFrom('blobs').select('hash').execute()
    expect(left.map((row) => row.hash).toSorted()).toEqual(kept.toSorted())
  })

  it('never serves a body whose content changed on disk', async () => {
    const hash = await test.store.transaction((tx) => blobs.putJson(tx, { a: 1 }))
    expect(await blobs.getJson(test.store.read, hash)).toEqual({ a: 1 })
    await test.store.transaction((tx) =>
      tx
        .updateTable('blobs')
        .set({ body: new TextEncoder().encode('{"a":2}') })
        .execute(),
    )
    await expect(blobs.get(test.store.read, hash)).rejects.toThrow(BlobCorruptError)
  })
})
