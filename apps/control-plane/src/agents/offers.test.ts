/** What is offered when: durability, agents that say little, renaming, previews. */
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { agentRoutes } from '@drover/api'
import { parseSelector } from '@drover/fleet'
import {
  AgentToServerSchema,
  agentCapabilities,
  decodeFrame,
  decodeServerToAgent,
  encodeAgentToServer,
  encodeFrame,
  instanceUidFromBytes,
  instanceUidToBytes,
} from '@drover/protocol'
import type { ServerToAgent } from '@drover/protocol'
import { agentTraits, describeAgent, stockCapabilities } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { BAD, GOOD, TestFleet } from './test-fleet.ts'

const APPLY_MS = 6_000
const params = (index: number) => ({ agentId: agentTraits(index).uid })

describe('the history of attempts', () => {
  it('is cut to the newest hundred of an agent, and to what the rules still need', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('bad@1', BAD)
    await fleet.setGroups({ name: 'all', configs: ['bad@1'] })
    const agent = await fleet.connected(1)
    await fleet.clock.advanceAsync(10_000)
    const failed = agent.tally.offers[0]
    for (let version = 1; version <= 130; version++) {
      fleet.config(`good@${version}`, `# ${version}\n${GOOD}`)
      await fleet.setGroups({ name: 'all', revision: version + 1, configs: [`good@${version}`] })
      await fleet.clock.advanceAsync(1000) // agents may not say more at once
    }
    await fleet.clock.advanceAsync(10_000)
    // Each hash was offered once, so the rules need every one: pruning must not make the server forget.
    const count = async () => (await fleet.store.read.selectFrom('attempts').select('seq').execute()).length
    const all = await count()
    expect(all).toBeGreaterThan(130)
    await fleet.agents.prune()
    expect(await count()).toBe(all)
    for (let time = 0; time < 60; time++) {
      await fleet.setGroups({ name: 'all', revision: 1000 + time, configs: [`good@${1 + (time % 2)}`] })
      await fleet.clock.advanceAsync(1000)
    }
    await fleet.clock.advanceAsync(10_000)
    const grown = await count()
    await fleet.agents.prune()
    const left = await fleet.store.read.selectFrom('attempts').select(['seq', 'hash', 'state']).orderBy('seq').execute()
    expect(left.length).toBeLessThan(grown)
    expect(left.slice(-100).map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, i) => (left.at(-1)?.seq ?? 0) - 99 + i))
    expect(left.some(({ hash, state }) => hash === failed && (state === 'failed' || state === 'rolledBack'))).toBe(true)
  })
})

describe('an offer that could not be written in time', () => {
  it('is sent once it is written, although the server no longer waits for the answer to the report', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    const disk = Promise.withResolvers<void>()
    fleet.diskHeld = disk.promise
    const agent = await fleet.connected(1)
    await fleet.clock.advanceAsync(25_000)
    expect(agent.tally).toMatchObject({ offers: [], errors: [expect.stringContaining('could not be taken in')] })
    fleet.diskHeld = undefined
    disk.resolve()
    await fleet.clock.advanceAsync(60_000)
    expect(agent.tally.offers).toHaveLength(1)
    expect((await fleet.call(agentRoutes.getAgent, { params: params(1) })).data.configState).toBe('applied')
  })
})

describe('configurations that were offered', () => {
  it('are let go when no attempt speaks of them any more', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    const agent = await fleet.connected(1)
    await fleet.clock.advanceAsync(APPLY_MS)
    agent.stop()
    const hashes = async () => (await fleet.store.read.selectFrom('rendered_configs').select('hash').execute()).map(({ hash }) => hash)
    const [row] = await fleet.store.read.selectFrom('rendered_configs').selectAll().execute()
    if (row === undefined) throw new Error('nothing was kept')
    await fleet.store.transaction((tx) =>
      tx
        .insertInto('rendered_configs')
        .values({ ...row, hash: 'aa' })
        .execute(),
    )
    await fleet.agents.prune()
    expect(await hashes()).toHaveLength(2)
    await fleet.stop()
    await fleet.clock.advanceAsync(25 * 3600 * 1000)
    await fleet.start()
    await fleet.agents.prune()
    expect(await hashes()).toEqual([agent.tally.offers[0]])
  })
})

