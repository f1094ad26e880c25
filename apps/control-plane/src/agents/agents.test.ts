/** The agents part from end to end: scripted agents, real OpAMP, real SQLite. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { agentRoutes } from '@drover/api'
import { agentTraits, createRandom } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { BAD, GOOD, TestFleet } from './test-fleet.ts'

const APPLY_MS = 6_000

async function detail(fleet: TestFleet, index: number) {
  return (await fleet.call(agentRoutes.getAgent, { params: { agentId: agentTraits(index).uid } })).data
}

async function attempts(fleet: TestFleet, index: number) {
  const { data } = await fleet.call(agentRoutes.listAgentAttempts, { params: { agentId: agentTraits(index).uid } })
  return data.items.map(({ state, reason }) => `${reason} ${state}`)
}

describe('an agent that connects', () => {
  it('is enrolled with what it says of itself, its health tree and all its components', async () => {
    await using fleet = await TestFleet.open()
    await fleet.connected(1)
    const agent = await detail(fleet, 1)
    expect(agent).toMatchObject({
      name: agentTraits(1).nonIdentifying['host.name'],
      connected: true,
      stale: false,
      healthy: true,
      configState: 'unmanaged',
      transport: 'in-process',
    })
    expect(agent.id).toMatch(/^agt_/)
    expect(agent.health?.children.map((child) => child.name)).toContain('extensions')
    expect(agent.components).toMatchObject({ complete: true })
    expect(agent.components?.items).toContainEqual(expect.objectContaining({ kind: 'receiver', type: 'otlp' }))
    expect(fleet.agents.counts()).toMatchObject({ total: 1, connected: 1, healthy: 1, unmanaged: 1 })
    expect(fleet.agents.connectedByPrincipal().get('token-1')).toBe(1)
    expect((await fleet.events()).map((event) => event.kind)).toEqual(['agent.enrolled'])
  })

  it('is turned away when as many agents are known as may be, while those go on', async () => {
    await using fleet = await TestFleet.open()
    fleet.maxAgents = 2
    await fleet.stop()
    await fleet.start()
    await fleet.connected(1)
    await fleet.connected(2)
    const errors: string[] = []
    await fleet.connected(3, { onMessage: (message) => message.errorResponse !== undefined && errors.push(message.errorResponse.errorMessage) })
    expect(new Set(errors)).toEqual(new Set(['the report could not be taken in']))
    expect(fleet.agents.counts()).toMatchObject({ total: 2, connected: 2 })
    await fleet.call(agentRoutes.forgetAgent, { params: { agentId: (await detail(fleet, 1)).id } })
    await fleet.connected(4)
    expect(await detail(fleet, 4)).toMatchObject({ connected: true })
  })

  it('is asked for its components once per build', async () => {
    await using fleet = await TestFleet.open()
    const asked: number[] = []
    for (const index of [1, 2, 3]) {
      const traits = { ...agentTraits(index), components: agentTraits(1).components }
      await fleet.connected(index, { traits, onMessage: (message) => Number(message.flags) === 2 && asked.push(index) })
    }
    expect(asked).toEqual([1])
    expect((await detail(fleet, 3)).components).toMatchObject({ complete: true })
  })

  it('keeps its record over reconnects, and is counted as disconnected in between', async () => {
    await using fleet = await TestFleet.open()
    const agent = await fleet.connected(1)
    const { id } = await detail(fleet, 1)
    agent.stop()
    await fleet.clock.advanceAsync(100)
    expect(fleet.agents.counts()).toMatchObject({ total: 1, connected: 0 })
    expect(await detail(fleet, 1)).toMatchObject({ id, connected: false, connection: null })
    agent.start()
    await fleet.clock.advanceAsync(100)
    expect(await detail(fleet, 1)).toMatchObject({ id, connected: true })
    expect((await fleet.events('agent')).map((event) => event.kind)).toEqual(['agent.enrolled', 'agent.disconnected', 'agent.connected'])
  })

  it('costs no store operation with an unchanged heartbeat', async () => {
    await using fleet = await TestFleet.open()
    await fleet.connected(1)
    await fleet.connected(2)
    await fleet.clock.advanceAsync(60_000)
    const before = { ...fleet.operations }
    const received = fleet.clock.now()
    await fleet.clock.advanceAsync(600_000)
    expect(fleet.operations).toEqual(before)
    const lastSeen = Date.parse((await detail(fleet, 1)).lastSeenAt ?? '')
    expect(lastSeen).toBeGreaterThan(received + 500_000)
  })

  it('is stale when nothing is heard of it for two and a half heartbeats, and fresh again afterwards', async () => {
    await using fleet = await TestFleet.open()
    const agent = await fleet.connected(1, { heartbeatMs: 0 })
    agent.kill()
    await fleet.clock.advanceAsync(73_000)
    expect(fleet.agents.counts()).toMatchObject({ stale: 0 })
    await fleet.clock.advanceAsync(5_000)
    expect(fleet.agents.counts()).toMatchObject({ stale: 1 })
    agent.start()
    await fleet.clock.advanceAsync(10_000)
    expect(fleet.agents.counts()).toMatchObject({ stale: 0, connected: 1 })
  })
})

describe('an effective configuration', () => {
  it('that a crash kept from the store is taken in again when the agent returns', async () => {
    await using fleet = await TestFleet.open()
    const agent = await fleet.connected(1)
    const before = (await detail(fleet, 1)).effectiveConfigHash
    expect(before).not.toBeNull()
    // The agent is written before what it speaks of, so a crash in between leaves this.
    await fleet.store.transaction((tx) => tx.deleteFrom('blobs').execute())
    agent.kill()
    await fleet.stop()
    await fleet.start()
    agent.start()
    await fleet.clock.advanceAsync(1000)
    const { data } = await fleet.call(agentRoutes.getEffectiveConfig, { params: { agentId: agentTraits(1).uid } })
    expect(data.hash).toBe(before)
    expect(data.files[0]?.body).toContain('receivers')
  })
})

describe('a configuration', () => {
  it('goes to the members of its group at once, and is applied', async () => {
    await using fleet = await TestFleet.open()
    const agent = await fleet.connected(1)
    fleet.config('base@1', GOOD)
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    expect(agent.tally.offers).toHaveLength(1)
    expect(fleet.agents.counts()).toMatchObject({ applying: 1 })
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(await detail(fleet, 1)).toMatchObject({
      configState: 'applied',
      groups: ['all'],
      remoteConfigStatus: { status: 'applied', hash: agent.tally.offers[0] },
    })
    expect(await attempts(fleet, 1)).toEqual(['desired applied'])
    expect(fleet.agents.countsByGroup().get('all')).toMatchObject({ total: 1, applied: 1 })
    const { data } = await fleet.call(agentRoutes.getDesiredConfig, { params: { agentId: agentTraits(1).uid } })
    expect(data).toMatchObject({
      state: 'applied',
      hash: agent.tally.offers[0],
      drift: [],
      heldBack: null,
      fragments: [{ group: 'all', config: 'base', version: 1 }],
    })
  })

  it('goes to an agent that connects later, with its first answer', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    const agent = await fleet.connected(1)
    expect(agent.tally.offers).toHaveLength(1)
  })

  it('waits for an agent that is away', async () => {
    await using fleet = await TestFleet.open()
    const agent = await fleet.connected(1)
    agent.stop()
    await fleet.clock.advanceAsync(100)
    fleet.config('base@1', GOOD)
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    expect(await detail(fleet, 1)).toMatchObject({ configState: 'pending' })
    agent.start()
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(await detail(fleet, 1)).toMatchObject({ configState: 'applied' })
  })

  it('that the agent refuses is recorded in its words, and the last good one goes back at once', async () => {
    await using fleet = await TestFleet.open()
    const agent = await fleet.connected(1)
    fleet.config('base@1', GOOD)
    fleet.config('base@2', BAD)
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    await fleet.clock.advanceAsync(APPLY_MS)
    await fleet.setGroups({ name: 'all', revision: 2, configs: ['base@2'] })
    await fleet.clock.advanceAsync(100)
    expect(agent.tally.offers).toHaveLength(3)
    expect(agent.tally.offers[2]).toBe(agent.tally.offers[0])
    await fleet.clock.advanceAsync(APPLY_MS)
    const state = await detail(fleet, 1)
    expect(state).toMatchObject({ configState: 'restored', healthy: true, lastGoodConfigHash: agent.tally.offers[0], desiredConfigHash: agent.tally.offers[1] })
    expect(state.configError).toContain('exit code 1')
    expect(await attempts(fleet, 1)).toEqual(['restore applied', 'desired rolledBack', 'desired applied'])
    expect((await fleet.events('attempt')).map((event) => event.kind.slice(8))).toEqual([
      'offered',
      'applying',
      'applied',
      'offered',
      'applying',
      'failed',
      'offered',
      'applying',
      'applied',
      'restored',
    ])
  })

  it('that the agent refused as its very first is replaced by one that does nothing', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', BAD)
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    const agent = await fleet.connected(1)
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(agent.tally.offers).toHaveLength(2)
    expect(agent.healthy).toBe(true)
    expect(await detail(fleet, 1)).toMatchObject({ configState: 'restored' })
  })

  it('that was refused is not offered again, neither on a new connection nor after a restart of the server, until a person asks', async () => {
    await using fleet = await TestFleet.open()
    const agent = await fleet.connected(1)
    fleet.config('base@1', GOOD)
    fleet.config('base@2', BAD)
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    await fleet.clock.advanceAsync(APPLY_MS)
    await fleet.setGroups({ name: 'all', configs: ['base@2'] })
    await fleet.clock.advanceAsync(APPLY_MS)
    agent.stop()
    await fleet.clock.advanceAsync(100)
    await fleet.stop()
    await fleet.start()
    agent.start()
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(agent.tally.offers).toHaveLength(3)
    expect(await detail(fleet, 1)).toMatchObject({ configState: 'restored' })

    const { data } = await fleet.call(agentRoutes.retryAgent, { params: { agentId: agentTraits(1).uid } })
    expect(data.hash).toBe(agent.tally.offers[1])
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(agent.tally.offers.slice(3)).toEqual([agent.tally.offers[1], agent.tally.offers[0]])
    await expect(fleet.call(agentRoutes.retryAgent, { params: { agentId: agentTraits(1).uid } })).resolves.toBeDefined()
  })

  it('times out when the agent does not say what became of it', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    const agent = await fleet.connected(1, { times: { applyMs: 10_000_000 } })
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    await fleet.clock.advanceAsync(119_000)
    expect(await detail(fleet, 1)).toMatchObject({ configState: 'applying' })
    await fleet.clock.advanceAsync(2_000)
    expect(await detail(fleet, 1)).toMatchObject({ configState: 'timedOut' })
    expect(await attempts(fleet, 1)).toEqual(['desired timedOut'])
    expect(agent.tally.offers).toHaveLength(1)
  })

  it('of two groups is merged in the order of their priorities', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    fleet.config('edge@1', 'exporters:\n  debug:\n    verbosity: detailed\n')
    const agent = await fleet.connected(1)
    await fleet.setGroups(
      { name: 'all', priority: 0, configs: ['base@1'] },
      { name: 'a-edge', priority: 10, selector: `host.name = ${agentTraits(1).nonIdentifying['host.name']}`, configs: ['edge@1'] },
    )
    await fleet.clock.advanceAsync(APPLY_MS)
    const { data } = await fleet.call(agentRoutes.getEffectiveConfig, { params: { agentId: agentTraits(1).uid } })
    expect(data.files[0]?.body).toContain('verbosity: detailed')
    expect((await detail(fleet, 1)).groups).toEqual(['all', 'a-edge'])
    expect(agent.tally.offers).toHaveLength(1)
  })

  it('follows labels that a person sets, and the edit count guards against lost changes', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    const agent = await fleet.connected(1)
    await fleet.setGroups({ name: 'ber', selector: 'label.site = ber', configs: ['base@1'] })
    expect(agent.tally.offers).toHaveLength(0)
    const params = { agentId: agentTraits(1).uid }
    const { etag = '' } = await fleet.call(agentRoutes.getAgent, { params })
    const labelled = await fleet.call(agentRoutes.setLabels, { params, body: { labels: { site: 'ber' } }, ifMatch: etag })
    expect(labelled.data.labels).toEqual({ site: 'ber' })
    await fleet.clock.advanceAsync(100)
    expect(agent.tally.offers).toHaveLength(1)
    await expect(fleet.call(agentRoutes.setLabels, { params, body: { labels: {} }, ifMatch: etag })).rejects.toMatchObject({ name: 'VersionConflictError' })
  })

  it('is not sent twice when the server is stopped and started again', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    const agents = await Promise.all([1, 2, 3].map((index) => fleet.connected(index)))
    await fleet.clock.advanceAsync(APPLY_MS)
    await fleet.stop()
    await fleet.start()
    expect(fleet.agents.counts()).toMatchObject({ total: 3, connected: 0, applied: 3 })
    await fleet.clock.advanceAsync(60_000)
    expect(fleet.agents.counts()).toMatchObject({ total: 3, connected: 3, applied: 3 })
    for (const agent of agents) {
      expect(agent.tally.offers).toHaveLength(1)
      expect(agent.tally.connects).toBe(2)
    }
  })
})

describe('what people do', () => {
  it('restarts an agent that is connected, and refuses in words when it is not', async () => {
    await using fleet = await TestFleet.open()
    const agent = await fleet.connected(1)
    const params = { agentId: agentTraits(1).uid }
    expect((await fleet.call(agentRoutes.restartAgent, { params })).data).toEqual({ delivery: 'sent' })
    await fleet.clock.advanceAsync(100)
    expect(agent.tally.restarts).toBe(1)
    agent.stop()
    await fleet.clock.advanceAsync(100)
    await expect(fleet.call(agentRoutes.restartAgent, { params })).rejects.toMatchObject({ code: 'not-connected' })
  })

  it('forgets an agent, which comes back as a new one', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    await fleet.connected(1)
    await fleet.clock.advanceAsync(APPLY_MS)
    const { id } = await detail(fleet, 1)
    await fleet.call(agentRoutes.forgetAgent, { params: { agentId: id } })
    expect(fleet.agents.counts()).toMatchObject({ total: 0, connected: 0 })
    await fleet.clock.advanceAsync(5_000)
    const back = await detail(fleet, 1)
    expect(back.id).not.toBe(id)
    expect(back).toMatchObject({ connected: true, configState: 'applied' })
    expect(back.identifyingAttributes['service.name']).toBeDefined()
  })

  it('cuts off the agents of a revoked token', async () => {
    await using fleet = await TestFleet.open()
    await fleet.connected(1)
    await fleet.connected(2)
    expect(fleet.server.disconnectPrincipal('token-1', 'revoked')).toBe(2)
    await fleet.clock.advanceAsync(10)
    expect(fleet.agents.counts()).toMatchObject({ total: 2, connected: 0 })
    expect(fleet.agents.connectedByPrincipal().size).toBe(0)
  })
})

describe('identity', () => {
  it('gives the second of two live agents with one uid a new one, and keeps both', async () => {
    await using fleet = await TestFleet.open()
    await fleet.connected(1)
    const twin = await fleet.connected(1, { random: createRandom(99) })
    await fleet.clock.advanceAsync(10_000)
    expect(twin.uid).not.toBe(agentTraits(1).uid)
    expect(fleet.agents.counts()).toMatchObject({ total: 2, connected: 2 })
    expect((await fleet.events('agent')).map((event) => event.kind)).toContain('agent.duplicate')
  })
})

describe('secrets in reports', () => {
  it('are nowhere in the data folder', async () => {
    await using fleet = await TestFleet.open()
    const canary = 'c4n4ry-S3cr3t-9f2b7d'
    fleet.config('base@1', `${GOOD}extensions:\n  basicauth:\n    client_auth:\n      username: u\n      password: ${canary}\n`)
    const base = agentTraits(1)
    const traits = { ...base, nonIdentifying: { ...base.nonIdentifying, 'db.password': canary, 'proxy.url': `http://user:${canary}@proxy:3128` } }
    // The configuration itself is what a person wrote, and kept as written; here it stands outside of the store.
    const agent = await fleet.connected(1, {
      traits,
      memory: { hash: new Uint8Array([1]), status: 1, errorMessage: `bad: password=${canary}`, config: fleet.configs.get('base@1')?.[0]?.body },
    })
    agent.setHealth(false, `dial https://u:${canary}@host: refused`)
    await fleet.clock.advanceAsync(10_000)
    const { data } = await fleet.call(agentRoutes.getEffectiveConfig, { params: { agentId: base.uid } })
    expect(data.files[0]?.body).toContain('basicauth')
    const shown = JSON.stringify([data, await detail(fleet, 1), await fleet.events()])
    expect(shown).not.toContain(canary)
    for (const file of readdirSync(fleet.dir)) expect(readFileSync(join(fleet.dir, file)).includes(canary)).toBe(false)
  })
})

describe('real sockets', () => {
  it('serve the same agent over a WebSocket and over plain HTTP', async () => {
    await using fleet = await TestFleet.open()
    const listener = await fleet.listen()
    fleet.config('base@1', GOOD)
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    for (const [index, openLink] of [
      [1, listener.webSocket],
      [2, listener.http],
    ] as const) {
      const applying = Promise.withResolvers<void>()
      const agent = fleet.agent(index, { openLink, times: { startMs: 0 }, onMessage: (message) => message.remoteConfig !== undefined && applying.resolve() })
      agent.start()
      await applying.promise
      agent.kill()
    }
    listener.close()
    const { data } = await fleet.call(agentRoutes.listAgents, { query: {} })
    expect(data.items.map((agent) => agent.transport).toSorted()).toEqual(['http', 'websocket'])
  })
})
