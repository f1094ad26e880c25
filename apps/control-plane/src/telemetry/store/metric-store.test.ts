/** The store on a real folder: steps, files, restarts, budget, faults. */
import { appendFileSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StoreFiles } from './files.ts'
import { copyFolder, makeFolder, openTestStore, put, readSeries, removeFolder } from './test-files.ts'
import type { TestStore } from './test-files.ts'
import { tiers } from './tiers.ts'

const [seconds10, minute, quarter] = tiers
/** The beginning of a day. */
const T = Date.parse('2026-01-01T00:00:00Z')
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

let test: TestStore
beforeEach(async () => {
  test = await openTestStore(T)
})
afterEach(() => test[Symbol.asyncDispose]())

/** Closes and opens again, as a restart does. */
async function reopen(nowMs: number): Promise<void> {
  await test.store.close()
  test = await openTestStore(nowMs, { dir: test.dir })
}

/** A row every ten seconds, with the housekeeping that is due; values rise by one each time. */
async function run(fromMs: number, toMs: number, agents: readonly string[] = ['agt_a'], every = 10_000): Promise<void> {
  for (let at = fromMs; at < toMs; at += every) {
    for (const agent of agents) put(test.store, agent, at, { sent: (at - T) / 10_000, queueUse: ((at / 10_000) % 6) / 8, 'sent@exporter x': 5 }, every)
    if ((at + every) % (5 * MINUTE) === 0) await test.store.tick(at + every)
  }
}

describe('points', () => {
  it('are there at once, and after a restart when they were ticked', async () => {
    await run(T, T + MINUTE)
    expect(await readSeries(test.store, seconds10, 'agt_a', T, T + HOUR, 'sent')).toEqual([0, 1, 2, 3, 4, 5].map((value) => [T + value * 10_000, value]))
    await test.store.tick(T + MINUTE)
    const copy = copyFolder(test.dir)
    const other = await openTestStore(T + MINUTE, { dir: copy })
    expect(await readSeries(other.store, seconds10, 'agt_a', T, T + HOUR, 'sent')).toHaveLength(6)
    await other[Symbol.asyncDispose]()
  })

  it('go into a file after five minutes, and read the same from it', async () => {
    await run(T, T + 10 * MINUTE)
    const before = await readSeries(test.store, seconds10, 'agt_a', T, T + HOUR, 'sent')
    expect(readdirSync(test.dir)).toEqual([`10s-${T}.points`, expect.stringMatching(/^journal-/)])
    expect(before).toEqual(Array.from({ length: 60 }, (_, at) => [T + at * 10_000, at]))
    await reopen(T + 10 * MINUTE)
    expect(await readSeries(test.store, seconds10, 'agt_a', T, T + HOUR, 'sent')).toEqual(before)
    expect(await readSeries(test.store, seconds10, 'agt_a', T, T + HOUR, 'sent', 'exporter x')).toHaveLength(60)
    expect(await readSeries(test.store, seconds10, 'agt_b', T, T + HOUR, 'sent')).toEqual([])
  })

  it('fill the time they cover, also across files, but not what was told there', async () => {
    put(test.store, 'agt_a', T + 270_000, { sent: 3 })
    put(test.store, 'agt_a', T + 330_000, { sent: 7 }, 60_000)
    const read = await readSeries(test.store, seconds10, 'agt_a', T, T + HOUR, 'sent')
    expect(read).toEqual([[T + 270_000, 3], ...[280, 290, 300, 310, 320, 330].map((at) => [T + at * 1000, 7])])
    await test.store.tick(T + 330_000)
    await reopen(T + 330_000)
    expect(await readSeries(test.store, seconds10, 'agt_a', T, T + HOUR, 'sent')).toEqual(read)
  })

  it('fill the first slot after a file, too', async () => {
    await run(T, T + 10 * MINUTE)
    put(test.store, 'agt_b', T + 350_000, { sent: 7 }, 60_000)
    const read = await readSeries(test.store, seconds10, 'agt_b', T, T + HOUR, 'sent')
    expect(read).toEqual([300, 310, 320, 330, 340, 350].map((at) => [T + at * 1000, 7]))
  })

  it('of series that come later stand beside the earlier ones', async () => {
    put(test.store, 'agt_a', T, { sent: 1 })
    put(test.store, 'agt_a', T + 10_000, { sent: 2, cpu: 0.5, 'sent@exporter x': 2 })
    put(test.store, 'agt_a', T + 20_000, { cpu: 0.75 })
    expect(await readSeries(test.store, seconds10, 'agt_a', T, T + HOUR, 'sent')).toEqual([
      [T, 1],
      [T + 10_000, 2],
    ])
    expect(await readSeries(test.store, seconds10, 'agt_a', T, T + HOUR, 'cpu')).toEqual([
      [T + 10_000, 0.5],
      [T + 20_000, 0.75],
    ])
  })

  it('after a clock that was set back go where there is still room', async () => {
    await run(T, T + 10 * MINUTE)
    put(test.store, 'agt_a', T - DAY, { sent: 99 })
    expect((await readSeries(test.store, seconds10, 'agt_a', T, T + HOUR, 'sent'))[30]).toEqual([T + 5 * MINUTE, 99])
  })
})

