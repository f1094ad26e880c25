/** Evidence and charts of a fleet whose numbers are known. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FleetSums } from './fleet-sums.ts'
import { FLEET, createEvidence, readRange } from './queries.ts'
import { openTestStore, put } from './store/test-files.ts'
import type { TestStore } from './store/test-files.ts'

const T = Date.parse('2026-01-01T00:00:00Z')
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

let test: TestStore
let now = T
beforeEach(async () => {
  now = T
  test = await openTestStore(T)
})
afterEach(() => test[Symbol.asyncDispose]())
const evidence = () => createEvidence(test.store, () => now)

const agents = Array.from({ length: 1_000 }, (_, at) => `agt_${at}`)

/** Agent n sends n items a second until `change`, and none afterwards; each tells every `every` ms. */
async function run(
  fromMs: number,
  toMs: number,
  options: { readonly changeMs?: number; readonly every?: number; readonly of?: readonly string[] } = {},
): Promise<void> {
  const { changeMs = Infinity, every = 10_000, of = agents } = options
  for (let at = fromMs; at < toMs; at += every) {
    for (const agent of of) put(test.store, agent, at, { sent: at >= changeMs ? 0 : Number(agent.slice(4)), cpu: 0.5, refused: 2, queueUse: 0.25 }, every)
    if ((at + every) % (5 * MINUTE) === 0) await test.store.tick(at + every)
  }
  now = toMs
}

describe('means', () => {
  it('are exact for each of a thousand agents, in memory and in files', async () => {
    await run(T, T + 12 * MINUTE, { every: 30_000 })
    for (const [from, to] of [
      [T, T + 12 * MINUTE],
      [T + 10 * MINUTE, T + 12 * MINUTE],
      [T + MINUTE, T + 2 * MINUTE],
    ] as const) {
      const means = await evidence().means('throughput', agents, from, to)
      expect(means.size).toBe(1_000)
      for (const agent of agents) expect(means.get(agent)).toBe(Number(agent.slice(4)))
    }
    expect((await evidence().means('cpu', ['agt_1', 'agt_1', 'agt_unknown'], T, now)).entries().toArray()).toEqual([['agt_1', 0.5]])
  })

  it('tell the time before a change from the time after it', async () => {
    await run(T, T + 40 * MINUTE, { changeMs: T + 20 * MINUTE, of: ['agt_8'] })
    const mean = async (from: number, to: number) => (await evidence().means('throughput', ['agt_8'], from, to)).get('agt_8')
    expect(await mean(T, T + 20 * MINUTE)).toBe(8)
    expect(await mean(T + 20 * MINUTE, now)).toBe(0)
    expect(await mean(T + 10 * MINUTE, T + 30 * MINUTE)).toBe(4)
  })

  it('leave out who told nothing in that time', async () => {
    await run(T, T + 10 * MINUTE, { of: ['agt_1'] })
    await run(T + 10 * MINUTE, T + 20 * MINUTE, { of: ['agt_2'] })
    expect([...(await evidence().means('refused', ['agt_1', 'agt_2'], T + 11 * MINUTE, now)).keys()]).toEqual(['agt_2'])
    expect((await evidence().means('refused', ['agt_1'], now, now)).size).toBe(0)
    expect((await evidence().means('refused', [], T, now)).size).toBe(0)
  })

  it('reach into the past by coarser steps', async () => {
    await run(T, T + DAY + 3 * HOUR, { of: ['agt_5'], every: MINUTE })
    const mean = async (from: number, to: number) => (await evidence().means('throughput', ['agt_5'], from, to)).get('agt_5')
    expect(await mean(T, T + DAY)).toBe(5)
    expect(await mean(now - 5 * HOUR, now)).toBe(5)
    now += 30 * DAY
    expect(await mean(T + 3 * HOUR, T + 4 * HOUR)).toBe(5)
  })
})

