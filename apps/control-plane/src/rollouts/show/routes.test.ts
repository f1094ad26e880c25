/** Rollouts as people and programs see them: lists, previews, actions, drafts, streams. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { rolloutRoutes } from '@drover/api'
import type { Rollout } from '@drover/api'
import { presets } from '@drover/fleet'
import type { Gate, RolloutPlan } from '@drover/fleet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestRollouts } from '../test-rollouts.ts'

const plan: RolloutPlan = {
  ...presets.standard,
  waves: [
    { kind: 'count', count: 2 },
    { kind: 'percent', percent: 100 },
  ],
  soakMs: 180_000,
}
const asInput = (given: RolloutPlan) => structuredClone(given) as never // as: the shape of the API is the same, without readonly

let test: TestRollouts
beforeEach(async () => {
  test = await TestRollouts.open()
  test.fleet.add(10)
  await test.group('all', 3)
  await test.give('all', 1)
})
afterEach(() => test[Symbol.asyncDispose]())

const get = (rolloutId: string, by?: string) => test.call(rolloutRoutes.getRollout, { params: { rolloutId } }, by)
const create = (revision: number, more: object = {}) =>
  test.call(rolloutRoutes.createRollout, { body: { group: 'all', revision, plan: asInput(plan), ...more } })

describe('a rollout', () => {
  it('tells in one sentence how far it is, in numbers how its waves are, and what can be done', async () => {
    const { id } = await create(2, { reason: 'new exporter' })
    await test.settle()
    const shown = await get(id)
    expect(shown).toMatchObject({
      group: 'all',
      from: 1,
      to: 2,
      state: 'soaking',
      summary: 'Watching wave 1 of 2 for another 3 min; 2 of 10 agents have revision 2.',
      reason: 'new exporter',
      createdBy: 'ann',
      agents: 10,
      counts: { applied: 2, pending: 8 },
      waves: [
        { label: '2 agents', agents: 2, state: 'soaking', counts: { applied: 2 } },
        { label: '100 %', agents: 8, state: 'ahead' },
      ],
      blockers: [],
    })
    expect(shown.gates[0]).toMatchObject({ title: 'at most 1 agent or 2 % fail it or do not answer', verdict: 'pass' })
    const actions = Object.fromEntries(shown.actions.map(({ action, allowed, why }) => [action, allowed ? 'yes' : why]))
    expect(actions).toEqual({
      start: 'the rollout is watching a wave',
      approve: 'the rollout is watching a wave',
      resume: 'the rollout is watching a wave',
      pause: 'yes',
      promote: 'yes',
      retry: 'no agent has failed it',
      stop: 'yes',
      rollBack: 'yes',
    })
  })

  it('has a log that reads like sentences, newest first, page by page', async () => {
    const { id } = await create(2)
    await test.settle()
    await test.act(id, 'pause')
    const first = await test.call(rolloutRoutes.listRolloutDecisions, { params: { rolloutId: id }, query: { limit: 2 } })
    expect(first).toMatchObject({ total: 4, items: [{ seq: 4, sentence: 'ann paused in wave 1.' }, { seq: 3 }] })
    const rest = await test.call(rolloutRoutes.listRolloutDecisions, { params: { rolloutId: id }, query: { cursor: first.nextCursor ?? '' } })
    expect(rest).toMatchObject({ nextCursor: null, items: [{ kind: 'waveOpened' }, { sentence: 'ann started the rollout.' }] })
  })

  it('lists its agents in the order of release, page by page, with what those say that failed', async () => {
    test.fleet.react = (_, revision) => (revision === 2 ? 'fail' : 'apply')
    const { id } = await create(2, { plan: asInput({ ...plan, retries: { count: 0, delayMs: 0 }, onFail: 'pause' }) })
    await test.settle()
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await test.call(rolloutRoutes.listRolloutMembers, {
        params: { rolloutId: id },
        query: { limit: 3, ...(cursor === undefined ? {} : { cursor }) },
      })
      expect(page.total).toBe(10)
      seen.push(...page.items.map(({ agentId }) => agentId))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    expect(new Set(seen).size).toBe(10)
    const failed = await test.call(rolloutRoutes.listRolloutMembers, { params: { rolloutId: id }, query: { state: 'failed' } })
    expect(failed.items).toMatchObject([{ wave: 0, error: 'it does not start', connected: true }, { wave: 0 }])
    expect(failed.items[0]?.agentName).toBe(`name of ${seen[0]}`)
  })

  it('says who cannot do what, and what to do instead', async () => {
    const { id } = await create(2)
    await test.settle()
    await expect(test.act(id, 'resume')).rejects.toMatchObject({ code: 'wrong-state', message: expect.stringContaining('it can be paused') })
    await expect(test.act('rol_none', 'pause')).rejects.toThrow('there is no rollout "rol_none"')
    const newer = await create(3)
    await expect(test.act(id, 'rollBack')).rejects.toMatchObject({ code: 'not-the-newest', message: expect.stringContaining(newer.id) })
    await expect(create(3)).rejects.toMatchObject({ code: 'under-way' })
    await expect(create(9)).rejects.toThrow('there is no revision "all@9"')
    await expect(create(2, { plan: asInput({ ...plan, waves: [{ kind: 'percent', percent: 0 }] }) })).rejects.toMatchObject({
      errors: [{ field: 'body.rollout.plan.waves.0.percent' }],
    })
  })

  it('ends one wave early when two people do so at once, and is held back in whatever wave it is', async () => {
    const waves = [1, 2, 3].map((count) => ({ kind: 'count', count }))
    const { id } = await create(2, { plan: asInput({ ...plan, waves } as RolloutPlan) })
    await test.settle()
    const act = (action: 'promote' | 'pause' | 'resume', wave: number) =>
      test.call(rolloutRoutes.actOnRollout, { params: { rolloutId: id, action }, body: { reason: '', wave } })
    const [first, second] = await Promise.allSettled([act('promote', 1), act('promote', 1)])
    expect(first).toMatchObject({ status: 'fulfilled', value: { wave: { number: 2 } } })
    expect(second).toMatchObject({
      status: 'rejected',
      reason: { code: 'other-wave', message: 'the rollout is running in wave 2 of 4 by now, no longer in wave 1: look at it again, then decide' },
    })
    expect(await act('pause', 1)).toMatchObject({ state: 'paused', wave: { number: 2 } })
    await expect(act('resume', 1)).rejects.toMatchObject({ code: 'other-wave' })
    expect(await act('resume', 2)).toMatchObject({ wave: { number: 2 } })
  })

  it('to everybody at once is called so in the log of events', async () => {
    await test.call(rolloutRoutes.createRollout, { body: { group: 'all', revision: 2, preset: 'everyone' } })
    const [started] = await test.events()
    expect(started).toMatchObject({
      kind: 'rollout.started',
      actor: 'ann',
      subject: 'all',
      summary: 'all, revision 2: ann sends it to all 10 agents at once, not in waves.',
      data: { allAtOnce: true },
    })
  })
})

describe('lists of rollouts', () => {
  it('are newest first and can be asked for a group, a state and an agent', async () => {
    const first = await create(2)
    await test.settle()
    const second = await create(3)
    await test.settle()
    const list = (query: object) => test.call(rolloutRoutes.listRollouts, { query })
    expect((await list({ limit: 1 })).items.map(({ id }) => id)).toEqual([second.id])
    const { nextCursor } = await list({ limit: 1 })
    expect((await list({ limit: 1, cursor: nextCursor })).items.map(({ id }) => id)).toEqual([first.id])
    expect((await list({ state: 'active' })).items.map(({ id }) => id)).toEqual([second.id])
    expect((await list({ state: 'over' })).items).toMatchObject([
      { id: first.id, summary: 'Replaced by a newer rollout; 2 of 10 agents have revision 2 by then.' },
    ])
    expect((await list({ group: 'none' })).total).toBe(0)
    const ofAgent = await list({ agent: 'agt_00003' })
    expect(ofAgent.items.map(({ member }) => member?.wave)).toHaveLength(2)
    expect((await list({ agent: 'agt_none' })).total).toBe(0)
  })
})

describe('a draft', () => {
  it('does nothing until it is started, and is then the newest', async () => {
    const draft = await create(2, { draft: true })
    await test.settle()
    expect(draft).toMatchObject({ state: 'draft', summary: 'Prepared, not started.', agents: 0, wave: null })
    const other = await create(3)
    await test.act(draft.id, 'start', 'bob')
    await test.settle()
    expect(await get(draft.id)).toMatchObject({ state: 'soaking', createdBy: 'ann', startedBy: 'bob', agents: 10 })
    expect((await get(other.id)).state).toBe('superseded')
    expect((await test.call(rolloutRoutes.listRollouts, {})).items.map(({ id }) => id)).toEqual([draft.id, other.id])
    await expect(test.act(draft.id, 'start')).rejects.toMatchObject({ code: 'wrong-state' })
  })

  it('can be deleted, and nothing else can', async () => {
    const draft = await create(2, { draft: true })
    await test.call(rolloutRoutes.deleteDraftRollout, { params: { rolloutId: draft.id } })
    await expect(get(draft.id)).rejects.toThrow('there is no rollout')
    const { id } = await create(2)
    await expect(test.call(rolloutRoutes.deleteDraftRollout, { params: { rolloutId: id } })).rejects.toThrow(/only drafts can be deleted/)
    expect((await test.events()).map(({ kind }) => kind).slice(0, 2)).toEqual(['rollout.created', 'rollout.deleted'])
  })
})

describe('a preview', () => {
  it('says who would get it in which wave, what the plan means and how long it takes at least', async () => {
    test.fleet.disconnect('agt_00001')
    const preview = await test.call(rolloutRoutes.previewRollout, { body: { change: { group: 'all', revision: 2 }, rollout: { plan: asInput(plan) } } })
    expect(preview).toMatchObject({ agents: 10, changing: 10, atLeastMs: 360_000, supersedes: null, blockers: [] })
    expect(preview.waves.map(({ agents, connected }) => [agents, connected])).toEqual([
      [2, 2],
      [7, 7],
      [1, 0],
    ])
    expect(preview.plan[0]).toBe('It goes to 10 agents in 3 waves: 2, 7 and 1.')
    expect(preview.plan).toContain(
      'When too much goes wrong it takes the change back from every agent that has it; when the evidence says nothing, it pauses and never goes back.',
    )
    expect(test.fleet.offers).toEqual([])
  })

  it('names the rollout that it would take over from', async () => {
    const { id } = await create(2)
    const preview = await test.call(rolloutRoutes.previewRollout, { body: { change: { group: 'all', revision: 3 } } })
    expect(preview.supersedes).toBe(id)
  })

  it('warns of the first wave that would pause, since too little is known for the verdict of a gate', async () => {
    const gates: Gate[] = (['refused', 'memory'] as const).map((metric) => ({ kind: 'ownTelemetry', metric, against: 'control', maxRatio: 1.5, minSample: 2 }))
    const foresee = async (of: RolloutPlan) =>
      (await test.call(rolloutRoutes.previewRollout, { body: { change: { group: 'all', revision: 2 }, rollout: { plan: asInput(of) } } })).findings
    expect(await foresee({ ...plan, gates })).toEqual([
      {
        severity: 'warning',
        code: 'gate-without-evidence',
        message:
          'wave 1 would pause until a person decides: too little is known of refused data and memory (of 0 of 2 agents in the wave, and of 0 of 8 agents to compare with); let agents send their own telemetry, or choose a plan without these gates',
      },
    ])
    const tell = () => [...test.fleet.agents()].forEach(({ id }) => test.telling.add(id))
    const halves = { ...plan, gates, waves: [{ kind: 'percent' as const, percent: 50 }] }
    tell()
    expect((await foresee(halves))[0]?.message).toMatch(
      /^wave 1 would pause .*: 5 agents, and 5 agents to compare with, are too few .* whatever they say of refused data and memory; make the wave larger,/,
    )
    test.fleet.add(3)
    tell()
    expect((await foresee(halves))[0]?.message).toMatch(/^wave 2 would pause .*: 7 agents, and 0 agents to compare with, are too few/)
    test.fleet.add(27)
    tell()
    expect(await foresee(halves)).toEqual([])
    expect(await foresee(plan)).toEqual([])
  })

  it('of one agent shows the difference without secrets', async () => {
    test.fleet.changeOf = async () => ({
      from: { hash: null, source: 'nothing', merged: '' },
      to: {
        hash: 'a'.repeat(64),
        source: 'base@2 (group all)',
        merged: 'exporters:\n  otlp:\n    headers:\n      authorization: Bearer sesame-open-you\n    endpoint: a:1\n',
      },
      missing: [{ kind: 'exporter', type: 'otlp' }],
    })
    const change = await test.call(rolloutRoutes.previewAgentChange, { params: { agentId: 'agt_00001' }, body: { change: { group: 'all', revision: 2 } } })
    expect(change.unified).toContain('+    endpoint: a:1')
    expect(JSON.stringify(change)).not.toContain('sesame')
    expect(change.changes[0]).toMatchObject({ path: 'exporters', kind: 'added' })
    await expect(
      test.call(rolloutRoutes.previewAgentChange, { params: { agentId: 'agt_none' }, body: { change: { group: 'all', revision: 2 } } }),
    ).rejects.toThrow(/no agent/)
  })

  it('comes with plans to choose from, of which one is no staged rollout', async () => {
    const { items } = await test.call(rolloutRoutes.listPresets)
    expect(items.map(({ name, staged }) => [name, staged])).toEqual([
      ['careful', true],
      ['standard', true],
      ['quick', true],
      ['everyone', false],
    ])
    for (const { sentences } of items) expect(sentences.length).toBeGreaterThan(3)
  })
})

describe('a stream', () => {
  it('tells at once, at each change, not more often than twice a second, and ends with the rollout', async () => {
    const { id } = await create(2)
    await test.settle()
    const server = createServer((_request, response) => void test.stream(rolloutRoutes.streamRollout, { rolloutId: id })(response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo // as: it listens on TCP
    const response = await fetch(`http://127.0.0.1:${port}`)
    const events = readEvents(response)
    expect((await events.next()).value).toMatchObject({ id, state: 'soaking' })
    await test.act(id, 'pause')
    await test.act(id, 'resume')
    await test.act(id, 'stop')
    await test.pass(1_000, 250)
    expect((await events.next()).value).toMatchObject({ state: 'stopped' })
    expect((await events.next()).done).toBe(true)
    server.close()
  })

  it('of a rollout that does not exist says so', async () => {
    const server = createServer((_request, response) => void test.stream(rolloutRoutes.streamRollout, { rolloutId: 'rol_none' })(response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo // as: it listens on TCP
    expect((await fetch(`http://127.0.0.1:${port}`)).status).toBe(404)
    server.close()
  })
})

async function* readEvents(response: Response): AsyncGenerator<Rollout> {
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString()
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end)
      text = text.slice(end + 2)
      if (block.startsWith('data: ')) yield JSON.parse(block.slice(6)) as Rollout // as: what the route says
    }
  }
}