describe('coarser steps', () => {
  it('are the means of the finer ones, with the highest use of a queue, before and after their file is made', async () => {
    await run(T, T + 55 * MINUTE)
    const expected = Array.from({ length: 55 }, (_, at) => [T + at * MINUTE, 6 * at + 2.5])
    const means = async () => {
      const points = await readSeries(test.store, minute, 'agt_a', T, T + 55 * MINUTE, 'sent')
      return points
    }
    expect(await means()).toHaveLength(55 * 6)
    await run(T + 55 * MINUTE, T + 70 * MINUTE)
    expect(readdirSync(test.dir)).toContain(`1m-${T}.points`)
    expect(await means()).toEqual(expected)
    expect(await readSeries(test.store, minute, 'agt_a', T, T + MINUTE, 'queueUseMax')).toEqual([[T, 5 / 8]])
    expect(await readSeries(test.store, minute, 'agt_a', T, T + MINUTE, 'queueUse')).toEqual([[T, 2.5 / 8]])
  })

  it('are made for a whole day, and the finer ones go when their time is over', async () => {
    await run(T, T + DAY + 2 * HOUR, ['agt_a', 'agt_b', 'agt_c'], MINUTE)
    await test.store.tick(T + DAY + 2 * HOUR)
    const names = readdirSync(test.dir)
    expect(names.filter((name) => name.startsWith('15m-'))).toEqual([`15m-${T}.points`])
    expect(names.filter((name) => name.startsWith('1m-'))).toHaveLength(25)
    expect(names.filter((name) => name.startsWith('10s-')).length).toBeLessThanOrEqual(25)
    const day = await readSeries(test.store, quarter, 'agt_b', T, T + DAY, 'sent')
    expect(day).toHaveLength(96)
    // Minute m is told once as 6m, and fills the slots since the minute before: one slot of it, five of the next.
    expect(day[10]?.[1]).toBeCloseTo(6 * (150 + 7) + 5, -1)
    expect(await readSeries(test.store, quarter, 'agt_b', T, T + 15 * MINUTE, 'queueUseMax')).toHaveLength(1)
  })

  it('are reached by the tier that goes back far enough', async () => {
    await run(T, T + 3 * HOUR, ['agt_a'], MINUTE)
    const now = T + 3 * HOUR
    expect(test.store.tierFor(now - 30 * MINUTE, now).name).toBe('10s')
    expect(test.store.tierFor(now - 2 * HOUR, now).name).toBe('1m')
    expect(test.store.tierFor(now - 20 * DAY, now).name).toBe('15m')
  })
})