describe('durability', () => {
  it('has a failure on disk before the last good configuration goes back', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    fleet.config('base@2', BAD)
    const onDisk: unknown[] = []
    const agent = await fleet.connected(1, {
      onMessage: (message) => {
        if (message.remoteConfig === undefined || agent.tally.offers.length < 3) return
        using database = new DatabaseSync(join(fleet.dir, 'drover.sqlite'), { readOnly: true })
        onDisk.push(...database.prepare('select state, error_message from attempts order by id').all())
      },
    })
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    await fleet.clock.advanceAsync(APPLY_MS)
    await fleet.setGroups({ name: 'all', configs: ['base@2'] })
    await fleet.clock.advanceAsync(100)
    expect(onDisk).toHaveLength(3)
    expect(onDisk[1]).toMatchObject({ state: 'failed', error_message: expect.stringContaining('exit code 1') })
  })

  it('tells agents to come back while the disk is full, and offers once it is not', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    fleet.diskFull = true
    const agent = await fleet.connected(1)
    expect(agent.tally.offers).toHaveLength(0)
    expect(agent.tally.errors.length).toBeGreaterThan(0)
    fleet.diskFull = false
    await fleet.clock.advanceAsync(120_000)
    expect(agent.tally.offers).toHaveLength(1)
    expect((await fleet.call(agentRoutes.getAgent, { params: params(1) })).data).toMatchObject({ configState: 'applied' })
  })

  it('carries out a change of groups that came while the disk was full', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    const agent = await fleet.connected(1)
    fleet.diskFull = true
    const saved = fleet.setGroups({ name: 'all', configs: ['base@1'] })
    await fleet.clock.advanceAsync(10)
    expect(agent.tally.offers).toHaveLength(0)
    fleet.diskFull = false
    await saved
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(agent.tally.offers).toHaveLength(1)
  })
})

describe('a change of groups', () => {
  it('reaches every agent once, and leaves alone whom it does not concern', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    fleet.config('edge@1', GOOD.replace('otlp: {}', 'otlp:\n    protocols: {}'))
    const agents = await Promise.all(Array.from({ length: 150 }, (_, index) => fleet.connected(index)))
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(fleet.agents.counts()).toMatchObject({ total: 150, applied: 150 })
    await fleet.setGroups({ name: 'all', configs: ['base@1'] }, { name: 'edge', priority: 1, selector: 'service.role = edge', configs: ['edge@1'] })
    await fleet.clock.advanceAsync(APPLY_MS)
    const edge = agents.filter((agent) => agent.tally.offers.length === 2)
    expect(edge.length).toBe(fleet.agents.countsByGroup().get('edge')?.total)
    expect(agents.every((agent) => agent.tally.offers.length <= 2)).toBe(true)
    expect(new Set(edge.map((agent) => agent.tally.offers[1])).size).toBe(1)
    expect(fleet.agents.counts()).toMatchObject({ applied: 150 })
  })

  it('takes nothing away from agents that no group selects any more', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    const agent = await fleet.connected(1)
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    await fleet.clock.advanceAsync(APPLY_MS)
    await fleet.setGroups()
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(agent.tally.offers).toHaveLength(1)
    expect(fleet.agents.counts()).toMatchObject({ unmanaged: 1 })
    expect(fleet.agents.countsByGroup().size).toBe(0)
  })

  it('shows beforehand who joins, leaves and changes, and how groups mix', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    fleet.config('edge@1', 'exporters:\n  debug:\n    verbosity: detailed\n')
    fleet.config('edge@2', 'exporters:\n  debug: {}\n')
    for (let index = 0; index < 60; index++) fleet.agent(index).start()
    await fleet.clock.advanceAsync(100)
    await fleet.setGroups({ name: 'all', configs: ['base@1'] }, { name: 'edge', priority: 5, selector: 'service.role = edge', configs: ['edge@1'] })
    const role = (wanted: string) =>
      Array.from({ length: 60 }, (_, index) => agentTraits(index)).filter((traits) => traits.nonIdentifying['service.role'] === wanted).length
    const effect = await fleet.agents.previewDraft({
      name: 'edge',
      selector: parseSelector('service.role = web'),
      priority: 5,
      configs: [{ config: 'edge', version: 2 }],
    })
    expect(effect).toMatchObject({ matching: role('web'), joining: role('web'), leaving: role('edge'), changing: role('web') + role('edge'), notAccepting: 0 })
    expect(effect.combinations).toMatchObject([
      { groups: ['all', 'edge'], agents: role('web'), fragments: [{ config: 'base' }, { config: 'edge', version: 2 }] },
    ])
    expect(effect.sample).toHaveLength(Math.min(10, role('web')))
    // Nothing of it happened.
    expect(fleet.agents.countsByGroup().get('edge')?.total).toBe(role('edge'))
  })

  it('can be checked against what its agents contain', async () => {
    await using fleet = await TestFleet.open()
    for (let index = 0; index < 30; index++) fleet.agent(index).start()
    await fleet.clock.advanceAsync(500)
    const { total, groups } = fleet.agents.componentsOf(parseSelector('*'))
    expect(total).toBe(30)
    expect(groups.reduce((sum, group) => sum + group.agents, 0)).toBe(30)
    const withKafka = groups.filter((group) => group.components.some((component) => component.kind === 'exporter' && component.type === 'kafka'))
    expect(withKafka.map((group) => group.agents)).toEqual([
      Array.from({ length: 30 }, (_, index) => agentTraits(index)).filter((traits) => traits.identifying['service.name'] === 'otelcol-contrib').length,
    ])
  })
})