describe('series', () => {
  it('are the means of each set at each step', async () => {
    await run(T, T + 30 * MINUTE, { changeMs: T + 20 * MINUTE, of: agents.slice(0, 20) })
    const sets = [agents.slice(0, 4), agents.slice(10, 20), []]
    const { intervalSeconds, points } = await evidence().series('throughput', sets, T + 10 * MINUTE, T + 30 * MINUTE)
    expect(intervalSeconds).toBe(10)
    expect(points).toHaveLength(120)
    expect(points[0]).toEqual({
      atMs: T + 10 * MINUTE,
      values: [
        { mean: 1.5, agents: 4 },
        { mean: 14.5, agents: 10 },
        { mean: null, agents: 0 },
      ],
    })
    expect(points[60]?.values[1]).toEqual({ mean: 0, agents: 10 })
  })

  it('of days have few points', async () => {
    await run(T, T + 2 * HOUR, { of: ['agt_3'], every: MINUTE })
    const { intervalSeconds, points } = await evidence().series('throughput', [['agt_3']], T - 7 * DAY, now)
    expect(intervalSeconds).toBe(3600)
    expect(points.filter(({ values }) => values[0]?.mean === 3)).toHaveLength(2)
  })
})

describe('the fleet', () => {
  it('is the sum of rates and the mean of the rest', async () => {
    const sums = new FleetSums(test.store)
    for (let at = T; at < T + 20 * MINUTE; at += 10_000) {
      for (const agent of agents.slice(0, 11))
        put(test.store, agent, at, { sent: Number(agent.slice(4)), cpu: Number(agent.slice(4)) / 4, 'sent@exporter x': 1000 })
      sums.tick(at)
      await test.store.tick(at)
    }
    now = T + 20 * MINUTE
    const { intervalSeconds, series } = await readRange(test.store, now, FLEET, '6h')
    expect(intervalSeconds).toBe(60)
    expect(series.map(({ metric, component, unit }) => [metric, component, unit])).toEqual([
      ['sent', null, 'items/s'],
      ['cpu', null, 'cores'],
    ])
    const told = (series[0]?.points ?? []).filter(([, value]) => value !== null)
    expect(told).toEqual(Array.from({ length: 18 }, (_, at) => [T + at * MINUTE, 55]))
    expect(series[1]?.points.find(([at]) => at === T)).toEqual([T, 1.25])
    expect((await evidence().means('throughput', [FLEET], T, T + 15 * MINUTE)).get(FLEET)).toBe(55)
  })

  it('goes on where it was after a restart', async () => {
    for (let at = T; at < T + 3 * MINUTE; at += 10_000) put(test.store, 'agt_1', at, { sent: 4 })
    new FleetSums(test.store).tick(T + 2 * MINUTE + 5_000)
    new FleetSums(test.store).tick(T + 4 * MINUTE + 5_000)
    const { series } = await readRange(test.store, T + 4 * MINUTE, FLEET, '1h')
    expect(series[0]?.points.filter(([, value]) => value === 4)).toHaveLength(18)
  })
})

describe('a range', () => {
  it('has the points of an agent and its components up to now, and null where there is none', async () => {
    for (let at = T; at < T + 10 * MINUTE; at += 10_000)
      put(test.store, 'agt_a', at, { sent: 3, queueUse: at % MINUTE === 0 ? 1 : 0, 'sent@exporter x': 1.2345678, 'queueUse@exporter x': 0 })
    now = T + 10 * MINUTE - 10_000
    const { intervalSeconds, series } = await readRange(test.store, now, 'agt_a', '1h')
    expect(intervalSeconds).toBe(10)
    expect(series.map(({ metric, component, points }) => [metric, component, points.length])).toEqual([
      ['sent', null, 360],
      ['queueUse', null, 360],
      ['sent', 'exporter x', 360],
      ['queueUse', 'exporter x', 360],
    ])
    expect(series[0]?.points.at(-1)).toEqual([now, 3])
    expect(series[0]?.points[0]?.[1]).toBeNull()
    expect(series[2]?.points.at(-1)?.[1]).toBe(1.234)
    const day = await readRange(test.store, now, 'agt_a', '24h')
    const use = day.series.find(({ metric, component }) => metric === 'queueUse' && component === null)
    expect([use?.points.at(-1)?.[1], use?.highest?.at(-1)?.[1]]).toEqual([0.1667, 1])
  })

  it.each(['1h', '6h', '24h', '7d', '30d', '90d'] as const)('of %s is empty for an agent that told nothing', async (range) => {
    expect((await readRange(test.store, now, 'agt_a', range)).series).toEqual([])
  })
})