describe('the budget', () => {
  it('is kept, and takes the oldest of the finest step first', async () => {
    await test[Symbol.asyncDispose]()
    test = await openTestStore(T, { budgetBytes: 6_000 })
    const agents = ['agt_a', 'agt_b', 'agt_c', 'agt_d']
    for (let hour = 0; hour < 6; hour++) {
      await run(T + hour * HOUR, T + (hour + 1) * HOUR, agents)
      expect(test.store.status().bytes).toBeLessThanOrEqual(6_000 + 12_000)
      const onDisk = readdirSync(test.dir).filter((name) => name.endsWith('.points'))
      expect(onDisk.reduce((sum, name) => sum + readFileSync(join(test.dir, name)).length, 0)).toBeLessThanOrEqual(6_000)
    }
    const names = readdirSync(test.dir)
    expect(names.filter((name) => name.startsWith('10s-')).length).toBeLessThan(12)
    // What is left is the newest.
    const starts = names.filter((name) => name.startsWith('10s-')).map((name) => Number(name.split(/[-.]/)[1]))
    expect(Math.max(...starts)).toBeGreaterThan(T + 5 * HOUR + 40 * MINUTE)
    expect(await readSeries(test.store, seconds10, 'agt_a', T + 6 * HOUR - 5 * MINUTE, T + 6 * HOUR, 'sent')).toHaveLength(30)
  })
})

describe('a crash', () => {
  it('at any write costs at most what was not handed over yet', async () => {
    await test[Symbol.asyncDispose]()
    const copies: { readonly dir: string; readonly ticked: number }[] = []
    let ticked = 0
    const dir = { path: '' }
    const snapshot = () => copies.push({ dir: copyFolder(dir.path), ticked })
    const around = async <T>(step: () => Promise<T>): Promise<T> => {
      snapshot()
      const result = await step()
      snapshot()
      return result
    }
    const wrap = (files: StoreFiles): StoreFiles => ({
      list: () => files.list(),
      open: (name) => files.open(name),
      close: () => files.close(),
      append: (name, content) => around(() => files.append(name, content)),
      publish: (name, content) => around(() => files.publish(name, content)),
      remove: (name) => around(() => files.remove(name)),
    })
    dir.path = makeFolder()
    test = await openTestStore(T, { dir: dir.path, wrap })
    for (let at = T; at < T + 63 * MINUTE; at += MINUTE) {
      put(test.store, 'agt_a', at, { sent: (at - T) / MINUTE })
      await test.store.tick(at)
      ticked++
    }
    expect(copies.length).toBeGreaterThan(150)
    expect(readdirSync(test.dir)).toContain(`1m-${T}.points`)
    for (const [index, copy] of copies.entries()) {
      const other = await openTestStore(T + 63 * MINUTE, { dir: copy.dir })
      const points = await readSeries(other.store, seconds10, 'agt_a', T, T + 2 * HOUR, 'sent')
      // Each point at its place, none missing of those that a tick has handed over.
      expect(points, `copy ${index}`).toEqual(points.map((_, at) => [T + at * MINUTE, at]))
      expect(points.length, `copy ${index}`).toBeGreaterThanOrEqual(copy.ticked)
      expect(other.warnings).toEqual([])
      await other.store.tick(T + 63 * MINUTE)
      expect(other.warnings).toEqual([])
      await other[Symbol.asyncDispose]()
    }
  })

  it('in the middle of a write costs that write, wherever it was cut', async () => {
    await run(T, T + MINUTE)
    await test.store.tick(T + MINUTE)
    await run(T + MINUTE, T + 2 * MINUTE)
    await test.store.tick(T + 2 * MINUTE)
    const [journal = ''] = readdirSync(test.dir)
    const whole = readFileSync(join(test.dir, journal)).length
    for (let length = 0; length < whole; length++) {
      const dir = copyFolder(test.dir)
      truncateSync(join(dir, journal), length)
      const other = await openTestStore(T + 2 * MINUTE, { dir })
      const points = await readSeries(other.store, seconds10, 'agt_a', T, T + HOUR, 'sent')
      expect([0, 6]).toContain(points.length)
      expect(points).toEqual(points.map((_, at) => [T + at * 10_000, at]))
      // What comes now is kept, behind the torn end as well.
      put(other.store, 'agt_a', T + 3 * MINUTE, { sent: 18 })
      await other.store.close()
      const again = await openTestStore(T + 3 * MINUTE, { dir })
      expect(await readSeries(again.store, seconds10, 'agt_a', T + 3 * MINUTE, T + HOUR, 'sent')).toEqual([[T + 3 * MINUTE, 18]])
      await again[Symbol.asyncDispose]()
    }
  })

  it('that left half a file behind is cleaned up', async () => {
    await test.store.close()
    writeFileSync(join(test.dir, `10s-${T}.points.tmp`), 'half')
    writeFileSync(join(test.dir, 'notes.txt'), 'mine')
    test = await openTestStore(T, { dir: test.dir })
    expect(readdirSync(test.dir)).toEqual(['notes.txt'])
  })
})

