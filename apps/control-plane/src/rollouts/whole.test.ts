/** Rollouts over the real agents part: groups and configurations in a real store, scripted agents that speak OpAMP, time that moves when told. */
import { rmSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mergeFiles, toYaml } from '@drover/agent-config'
import { checkPlan, presets } from '@drover/fleet'
import type { RolloutPlan } from '@drover/fleet'
import { createOpampServer } from '@drover/server'
import { FakeClock, ScriptedAgent, TimerQueue, agentTraits, createRandom, portLink } from '@drover/testing'
import { Registry } from '@prometheus-io/client'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readFailures } from '../agents/attempts.ts'
import { Deadlines } from '../agents/deadlines.ts'
import { createAgents } from '../agents/index.ts'
import type { Agents } from '../agents/index.ts'
import { createDecisions } from '../decisions.ts'
import { openEventLog } from '../events/event-log.ts'
import { createBlobStore } from '../storage/blob-store.ts'
import { openDatabase } from '../storage/database.ts'
import { createSealer } from '../storage/sealer.ts'
import { createStore } from '../storage/store.ts'
import { createRollouts } from './index.ts'

const good = (note: string): string =>
  `# ${note}\nreceivers:\n  otlp: {}\nexporters:\n  debug: {}\nservice:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      exporters: [debug]\n`
const bad = `# drover-demo: fail\n${good('bad')}`
const plan: RolloutPlan = {
  ...presets.standard,
  waves: [
    { kind: 'count', count: 3 },
    { kind: 'percent', percent: 100 },
  ],
  soakMs: 30_000,
  gates: presets.everyone.gates,
  retries: { count: 0, delayMs: 0 },
}

/** One data folder, and the agents around it. */
class Whole {
  readonly clock = new FakeClock()
  readonly timers = new TimerQueue({ clock: this.clock })
  readonly dir = mkdtempSync(join(tmpdir(), 'drover-whole-'))
  readonly agents: ScriptedAgent[] = []
  running: Awaited<ReturnType<Whole['open']>> | undefined

  async start(): Promise<void> {
    this.running = await this.open()
  }

  async open() {
    const store = createStore({ database: openDatabase(join(this.dir, 'drover.sqlite'), { count: () => {} }), log: pino({ level: 'silent' }) })
    const log = pino({ level: 'silent' })
    const events = await openEventLog({ store, clock: this.clock })
    const foundation = {
      store,
      events,
      blobs: createBlobStore(this.clock),
      log,
      clock: this.clock,
      metrics: new Registry(),
      sealer: createSealer('a secret for tests'),
    }
    const decisions = createDecisions(foundation)
    const { groups } = decisions
    const deadlines = new Deadlines(this.clock)
    const rollouts = await createRollouts({
      ...foundation,
      fleet: () => agents.fleet,
      checkPlan,
      judge: async () => ({ verdict: 'pass', text: '', numbers: {} }),
      evidence: { means: async () => new Map(), series: async () => ({ intervalSeconds: 10, points: [] }) },
      timing: this.clock,
      deadlines,
      findGroup: (from, name) => groups.readState(from, name),
      readGroups: () => groups.readStates(store.read),
      readRevision: (from, group, number) => groups.readRule(from, group, number),
      readChange: decisions.readChange,
      readFailures,
      setCurrent: (tx, group, revision) => groups.setCurrent(tx, group, revision),
      onGroupsChanged: () => agents.onGroupsChanged(),
    })
    const agents: Agents = await createAgents(
      { ...foundation, decisions, rollouts: rollouts.forAgents, telemetryEndpoint: () => 'http://127.0.0.1:4320', version: '1', maxAgents: 100 },
      { timing: this.clock },
    )
    const server = createOpampServer({
      handler: {
        authenticate: () => ({ kind: 'accept', principal: 'token' }),
        onReport: (report) => agents.handler.onReport(report),
        onDisconnect: (gone) => agents.handler.onDisconnect(gone),
        onDuplicate: (duplicate) => agents.handler.onDuplicate(duplicate),
      },
      capabilities: ['AcceptsStatus', 'OffersRemoteConfig', 'AcceptsEffectiveConfig'],
      clock: this.clock,
    })
    await agents.start(server)
    await rollouts.start()
    return { store, decisions, rollouts, agents, server, deadlines }
  }

  get server() {
    if (this.running === undefined) throw new Error('the server is stopped')
    return this.running
  }

  async stop(): Promise<void> {
    const { server, rollouts, agents, store, deadlines } = this.server
    await server[Symbol.asyncDispose]()
    await rollouts[Symbol.asyncDispose]()
    await agents[Symbol.asyncDispose]()
    deadlines.clear()
    await store.close()
    this.running = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.timers.clear()
    if (this.running !== undefined) await this.stop()
    rmSync(this.dir, { recursive: true, force: true })
  }

