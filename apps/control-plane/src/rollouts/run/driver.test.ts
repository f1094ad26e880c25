/** Rollouts carried out over a real store, with a fleet that does as it is told. */
import { presets } from '@drover/fleet'
import type { RolloutPlan } from '@drover/fleet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestRollouts } from '../test-rollouts.ts'

/** In two waves; each is watched for ten seconds. */
const twoWaves: RolloutPlan = {
  ...presets.standard,
  waves: [
    { kind: 'count', count: 3 },
    { kind: 'percent', percent: 100 },
  ],
  soakMs: 10_000,
  gates: presets.everyone.gates,
}
const start = (plan: RolloutPlan) => ({ plan: structuredClone(plan) as never }) // as: the shape of the API is the same, without readonly

let test: TestRollouts
beforeEach(async () => {
  test = await TestRollouts.open()
})
afterEach(() => test[Symbol.asyncDispose]())

async function fleetWith(agents: number): Promise<void> {
  test.fleet.add(agents)
  await test.group('all', 2)
  await test.give('all', 1)
}

const running = (revision: number) => [...test.fleet.all.values()].filter(({ runs }) => runs.get('all') === revision).length

describe('a rollout', () => {
  it('goes from wave to wave and gives the group its revision', async () => {
    await fleetWith(20)
    const id = await test.begin('all', 2, start(twoWaves))
    await test.settle()
    expect(running(2)).toBe(3)
    expect(await test.current('all')).toBe(1)
    await test.pass(9_000)
    expect(running(2)).toBe(3)
    await test.pass(30_000)
    expect((await test.state(id)).state).toBe('completed')
    expect(running(2)).toBe(20)
    expect(await test.current('all')).toBe(2)
    expect(await test.members(id)).toEqual({ applied: 20 })
    expect(await test.decisions(id)).toEqual(['started', 'waveOpened', 'soaking', 'wavePassed', 'waveOpened', 'soaking', 'wavePassed', 'completed'])
    expect((await test.events()).map(({ kind }) => kind)).toEqual((await test.decisions(id)).map((kind) => `rollout.${kind}`))
    expect(test.fleet.offers).toHaveLength(20)
    expect(test.logged).toEqual([])
  })

  it('takes a bad revision back from everybody who has it, and offers it to nobody else', async () => {
    await fleetWith(20)
    test.fleet.react = (_, revision) => (revision === 2 ? 'fail' : 'apply')
    const id = await test.begin('all', 2, start({ ...twoWaves, retries: { count: 0, delayMs: 0 } }))
    await test.pass(5_000)
    expect((await test.state(id)).state).toBe('rolledBack')
    expect(test.fleet.offers.filter((offer) => offer.endsWith('all@2'))).toHaveLength(3)
    expect(await test.current('all')).toBe(1)
    expect(running(1)).toBe(20)
    expect(await test.members(id)).toEqual({ restored: 3, pending: 17 })
  })

  it('that takes the first revision back leaves the group with none, and agents with what they had', async () => {
    test.fleet.add(5)
    await test.group('all', 1)
    test.fleet.react = () => 'fail'
    const id = await test.begin('all', 1, start({ ...twoWaves, retries: { count: 0, delayMs: 0 } }))
    await test.pass(5_000)
    expect((await test.state(id)).state).toBe('rolledBack')
    expect(await test.current('all')).toBeNull()
    for (const agent of test.fleet.all.keys()) expect(test.part.forAgents.revisionFor('all', null, agent)).toEqual({ revision: null, because: 'back' })
  })

  it('of a group without agents is through at once', async () => {
    await test.group('all', 1)
    const id = await test.begin('all', 1, {})
    expect((await test.state(id)).state).toBe('completed')
    expect(await test.current('all')).toBe(1)
    expect(test.part.newestOf('all')).toEqual({ id, state: 'completed', from: null, to: 1 })
  })

  it('never gives a bad revision to agents that were away, also after it was taken back and the server was restarted', async () => {
    await fleetWith(6)
    for (const id of ['agt_00000', 'agt_00001']) test.fleet.disconnect(id)
    test.fleet.react = (agent, revision) => (revision === 2 ? 'fail' : 'apply')
    const id = await test.begin('all', 2, start({ ...twoWaves, waves: [{ kind: 'count', count: 2 }], retries: { count: 0, delayMs: 0 } }))
    await test.pass(3_000)
    expect((await test.state(id)).state).toBe('rolledBack')
    await test.restart()
    for (const agent of ['agt_00000', 'agt_00001']) test.fleet.connect(agent)
    await test.pass(200_000, 20_000)
    expect(test.fleet.offers.filter((offer) => offer.startsWith('agt_00000') || offer.startsWith('agt_00001'))).toEqual([])
    expect(running(1)).toBe(6)
  })

  it('passes over agents that are away, and releases them when they return', async () => {
    await fleetWith(6)
    test.fleet.disconnect('agt_00002')
    await test.pass(150_000, 10_000)
    const id = await test.begin('all', 2, start(twoWaves))
    await test.pass(60_000)
    expect((await test.state(id)).state).toBe('completed')
    expect(await test.members(id)).toEqual({ applied: 5, away: 1 })
    test.fleet.connect('agt_00002')
    await test.pass(2_000)
    expect(await test.members(id)).toEqual({ applied: 6 })
  })

  it('tries an agent that failed once more after a while, and then goes back', async () => {
    await fleetWith(4)
    test.fleet.react = (_, revision) => (revision === 2 ? 'fail' : 'apply')
    const id = await test.begin('all', 2, start({ ...twoWaves, waves: [{ kind: 'count', count: 1 }], retries: { count: 1, delayMs: 30_000 } }))
    await test.pass(29_000)
    expect(await test.members(id)).toMatchObject({ retrying: 1 })
    await test.pass(5_000)
    expect(test.fleet.calls.allowRetry).toBe(1)
    expect((await test.state(id)).state).toBe('rolledBack')
  })

  it('takes in who joins later, and lets go of who leaves or is forgotten', async () => {
    test.fleet.add(4, (index) => ({ site: index < 3 ? 'a' : 'b' }))
    await test.group('all', 2, 'site = a')
    await test.give('all', 1)
    const id = await test.begin('all', 2, start({ ...twoWaves, waves: [{ kind: 'count', count: 1 }], soakMs: 60_000 }))
    await test.settle()
    expect(await test.members(id)).toEqual({ applied: 1, pending: 2 })
    test.fleet.of('agt_00003').labels['site'] = 'a'
    test.part.forAgents.onGroupsOfAgent('agt_00003', ['all'])
    const waiting = [...test.fleet.all.values()].filter((agent) => agent.runs.get('all') === 1 && agent.id !== 'agt_00003')
    waiting[0]!.labels['site'] = 'b' // two wait
    test.part.forAgents.onGroupsOfAgent(waiting[0]!.id, [])
    await test.settle()
    expect(await test.members(id)).toEqual({ applied: 1, pending: 2 })
    test.fleet.forget(waiting[1]!.id)
    await test.settle()
    expect(await test.members(id)).toEqual({ applied: 1, pending: 1 })
    await test.pass(200_000, 5_000)
    expect((await test.state(id)).state).toBe('completed')
    expect(await test.members(id)).toEqual({ applied: 2 })
  })

  it('notices on its start who joined, left or was forgotten while the server was down', async () => {
    test.fleet.add(4, (index) => ({ site: index < 3 ? 'a' : 'b' }))
    await test.group('all', 2, 'site = a')
    await test.give('all', 1)
    const id = await test.begin('all', 2, start({ ...twoWaves, waves: [{ kind: 'count', count: 1 }], soakMs: 60_000 }))
    await test.settle()
    await test.kill()
    test.fleet.all.delete([...test.fleet.all.values()].find((agent) => agent.runs.get('all') === 1)!.id)
    test.fleet.of('agt_00003').labels['site'] = 'a'
    await test.startServer()
    await test.settle()
    expect(await test.members(id)).toEqual({ applied: 1, pending: 2 })
  })

  it('begins at the time that its plan names, whatever the clock does before', async () => {
    await fleetWith(3)
    const notBefore = test.clock.now() + 3_600_000
    const id = await test.begin('all', 2, start({ ...twoWaves, schedule: { notBefore, windows: [] } }))
    await test.pass(3_540_000, 60_000)
    test.clockErrorMs = -600_000
    await test.pass(300_000, 60_000)
    expect((await test.state(id)).state).toBe('waiting')
    expect(running(2)).toBe(0)
    test.clockErrorMs = 0
    await test.pass(60_000, 5_000)
    expect(running(2)).toBe(3)
  })

  it('is watched for as long as its plan says when the clock is set forward', async () => {
    await fleetWith(20)
    await test.begin('all', 2, start({ ...twoWaves, soakMs: 600_000 }))
    await test.pass(60_000, 5_000)
    test.clockErrorMs = 3_600_000
    await test.pass(500_000, 5_000)
    expect(running(2)).toBe(3)
    expect(test.logged.filter((line) => line.includes('the clock was set forward'))).toHaveLength(1)
    await test.pass(60_000, 5_000)
    expect(running(2)).toBe(20)
  })
})