describe('a fault', () => {
  it('in any byte of a file is found, and costs what it touches', async () => {
    await run(T, T + 10 * MINUTE, ['agt_a', 'agt_b'])
    const name = `10s-${T}.points`
    const whole = readFileSync(join(test.dir, name))
    const intact = await readSeries(test.store, seconds10, 'agt_a', T, T + 5 * MINUTE, 'sent')
    for (let at = 0; at < whole.length; at += 3) {
      const dir = copyFolder(test.dir)
      const broken = Buffer.from(whole)
      broken[at] = (broken[at] ?? 0) ^ 0x10
      writeFileSync(join(dir, name), broken)
      const other = await openTestStore(T + 10 * MINUTE, { dir })
      expect([[], intact]).toContainEqual(await readSeries(other.store, seconds10, 'agt_a', T, T + 5 * MINUTE, 'sent'))
      await readSeries(other.store, seconds10, 'agt_b', T, T + 5 * MINUTE, 'sent')
      expect(other.warnings, `byte ${at}`).toHaveLength(1)
      expect(other.store.status().damagedFiles).toBe(1)
      await other[Symbol.asyncDispose]()
    }
  })

  it('in a file does not keep the coarser one from being made', async () => {
    await run(T, T + 30 * MINUTE)
    appendFileSync(join(test.dir, `10s-${T}.points`), 'x')
    await reopen(T + 30 * MINUTE)
    await run(T + 30 * MINUTE, T + 70 * MINUTE)
    expect((await readSeries(test.store, minute, 'agt_a', T, T + HOUR, 'sent'))[0]).toEqual([T + 5 * MINUTE, 32.5])
  })

  it('of a full disk keeps the newest points in memory, and all is well when there is room', async () => {
    await test[Symbol.asyncDispose]()
    let isFull = false
    const fail = async () => Promise.reject(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }))
    test = await openTestStore(T, {
      wrap: (files) => ({
        list: () => files.list(),
        open: (name) => files.open(name),
        close: () => files.close(),
        append: (name, content) => (isFull ? fail() : files.append(name, content)),
        publish: (name, content) => (isFull ? fail() : files.publish(name, content)),
        remove: (name) => files.remove(name),
      }),
    })
    await run(T, T + 10 * MINUTE)
    isFull = true
    await run(T + 10 * MINUTE, T + HOUR)
    expect(test.warnings.length).toBeGreaterThan(0)
    expect(test.store.openWindows().length).toBeLessThanOrEqual(5)
    expect(test.store.status().droppedWindows).toBeGreaterThan(0)
    isFull = false
    await run(T + HOUR, T + HOUR + 10 * MINUTE)
    await reopen(T + HOUR + 10 * MINUTE)
    expect((await readSeries(test.store, seconds10, 'agt_a', T + HOUR - 5 * MINUTE, T + 2 * HOUR, 'sent')).length).toBe(90)
  })
})

describe('files of somebody else', () => {
  it('are left alone', async () => {
    await test.store.close()
    const names = ['10s-1.points', '10s-x.points', 'journal-1.rows', '2m-0.points', '10s-300000.points.bak']
    for (const name of names) writeFileSync(join(test.dir, name), 'x')
    test = await openTestStore(T, { dir: test.dir })
    await test.store.tick(T + DAY)
    expect(readdirSync(test.dir).toSorted()).toEqual(names.toSorted())
    removeFolder(test.dir)
  })
})
