/** Lists of agents: pages that stay in order while the fleet moves, filters, totals, and time. */
import { agentTraits } from '@drover/testing'
import { emptyLedger, parseSelector } from '@drover/fleet'
import { parseInstanceUid } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { listAgents } from './agent-list.ts'
import type { AgentSort, ListRequest } from './agent-list.ts'
import type { AgentRecord } from './agent-record.ts'
import { packAttributes } from './attributes.ts'
import { count, emptyCounts } from './counts.ts'
import { newAgent } from './load.ts'
import { Registry } from './registry.ts'

const lastSeen = (record: AgentRecord) => record.lastSeenAt

function add(registry: Registry, index: number): AgentRecord {
  const traits = agentTraits(index)
  const record = newAgent(traits.uid, 1_000_000 + ((index * 7919) % 1000))
  registry.add(record)
  registry.setAttributes(
    record,
    packAttributes(
      Object.entries({ ...traits.nonIdentifying, ...traits.identifying }).map(([key, value]) => [key, String(value)]),
      registry.texts,
    ),
  )
  record.lastSeenAt = 2_000_000 + ((index * 104_729) % 1000)
  registry.change(record, () => {
    record.healthy = index % 7 === 0 ? false : index % 7 === 1 ? null : true
    record.configState = index % 5 === 0 ? 'failed' : index % 5 === 1 ? 'unmanaged' : 'applied'
    record.stale = index % 11 === 0
  })
  return record
}

function fleetOf(size: number): Registry {
  const registry = new Registry()
  for (let index = 0; index < size; index++) add(registry, index)
  return registry
}

async function walk(registry: Registry, request: Omit<ListRequest, 'cursor' | 'limit'>, between: (page: number) => void = () => {}) {
  const seen: AgentRecord[] = []
  let cursor: string | null | undefined
  for (let page = 0; cursor !== null; page++) {
    const answer = await listAgents(registry, lastSeen, { ...request, limit: 17, ...(cursor === undefined ? {} : { cursor }) })
    seen.push(...answer.records)
    cursor = answer.nextCursor
    between(page)
  }
  return seen
}

describe('listAgents', () => {
  it.each<AgentSort>(['name', '-name', 'firstSeenAt', '-firstSeenAt', 'lastSeenAt', '-lastSeenAt'])('walks all agents once in the order %s', async (sort) => {
    const registry = fleetOf(300)
    const seen = await walk(registry, { sort })
    expect(new Set(seen).size).toBe(300)
    const key = (record: AgentRecord) => (sort.endsWith('name') ? record.name : sort.endsWith('firstSeenAt') ? record.firstSeenAt : (record.lastSeenAt ?? 0))
    const inOrder = seen.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.id < b.id ? -1 : 1))
    expect(seen).toEqual(sort.startsWith('-') ? inOrder.toReversed() : inOrder)
  })

  it('shows every agent that stays exactly once while others come and go between pages', async () => {
    const registry = fleetOf(300)
    const staying = [...registry.all()].filter((_, index) => index % 3 !== 0)
    const going = [...registry.all()].filter((_, index) => index % 3 === 0)
    let next = 300
    const seen = await walk(registry, { sort: 'name' }, () => {
      for (const record of going.splice(0, 5)) registry.remove(record)
      for (let i = 0; i < 3; i++) add(registry, next++)
    })
    expect(new Set(seen).size).toBe(seen.length)
    for (const record of staying) expect(seen).toContain(record)
  })

  it('gives totals that agree with what a walk finds, for each way of choosing', async () => {
    const registry = fleetOf(300)
    const choices: Omit<ListRequest, 'cursor' | 'limit' | 'sort'>[] = [
      {},
      { state: 'failed' },
      { state: 'disconnected' },
      { search: 'EDGE' },
      { filter: parseSelector('cloud.region = eu-west-1 and host.name =~ "web-.*"') },
      { filter: parseSelector('drover.healthy = false'), state: 'applied' },
      { filter: parseSelector('drover.group != web') },
      { search: agentTraits(5).uid },
    ]
    for (const choice of choices) {
      const seen = await walk(registry, { sort: 'name', ...choice })
      const first = await listAgents(registry, lastSeen, { sort: 'name', limit: 10, ...choice })
      expect(first.total).toBe(seen.length)
      const { total } = await listAgents(registry, lastSeen, {
        sort: 'name',
        limit: 10,
        ...choice,
        ...(first.nextCursor === null ? {} : { cursor: first.nextCursor }),
      })
      expect(total).toBe(seen.length)
    }
    expect(await walk(registry, { sort: 'name', search: agentTraits(5).uid })).toHaveLength(1)
  })

  it('finds an agent in each of its groups', async () => {
    const registry = fleetOf(3)
    const [record] = registry.all()
    if (record === undefined) throw new Error('test data')
    registry.change(record, () => (record.assignment = { key: 'k', groups: ['all', 'web'], given: [], refs: [], skipped: [], back: [] }))
    const total = async (filter: string) => (await listAgents(registry, lastSeen, { sort: 'name', limit: 10, filter: parseSelector(filter) })).total
    expect([
      await total('drover.group = web'),
      await total('drover.group = all'),
      await total('drover.group != web'),
      await total('drover.group in (x, web)'),
      await total('exists(drover.group)'),
    ]).toEqual([1, 1, 2, 1, 1])
  })

  it.each<AgentSort>(['name', '-name', 'firstSeenAt', '-lastSeenAt'])(
    'lets others have their turn while it looks, and misses nobody who stays: %s',
    async (sort) => {
      const registry = fleetOf(5000)
      const staying = new Set([...registry.all()].filter((_, index) => index % 3 !== 0))
      const going = [...registry.all()].filter((_, index) => index % 3 === 0)
      let turns = 0
      let next = 5000
      let looking = true
      const turn = () => {
        turns += 1
        for (const record of going.splice(0, 100)) registry.remove(record)
        for (let i = 0; i < 50; i++) add(registry, next++)
        if (looking) setImmediate(turn)
      }
      setImmediate(turn)
      const { records } = await listAgents(registry, lastSeen, { sort, limit: 10_000, filter: parseSelector('service.name =~ ".*"') })
      looking = false
      expect(turns).toBeGreaterThanOrEqual(4)
      expect(new Set(records).size).toBe(records.length)
      for (const record of records) staying.delete(record)
      expect(staying.size).toBe(0)
    },
  )

  it('refuses a cursor that is not one of its own, or of another order', async () => {
    const registry = fleetOf(30)
    const cursor = (await listAgents(registry, lastSeen, { sort: 'name', limit: 5 })).nextCursor ?? ''
    await expect(listAgents(registry, lastSeen, { sort: '-name', limit: 5, cursor })).rejects.toThrow(/order/)
    await expect(listAgents(registry, lastSeen, { sort: 'name', limit: 5, cursor: 'nonsense' })).rejects.toThrow(/cursor/)
  })
})

