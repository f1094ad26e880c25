/** What goes wrong around rollouts: the disk, other parts, two people at once, many agents. */
import { presets } from '@drover/fleet'
import type { RolloutPlan, Verdict } from '@drover/fleet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestRollouts } from './test-rollouts.ts'

const plan: RolloutPlan = {
  ...presets.standard,
  waves: [
    { kind: 'count', count: 3 },
    { kind: 'percent', percent: 100 },
  ],
  soakMs: 20_000,
  gates: [{ kind: 'health', limit: { maxCount: 1, maxPercent: 1, minSample: 20 } }],
  times: { ...presets.standard.times, gateEveryMs: 5_000, patienceMs: 60_000 },
}
const start = (given: RolloutPlan) => ({ plan: structuredClone(given) as never }) // as: the shape of the API is the same, without readonly

let test: TestRollouts
beforeEach(async () => {
  test = await TestRollouts.open()
  test.fleet.add(9)
  await test.group('all', 3)
  await test.give('all', 1)
})
afterEach(() => test[Symbol.asyncDispose]())

describe('while the store cannot write', () => {
  it('nobody gets the change; it goes on by itself afterwards, with nothing lost and nothing doubled', async () => {
    test.fleet.react = () => 'hold'
    const id = await test.begin('all', 2, start(plan))
    await test.settle()
    test.isDiskFull = true
    const offered = test.fleet.offers.length
    expect(offered).toBe(3)
    for (const agent of test.fleet.all.keys()) test.fleet.answer(agent)
    await test.pass(30_000)
    expect(test.fleet.offers).toHaveLength(offered)
    await expect(test.act(id, 'pause')).rejects.toThrow(/disk is full/)
    expect(test.part.newestOf('all')?.state).toBe('running')
    expect(await test.members(id)).toMatchObject({ offered: 3 })
    test.isDiskFull = false
    test.fleet.react = () => 'apply'
    await test.pass(90_000)
    expect((await test.state(id)).state).toBe('completed')
    expect(await test.members(id)).toEqual({ applied: 9 })
    expect(new Set(test.fleet.offers).size).toBe(test.fleet.offers.length)
    expect(test.logged.filter((line) => line.includes('waits until the store can write'))).toHaveLength(1)
  })

  it('a verdict that comes meanwhile counts afterwards', async () => {
    const answers: PromiseWithResolvers<Verdict>[] = []
    test.judge = () => {
      const answer = Promise.withResolvers<Verdict>()
      answers.push(answer)
      return answer.promise
    }
    await test.begin('all', 2, start(plan))
    await test.pass(6_000)
    expect(answers).toHaveLength(1)
    test.isDiskFull = true
    answers[0]?.resolve({ verdict: 'pass', text: 'all is well', numbers: {} })
    await test.pass(5_000)
    test.isDiskFull = false
    await test.pass(5_000)
    // It was taken in, or the next round would not have been asked.
    expect(answers).toHaveLength(2)
  })
})

describe('when another part fails', () => {
  it('a gate that throws is inconclusive, and pauses with the cause', async () => {
    test.judge = () => Promise.reject(new Error('no network'))
    const id = await test.begin('all', 2, start(plan))
    await test.pass(120_000)
    expect((await test.state(id)).rollout).toMatchObject({ state: 'paused', cause: 'inconclusive', reason: expect.stringContaining('fault inside Drover') })
    expect(test.logged.filter((line) => line.includes('gate could not be judged'))).toHaveLength(1)
  })

  it('a gate that never answers is inconclusive after its time', async () => {
    test.judge = () => new Promise(() => {})
    const id = await test.begin('all', 2, start(plan))
    await test.pass(180_000, 2_000)
    expect((await test.state(id)).rollout).toMatchObject({ state: 'paused', cause: 'inconclusive', reason: expect.stringContaining('no answer') })
  })

  it('a verdict that comes too late changes nothing', async () => {
    const late = Promise.withResolvers<Verdict>()
    test.judge = () => late.promise
    const id = await test.begin('all', 2, start(plan))
    await test.pass(12_000)
    await test.act(id, 'pause')
    test.judge = async () => ({ verdict: 'pass', text: 'all is well', numbers: {} })
    await test.act(id, 'resume')
    late.resolve({ verdict: 'fail', text: 'an old answer', numbers: {} })
    await test.pass(90_000)
    expect((await test.state(id)).state).toBe('completed')
  })

  it('a fleet that throws neither stops the rollout nor loses it', async () => {
    const id = await test.begin('all', 2, start(plan))
    test.fleet.isBroken = true
    await test.pass(5_000)
    expect(test.logged.length).toBeLessThanOrEqual(2)
    test.fleet.isBroken = false
    for (const agent of test.fleet.all.keys()) test.part.forAgents.onAgentChanged(agent)
    await test.pass(120_000, 2_000)
    expect((await test.state(id)).state).toBe('completed')
  })

  it('a gate knows how agents were before, also after a restart, and who does without the change', async () => {
    for (const agent of test.fleet.all.values()) agent.healthy = false
    await test.begin('all', 2, start(plan))
    await test.settle()
    for (const agent of test.fleet.all.values()) agent.healthy = true
    await test.restart()
    await test.pass(8_000)
    const [first] = test.questions
    expect(first?.question).toMatchObject({ group: 'all', from: 1, to: 2, wave: 0, round: 1 })
    expect(first?.question.changed.map(({ before }) => before)).toEqual(Array.from({ length: 3 }, () => ({ healthy: false, drifted: false })))
    expect(first?.question.control.map(({ before }) => before)).toEqual(Array.from({ length: 6 }, () => ({ healthy: true, drifted: false })))
  })
})