describe('two rollouts', () => {
  it('of one group: the newer takes over, and everybody keeps what they have until it reaches them', async () => {
    await fleetWith(8)
    await test.group('all', 1)
    const old = await test.begin('all', 2, start(twoWaves))
    await test.settle()
    expect(running(2)).toBe(3)
    const id = await test.begin(
      'all',
      3,
      start({
        ...twoWaves,
        waves: [
          { kind: 'count', count: 1 },
          { kind: 'percent', percent: 100 },
        ],
      }),
    )
    await test.settle()
    expect((await test.state(old)).rollout).toMatchObject({ state: 'superseded', by: id })
    expect(running(1) + running(2)).toBe(7)
    expect(running(2)).toBeGreaterThanOrEqual(2)
    expect(test.part.revisionsInUse('all')).toEqual(new Set([1, 2, 3]))
    const offers = test.fleet.offers.length
    await test.pass(60_000)
    expect((await test.state(id)).state).toBe('completed')
    expect(running(3)).toBe(8)
    expect(test.fleet.offers.slice(offers).every((offer) => offer.endsWith('@3'))).toBe(true)
  })

  it('over the same agents: the younger waits, says for whom, and goes on when the older ends', async () => {
    await fleetWith(6)
    await test.group('site', 1)
    const older = await test.begin('all', 2, start(twoWaves))
    const younger = await test.begin('site', 1, start(twoWaves))
    await test.settle()
    expect((await test.state(younger)).rollout).toMatchObject({ state: 'waiting', hindrance: { kind: 'rollouts', names: ['the rollout of all'] } })
    expect(test.fleet.offers.filter((offer) => offer.includes('site'))).toEqual([])
    await test.restart()
    await test.settle()
    expect((await test.state(younger)).state).toBe('waiting')
    await test.act(older, 'stop')
    await test.settle()
    expect((await test.state(younger)).state).toBe('soaking')
    await test.pass(60_000)
    expect((await test.state(younger)).state).toBe('completed')
  })

  it('over some of the same agents that came later: those are busy, and hold nobody up', async () => {
    test.fleet.add(6, (index) => ({ site: index < 3 ? 'a' : 'b' }))
    await test.group('all', 1, 'site in (a, both)')
    await test.group('other', 1, 'site in (b, both)')
    const older = await test.begin('all', 1, start({ ...twoWaves, soakMs: 3_600_000 }))
    const younger = await test.begin('other', 1, start({ ...twoWaves, soakMs: 20_000 }))
    const agent = test.fleet.of('agt_00000')
    agent.labels['site'] = 'both'
    test.part.forAgents.onGroupsOfAgent(agent.id, ['all', 'other'])
    await test.pass(120_000, 5_000)
    expect((await test.state(younger)).state).toBe('completed')
    expect(await test.members(younger)).toEqual({ applied: 3, busy: 1 })
    expect(test.part.forAgents.revisionFor('other', 1, agent.id)).toEqual({ revision: null, because: 'earlier' })
    await test.act(older, 'stop')
    await test.pass(2_000)
    expect(await test.members(younger)).toEqual({ applied: 4 })
  })

  it('begin again when a person no longer waits for an agent that does not go back', async () => {
    await fleetWith(6)
    await test.group('all', 1)
    const id = await test.begin('all', 2, start(twoWaves))
    await test.settle()
    const [silent = ''] = [...test.fleet.all].flatMap(([agent, { runs }]) => (runs.get('all') === 2 ? [agent] : []))
    test.fleet.react = (agent) => (agent.id === silent ? 'hold' : 'apply')
    await test.act(id, 'rollBack')
    await test.settle()
    expect(await test.members(id)).toEqual({ restored: 2, restoring: 1, pending: 3 })
    expect((await test.state(id)).state).toBe('rollingBack')
    await test.act(id, 'stop')
    expect((await test.state(id)).state).toBe('rolledBack')
    expect(test.part.whyNotChangeable('all')).toBeNull()
    // It is still given the earlier revision, and what it answers after a restart of the server is heard.
    await test.restart()
    expect(test.part.forAgents.revisionFor('all', 1, silent)).toEqual({ revision: 1, because: 'back' })
    test.fleet.answer(silent)
    await test.settle()
    expect(await test.members(id)).toEqual({ restored: 3, pending: 3 })
    const next = await test.begin('all', 3, start(twoWaves))
    expect((await test.state(next)).rollout).toMatchObject({ from: 1, to: 3 })
  })

  it('never begin while the newest goes back', async () => {
    await fleetWith(6)
    await test.group('all', 1)
    const id = await test.begin('all', 2, start(twoWaves))
    await test.settle()
    test.fleet.react = () => 'hold'
    await test.act(id, 'rollBack')
    expect(test.part.whyNotChangeable('all')).toMatch(/revision 2 of all is being taken back.*wait/)
    await expect(test.begin('all', 3, {})).rejects.toThrow(/wait until that is done/)
    expect(await test.store.read.selectFrom('rollouts').select('id').execute()).toHaveLength(1)
    for (const agent of test.fleet.all.keys()) test.fleet.answer(agent)
    await test.settle()
    expect((await test.state(id)).state).toBe('rolledBack')
    await test.begin('all', 3, {})
  })

  it('of the same name: a group that was deleted takes its rollout with it', async () => {
    await fleetWith(3)
    const id = await test.begin('all', 2, start(twoWaves))
    await test.settle()
    await test.store.transaction((tx) => test.part.endWith(tx, 'all', 'ann'))
    expect((await test.state(id)).rollout).toMatchObject({ state: 'stopped', reason: 'the group all was deleted' })
    expect(test.part.newestOf('all')).toBeUndefined()
    expect(test.part.forAgents.revisionFor('all', 7, 'agt_00000')).toEqual({ revision: 7, because: 'earlier' })
  })
})