describe('Registry', () => {
  it('has counts that equal a full recount after any changes', () => {
    const registry = fleetOf(200)
    const records = [...registry.all()]
    for (const [index, record] of records.entries()) {
      if (index % 4 === 0)
        registry.change(
          record,
          () => (record.connection = { id: index, transport: 'websocket', principal: `p${index % 3}`, remoteAddress: '', connectedAt: 0 }),
        )
      if (index % 6 === 0)
        registry.change(record, () => (record.assignment = { key: '', groups: [`g${index % 2}`], given: [], refs: [], skipped: [], back: [] }))
      if (index % 9 === 0) registry.remove(record)
      if (index % 8 === 0) registry.change(record, () => (record.healthy = true))
    }
    const recount = emptyCounts()
    const byGroup = new Map<string, number>()
    const byPrincipal = new Map<string, number>()
    for (const record of registry.all()) {
      count(recount, { ...record, connected: record.connection !== undefined }, 1)
      for (const group of record.assignment?.groups ?? []) byGroup.set(group, (byGroup.get(group) ?? 0) + 1)
      if (record.connection !== undefined) byPrincipal.set(record.connection.principal, (byPrincipal.get(record.connection.principal) ?? 0) + 1)
    }
    expect(registry.counts()).toEqual(recount)
    expect(new Map([...registry.countsByGroup()].map(([group, counts]) => [group, counts.total]))).toEqual(byGroup)
    expect(registry.connectedByPrincipal()).toEqual(byPrincipal)
  })

  it('knows the keys and values that agents have, and forgets them with the agents', () => {
    const registry = fleetOf(50)
    const region = registry.catalogue.entries().find((entry) => entry.key === 'cloud.region')
    expect(region).toMatchObject({ agents: 50 })
    for (const record of registry.all()) registry.remove(record)
    expect(registry.catalogue.entries()).toEqual([])
  })

  it('keeps the record under its new uid and finds it by either name', () => {
    const registry = fleetOf(2)
    const [record] = registry.all()
    if (record === undefined) throw new Error('test data')
    const before = record.uid
    const uid = parseInstanceUid('01890a5d-ac96-774b-bcce-b302099a8057')
    registry.rename(record, uid)
    expect(registry.byUid(uid)).toBe(record)
    expect(registry.byUid(before)).toBeUndefined()
    expect(registry.find(uid.toUpperCase())).toBe(record)
    expect(record.previousUids).toEqual([before])
    expect(record.ledger).toBe(emptyLedger)
  })
})