describe('agents that say little', () => {
  it('that do not accept configurations are offered none', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    const agent = await fleet.connected(1, { capabilities: agentCapabilities(['ReportsStatus', 'ReportsEffectiveConfig', 'ReportsHealth']).mask })
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(agent.tally.offers).toHaveLength(0)
    expect((await fleet.call(agentRoutes.getDesiredConfig, { params: params(1) })).data).toMatchObject({
      state: 'notAccepted',
      reason: expect.stringContaining('does not accept'),
    })
  })

  it('that never report a status are judged by what they run, and not sent the same again', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    const capabilities = stockCapabilities & ~agentCapabilities(['ReportsRemoteConfig']).mask
    const agent = await fleet.connected(1, { capabilities })
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(agent.tally.offers).toHaveLength(1)
    expect((await fleet.call(agentRoutes.getAgent, { params: params(1) })).data).toMatchObject({ configState: 'applied' })
    agent.loseConnection()
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(agent.tally.connects).toBe(2)
    expect(agent.tally.offers).toHaveLength(1)
  })

  it('that report a configuration nobody offered here are not counted as having applied anything', async () => {
    await using fleet = await TestFleet.open()
    await fleet.connected(1, { memory: { hash: new Uint8Array([1, 2, 3]), status: 1, errorMessage: '', config: GOOD } })
    const { data } = await fleet.call(agentRoutes.listAgentAttempts, { params: params(1) })
    expect(data.items).toEqual([])
    expect((await fleet.events('agent.changed')).map((event) => event.summary)).toEqual([expect.stringContaining('did not offer')])
  })
})

describe('an agent that asks for a uid', () => {
  it('gets one and stays the same agent [UID-07] [UID-08] [UID-10]', async () => {
    await using fleet = await TestFleet.open()
    const before = agentTraits(1).uid
    const connection = fleet.server.connectInProcess({ headers: { authorization: 'token-1' } })
    const answers: ServerToAgent[] = []
    connection.onMessage((frame) => answers.push(decodeServerToAgent(decodeFrame(frame))))
    const send = (uid: Uint8Array, sequenceNum: bigint, flags: bigint) =>
      connection.send(
        encodeFrame(
          encodeAgentToServer(
            create(AgentToServerSchema, { instanceUid: uid, sequenceNum, flags, capabilities: 1n, agentDescription: describeAgent(agentTraits(1)) }),
          ),
        ),
      )
    send(instanceUidToBytes(before), 0n, 1n)
    await fleet.clock.advanceAsync(10)
    const bytes = answers[0]?.agentIdentification?.newInstanceUid ?? new Uint8Array()
    const uid = instanceUidFromBytes(bytes)
    expect(uid).not.toBe(before)
    expect(instanceUidFromBytes(answers[0]?.instanceUid ?? new Uint8Array())).toBe(before)
    send(bytes, 1n, 0n)
    await fleet.clock.advanceAsync(10)
    const { data } = await fleet.call(agentRoutes.getAgent, { params: { agentId: uid } })
    expect(data).toMatchObject({ instanceUid: uid, previousInstanceUids: [before], connected: true })
    expect(fleet.agents.counts()).toMatchObject({ total: 1, connected: 1 })
  })
})

describe('health', () => {
  it('is told when it has settled', async () => {
    await using fleet = await TestFleet.open()
    const agent = await fleet.connected(1)
    await fleet.clock.advanceAsync(60_000)
    agent.setHealth(false, 'exporter is down')
    await fleet.clock.advanceAsync(1_000)
    agent.setHealth(true)
    await fleet.clock.advanceAsync(60_000)
    expect(await fleet.events('agent.health')).toEqual([])
    agent.setHealth(false, 'exporter is down')
    await fleet.clock.advanceAsync(5_000)
    expect(await fleet.events('agent.health')).toMatchObject([
      { summary: expect.stringContaining('exporter is down'), data: { healthy: false, flapping: false } },
    ])
  })

  it('that keeps changing is told at most twice a minute', async () => {
    await using fleet = await TestFleet.open()
    const agent = await fleet.connected(1)
    await fleet.clock.advanceAsync(60_000)
    for (let flap = 0; flap < 90; flap++) {
      agent.setHealth(flap % 2 === 1, 'flapping')
      await fleet.clock.advanceAsync(2_000)
    }
    const told = await fleet.events('agent.health')
    expect(told.length).toBeGreaterThanOrEqual(3)
    expect(told.length).toBeLessThanOrEqual(7)
    expect(told.at(-1)?.data).toMatchObject({ flapping: true })
  })
})
