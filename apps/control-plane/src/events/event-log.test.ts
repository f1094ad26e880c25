/** Order, cursors and following without loss, on a real store. */
import type { EventKind } from '@drover/api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTestStore } from '../storage/test-store.ts'
import type { TestStore } from '../storage/test-store.ts'
import { openEventLog } from './event-log.ts'
import type { EventFilter, EventLog } from './event-log.ts'

let test: TestStore
let events: EventLog
const all: EventFilter = { kinds: [] }
beforeEach(async () => {
  test = openTestStore()
  events = await openEventLog({ store: test.store, clock: { now: () => 0 }, maxEvents: 10 })
})
afterEach(() => test[Symbol.asyncDispose]())

const append = (kind: EventKind, subject = 's') =>
  test.store.transaction((tx) => events.append(tx, { kind, actor: 'system', subject, summary: 'x', data: { kind } }))

async function take(follower: ReturnType<EventLog['follow']>, count: number): Promise<number[]> {
  const ids: number[] = []
  while (ids.length < count) {
    const { value, done } = await follower.next()
    if (done) break
    ids.push(...value.events.map((event) => event.id))
  }
  return ids
}

describe('the event log', () => {
  it('hands a follower what came before and what comes after, each once and in order', async () => {
    await append('config.created')
    await append('config.versioned')
    const stop = new AbortController()
    const follower = events.follow({ after: 0, filter: all, signal: stop.signal })
    expect(await take(follower, 2)).toEqual([1, 2])
    const more = take(follower, 1)
    await append('config.deleted')
    expect(await more).toEqual([3])
    const last = follower.next()
    stop.abort()
    expect((await last).done).toBe(true)
  })

  it('resumes from a cursor after a restart', async () => {
    for (let n = 0; n < 5; n++) await append('agent.changed')
    const reopened = await openEventLog({ store: test.store, clock: { now: () => 0 } })
    expect(reopened.lastId()).toBe(5)
    const follower = reopened.follow({ after: 3, filter: all, signal: new AbortController().signal })
    expect(await take(follower, 2)).toEqual([4, 5])
  })

  it('says nothing of a transaction that failed', async () => {
    const failing = test.store.transaction(async (tx) => {
      await events.append(tx, { kind: 'config.created', actor: 'system', subject: 's', summary: 'x' })
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(events.lastId()).toBe(0)
    await append('config.created')
    expect((await events.page({ filter: all, limit: 10 })).total).toBe(1)
  })

  it('filters by kind, by prefix up to a dot, and by subject; and alike from memory and from the table', async () => {
    await append('agent.health', 'a')
    await append('agent.changed', 'a')
    await append('attempt.failed', 'b')
    const cases: [EventFilter, number[]][] = [
      [{ kinds: ['agent'] }, [1, 2]],
      [{ kinds: ['agent.health', 'attempt'] }, [1, 3]],
      [{ kinds: ['agent.h'] }, []],
      [{ kinds: [], subject: 'b' }, [3]],
    ]
    const reopened = await openEventLog({ store: test.store, clock: { now: () => 0 } })
    for (const [filter, ids] of cases) {
      for (const log of [events, reopened]) {
        const { value } = await log.follow({ after: 0, filter, signal: new AbortController().signal }).next()
        expect(value?.events.map((event) => event.id)).toEqual(ids)
        expect(value?.lastId).toBe(3)
      }
      expect((await events.page({ filter, after: 0, limit: 9 })).events.map((event) => event.id)).toEqual(ids)
    }
  })

  it('pages newest first, and oldest first after a cursor', async () => {
    for (let n = 0; n < 5; n++) await append('agent.changed')
    const newest = await events.page({ filter: all, limit: 2 })
    expect([newest.events.map((event) => event.id), newest.more, newest.total]).toEqual([[5, 4], true, 5])
    const older = await events.page({ filter: all, before: 3, limit: 2 })
    expect([older.events.map((event) => event.id), older.more]).toEqual([[2, 1], false])
    expect((await events.page({ filter: all, after: 3, limit: 2 })).events.map((event) => event.id)).toEqual([4, 5])
  })

  it('serves followers who are up to date without reading the store', async () => {
    const follower = events.follow({ after: 0, filter: all, signal: new AbortController().signal })
    const before = test.operations.read
    for (let n = 1; n <= 3; n++) {
      await append('agent.changed')
      expect(await take(follower, 1)).toEqual([n])
    }
    expect(test.operations.read).toBe(before)
  })

  it('keeps only the newest events and never uses an id twice', async () => {
    for (let n = 0; n < 15; n++) await append('agent.changed')
    await events.prune()
    const page = await events.page({ filter: all, limit: 100 })
    expect(page.events.map((event) => event.id)).toEqual([15, 14, 13, 12, 11, 10, 9, 8, 7, 6])
    expect(await append('agent.changed')).toBe(16)
  })
})