  async connect(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const agent = new ScriptedAgent({
        traits: agentTraits(this.agents.length),
        openLink: portLink(() => this.server.server.connectInProcess({ headers: {} })),
        timers: this.timers,
        random: createRandom(this.agents.length),
        merge: (files) => toYaml(mergeFiles(files.map((file) => ({ ...file, contentType: '' }))).merged),
      })
      this.agents.push(agent)
      agent.start()
    }
    await this.pass(5_000)
  }

  /** A version of the group's one config, and a revision of the group with it; begins a rollout to it. */
  async send(body: string, group = 'all'): Promise<string> {
    const { store, decisions, rollouts, agents } = this.server
    const id = await store.transaction(async (tx) => {
      const version = { files: [{ name: 'config.yaml', contentType: 'text/yaml', body }], message: '', author: 'ann', findings: [] }
      const config = await decisions.configs.find(tx, `base-of-${group}`)
      const { latest_version: latest } =
        config === undefined
          ? await decisions.configs.create(tx, { name: `base-of-${group}`, description: '' }, version)
          : await decisions.configs.addVersion(tx, config, version)
      const values = { selector: '*', priority: 0, configs: [{ config: `base-of-${group}`, version: latest }], variables: {}, secrets: {}, ownTelemetry: null }
      const known = await decisions.groups.find(tx, group)
      const change = { author: 'ann', message: '' }
      if (known === undefined) await decisions.groups.create(tx, group, { description: '', plan: null }, values, change)
      else await decisions.groups.addRevision(tx, known, values, change)
      const state = await decisions.groups.readState(tx, group)
      if (state === undefined) throw new Error('no group')
      return (await rollouts.begin(tx, { group, state, to: state.revision, start: { plan: structuredClone(plan) as never }, by: 'ann' })).id // as: the shape of the API is the same, without readonly
    })
    agents.onGroupsChanged()
    return id
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      await this.clock.advanceAsync(500)
      const { agents, rollouts } = this.server
      await agents.settled()
      await rollouts.settled()
    }
  }

  async states(id: string) {
    const { store } = this.server
    const { state } = await store.read.selectFrom('rollouts').select('state').where('id', '=', id).executeTakeFirstOrThrow()
    const members = await store.read.selectFrom('rollout_members').select('state').where('rollout_id', '=', id).execute()
    const counts: Record<string, number> = {}
    for (const member of members) counts[member.state] = (counts[member.state] ?? 0) + 1
    return { state, counts }
  }

  /** How often each agent was offered anything. */
  offers(): number[] {
    return this.agents.map(({ tally }) => tally.offers.length)
  }
}

let whole: Whole
beforeEach(async () => {
  whole = new Whole()
  await whole.start()
})
afterEach(() => whole[Symbol.asyncDispose]())

describe('a configuration', () => {
  it('reaches agents wave by wave, each of them once', async () => {
    await whole.connect(8)
    const id = await whole.send(good('one'))
    await whole.pass(20_000)
    expect(whole.offers().filter((offers) => offers === 1)).toHaveLength(3)
    await whole.pass(60_000)
    expect(await whole.states(id)).toEqual({ state: 'completed', counts: { applied: 8 } })
    expect(whole.offers()).toEqual(Array.from({ length: 8 }, () => 1))
  })

  it('that agents fail is taken back, and never offered to anybody again', async () => {
    await whole.connect(8)
    await whole.send(good('one'))
    await whole.pass(90_000)
    const id = await whole.send(bad)
    await whole.pass(120_000)
    expect(await whole.states(id)).toEqual({ state: 'rolledBack', counts: { restored: 3, pending: 5 } })
    // The good one, for three of them the bad one, and the good one again.
    expect(whole.offers().toSorted()).toEqual([1, 1, 1, 1, 1, 3, 3, 3])
    for (const agent of whole.agents) agent.loseConnection()
    await whole.pass(90_000)
    expect(whole.offers().toSorted()).toEqual([1, 1, 1, 1, 1, 3, 3, 3])
  })

  it('that is the first one of a group and bad is taken back, too', async () => {
    await whole.connect(5)
    const id = await whole.send(bad)
    await whole.pass(180_000)
    expect((await whole.states(id)).state).toBe('rolledBack')
    expect(whole.offers().filter((offers) => offers === 0)).toHaveLength(2)
  })

  it('goes on after the server was stopped in the middle of a wave', async () => {
    await whole.connect(8)
    const id = await whole.send(good('one'))
    await whole.clock.advanceAsync(60)
    await whole.stop()
    await whole.start()
    await whole.pass(240_000)
    expect(await whole.states(id)).toEqual({ state: 'completed', counts: { applied: 8 } })
    expect(whole.offers()).toEqual(Array.from({ length: 8 }, () => 1))
  })
})

describe('a rollout that is over', () => {
  /** Everything that is stored of it. */
  async function recordOf(id: string) {
    const { read } = whole.server.store
    return {
      rollout: await read.selectFrom('rollouts').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
      members: await read.selectFrom('rollout_members').selectAll().where('rollout_id', '=', id).orderBy('agent_id').execute(),
      decisions: await read.selectFrom('rollout_decisions').selectAll().where('rollout_id', '=', id).orderBy('seq').execute(),
    }
  }

  it('stays as it was when the rollout of another group moves the same agents, and they fail that', async () => {
    await whole.connect(8)
    const completed = await whole.send(good('one'))
    await whole.pass(90_000)
    await whole.send(good('two'), 'back')
    await whole.pass(90_000)
    const takenBack = await whole.send(bad, 'back')
    await whole.pass(120_000)
    const before = [await recordOf(completed), await recordOf(takenBack)]
    expect([await whole.states(completed), await whole.states(takenBack)]).toEqual([
      { state: 'completed', counts: { applied: 8 } },
      { state: 'rolledBack', counts: { restored: 3, pending: 5 } },
    ])
    const other = await whole.send(bad, 'more')
    await whole.pass(10_000)
    expect([await recordOf(completed), await recordOf(takenBack)]).toEqual(before)
    await whole.pass(120_000)
    expect((await whole.states(other)).state).toBe('rolledBack')
    await whole.send(good('three'), 'more')
    await whole.pass(120_000)
    for (const agent of whole.agents) agent.loseConnection()
    await whole.pass(90_000)
    expect([await recordOf(completed), await recordOf(takenBack)]).toEqual(before)
  })
})