describe('people', () => {
  it('who act at the same time: one does, and the other is told why not', async () => {
    const id = await test.begin('all', 2, start(plan))
    await test.settle()
    const results = await Promise.allSettled([test.act(id, 'pause', 'ann'), test.act(id, 'pause', 'bob')])
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(results.find((result) => result.status === 'rejected')?.reason).toMatchObject({
      code: 'wrong-state',
      message: expect.stringMatching(/is paused cannot be paused: it can be resumed/),
    })
    expect((await test.decisions(id)).filter((kind) => kind === 'paused')).toHaveLength(1)
  })

  it('who start two changes at the same time: both are made, and the later one is the one that goes on', async () => {
    const [first, second] = await Promise.all([test.begin('all', 2, start(plan)), test.begin('all', 3, start(plan))])
    await test.settle()
    expect((await test.state(first)).state).toBe('superseded')
    expect(test.part.newestOf('all')).toMatchObject({ id: second, to: 3 })
    await test.pass(90_000)
    expect(await test.members(second)).toEqual({ applied: 9 })
  })

  it('act while the driver works: memory and store say the same afterwards', async () => {
    const id = await test.begin('all', 2, start({ ...plan, concurrency: 1 }))
    await Promise.all([test.settle(), test.act(id, 'pause'), test.act(id, 'resume'), test.act(id, 'promote'), test.act(id, 'pause')])
    await test.settle()
    await test.members(id)
    expect(test.part.newestOf('all')?.state).toBe((await test.state(id)).state)
  })

  it('approve only what somebody else started', async () => {
    const id = await test.begin('all', 2, start({ ...plan, approval: 'anotherPerson' }), 'ann')
    await test.settle()
    expect(test.fleet.offers).toEqual([])
    await expect(test.act(id, 'approve', 'ann')).rejects.toMatchObject({ code: 'same-person', message: expect.stringContaining('ask a colleague') })
    await test.act(id, 'approve', 'bob')
    await test.settle()
    expect(test.fleet.offers).toHaveLength(3)
    await expect(test.act(id, 'approve', 'bob')).rejects.toMatchObject({ message: expect.stringContaining('cannot be approved') })
  })
})

describe('ten thousand agents', () => {
  it('cost a transaction for so many that changed, and everybody gets it once', async () => {
    test.fleet.add(9_991)
    for (const agent of test.fleet.all.values()) agent.runs.set('all', 1)
    const before = test.commits
    const id = await test.begin('all', 2, { preset: 'everyone' })
    await test.pass(10_000)
    expect((await test.state(id)).state).toBe('completed')
    expect(await test.members(id)).toEqual({ applied: 10_000 })
    expect(test.fleet.offers).toHaveLength(10_000)
    // 100 in each, released and then seen, and a few at the ends.
    expect(test.commits - before).toBeLessThan(210)
    const restarted = test.commits
    await test.restart()
    await test.pass(10_000)
    expect(test.commits).toBe(restarted)
  }, 60_000)
})
