/** How changes of agents reach the disk. */
import { agentTraits, FakeClock } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { StoreUnavailableError } from '../storage/errors.ts'
import type { Store, Tx } from '../storage/store.ts'
import { openTestStore } from '../storage/test-store.ts'
import type { AgentRecord } from './agent-record.ts'
import { newAgent } from './load.ts'
import { AgentStore, readAgent, readAgents } from './store.ts'

const quiet = { error: () => {} }

function setUp() {
  const test = openTestStore()
  const clock = new FakeClock()
  let transactions = 0
  let broken = false
  const counted: Store = {
    ...test.store,
    read: test.store.read,
    transaction: async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
      if (broken) throw new StoreUnavailableError('the disk is full')
      transactions += 1
      return test.store.transaction(work)
    },
  }
  const store = new AgentStore({ store: counted, timing: clock, log: quiet })
  const records = Array.from({ length: 600 }, (_, index) => newAgent(agentTraits(index).uid, clock.now()))
  const rowOf = (record: AgentRecord | undefined) => readAgent(test.store.read, record?.id ?? '')
  const first = newAgent(agentTraits(1000).uid, clock.now())
  return { test, clock, store, first, records, rowOf, transactions: () => transactions, setBroken: (value: boolean) => (broken = value) }
}

describe('AgentStore', () => {
  it('gathers changes for half a second and writes them in one transaction', async () => {
    const { test, clock, store, records, rowOf, transactions } = setUp()
    await using _ = test
    for (const record of records.slice(0, 200)) for (let change = 0; change < 5; change++) store.changed(record)
    await clock.advanceAsync(499)
    expect(transactions()).toBe(0)
    await clock.advanceAsync(1)
    await store.flush() // waits for what the timer began
    expect(transactions()).toBe(1)
    expect(await rowOf(records[199])).toMatchObject({ instance_uid: records[199]?.uid })
    await clock.advanceAsync(10_000)
    expect(transactions()).toBe(1)
  })

  it('cuts a large batch, and writes what speaks of records after all of them', async () => {
    const { test, store, records, transactions } = setUp()
    await using _ = test
    let written = -1
    for (const record of records) store.changed(record)
    store.also(async (tx) => {
      const { n } = await tx
        .selectFrom('agents')
        .select((eb) => eb.fn.countAll<number>().as('n'))
        .executeTakeFirstOrThrow()
      written = n
    })
    await store.flush()
    expect(transactions()).toBe(3)
    expect(written).toBe(600)
    let read = 0
    for await (const rows of readAgents(test.store.read)) read += rows.length
    expect(read).toBe(600)
  })

  it('lets callers at one moment share the commits', async () => {
    const { test, store, records, transactions } = setUp()
    await using _ = test
    const flushed = records.slice(0, 100).map((record) => {
      store.changed(record)
      return store.flush()
    })
    await Promise.all(flushed)
    expect(transactions()).toBe(1)
  })

  it('does not let who waits for the disk wait for what came later', async () => {
    const { test, store, first, records } = setUp()
    await using _ = test
    store.changed(first)
    // As a busy fleet: with every transaction comes something new.
    const more = records.values()
    const step = async () => {
      const record = more.next().value
      if (record === undefined) return
      store.changed(record)
      store.also(step)
    }
    store.also(step)
    await store.flush()
    expect(store.waiting).toBe(1)
  })

  it('gives things of one kind to their writer together, in order', async () => {
    const { test, store } = setUp()
    await using _ = test
    const calls: number[][] = []
    const write = async (_tx: Tx, items: readonly number[]) => void calls.push([...items])
    for (let item = 0; item < 100; item++) {
      store.together(write, item)
      store.also(async () => {})
    }
    await store.flush()
    expect(calls.length).toBeLessThan(5)
    expect(calls.flat()).toEqual(Array.from({ length: 100 }, (_, item) => item))
  })

  it('lets the event loop turn while it writes a large batch', async () => {
    const { test, store, records } = setUp()
    await using _ = test
    let turns = 0
    const turn = () => {
      turns += 1
      if (store.waiting > 0) setImmediate(turn)
    }
    for (const record of records) store.changed(record)
    setImmediate(turn)
    await store.flush()
    expect(turns).toBeGreaterThanOrEqual(8)
  })

  it('keeps large parts that did not change', async () => {
    const { test, store, first, rowOf } = setUp()
    await using _ = test
    const record = first
    record.unsaved = { description: '{"identifying":{},"nonIdentifying":{}}', health: '{}' }
    store.changed(record)
    await store.flush()
    record.lastError = 'x'
    store.changed(record)
    await store.flush()
    expect(await rowOf(record)).toMatchObject({ description_json: '{"identifying":{},"nonIdentifying":{}}', health_json: '{}' })
    expect(record.unsaved).toBeUndefined()
  })

  it('keeps everything while the disk is full, says so to who waits, and writes it when there is room', async () => {
    const { test, clock, store, first, rowOf, setBroken } = setUp()
    await using _ = test
    const record = first
    setBroken(true)
    record.unsaved = { health: '{"healthy":true}' }
    store.changed(record)
    await expect(store.flush()).rejects.toThrow(StoreUnavailableError)
    record.unsaved = { ...record.unsaved, description: '{"identifying":{},"nonIdentifying":{}}' }
    setBroken(false)
    await clock.advanceAsync(1000)
    expect(await rowOf(record)).toMatchObject({ health_json: '{"healthy":true}', description_json: '{"identifying":{},"nonIdentifying":{}}' })
  })

  it('drops what can never be written instead of holding up the rest', async () => {
    const { test, store, first, rowOf } = setUp()
    await using _ = test
    store.changed(first)
    store.also(() => Promise.reject(new Error('a fault of ours')))
    let ran = false
    store.also(async () => {
      ran = true
    })
    await store.flush()
    expect(ran).toBe(true)
    expect(await rowOf(first)).toBeDefined()
  })

  it('does not write an agent again that was forgotten', async () => {
    const { test, store, first, rowOf } = setUp()
    await using _ = test
    store.changed(first)
    first.forgotten = true
    await store.flush()
    expect(await rowOf(first)).toBeUndefined()
  })
})
