/** Agents that fail the earlier revision when a change is taken back. */
import { presets } from '@drover/fleet'
import type { RolloutPlan } from '@drover/fleet'
import { rolloutRoutes } from '@drover/api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestRollouts } from './test-rollouts.ts'

const plan: RolloutPlan = { ...presets.standard, waves: [{ kind: 'count', count: 3 }], gates: presets.everyone.gates, retries: { count: 0, delayMs: 0 } }
const [one, two, three] = ['agt_00000', 'agt_00001', 'agt_00002']

let test: TestRollouts
/** How often each of them fails to go back. */
let failures: Record<string, number>
let rollout: string
beforeEach(async () => {
  test = await TestRollouts.open()
  test.fleet.add(3)
  await test.group('all', 2)
  await test.give('all', 1)
  failures = {}
  test.fleet.react = ({ id }, revision) => {
    if (revision === 2) return 'fail'
    failures[id] = (failures[id] ?? 0) - 1
    return failures[id] >= 0 ? 'fail' : 'apply'
  }
})
afterEach(() => test[Symbol.asyncDispose]())

async function takeBack(given: Record<string, number>): Promise<void> {
  failures = given
  // Agents of these tests do not go back by themselves.
  for (const agent of test.fleet.all.values()) agent.runs.set('all', 0)
  rollout = await test.begin('all', 2, { plan: structuredClone(plan) as never }) // as: the shape of the API is the same, without readonly
  await test.settle()
}

const offersTo = (agent: string | undefined): number => test.fleet.offers.filter((offer) => offer === `${agent} all@1`).length

describe('an agent that fails to go back', () => {
  it('is tried again twice, each time after a longer while, and the rollback waits for it', async () => {
    await takeBack({ [one]: 1, [two]: 2 })
    expect(await test.members(rollout)).toEqual({ restoreRetrying: 2, restored: 1 })
    expect((await test.state(rollout)).state).toBe('rollingBack')
    await test.pass(9_000)
    expect([offersTo(one), offersTo(two)]).toEqual([1, 1])
    await test.pass(1_000)
    expect(await test.members(rollout)).toEqual({ restoreRetrying: 1, restored: 2 })
    await test.pass(19_000)
    expect([offersTo(one), offersTo(two)]).toEqual([2, 2])
    await test.pass(1_000)
    expect(await test.members(rollout)).toEqual({ restored: 3 })
    expect((await test.state(rollout)).state).toBe('rolledBack')
    expect([offersTo(one), offersTo(two), offersTo(three)]).toEqual([2, 3, 1])
  })

  it('has its number of tries and the time of the next on disk', async () => {
    await takeBack({ [one]: 3 })
    await test.pass(5_000)
    await test.restart()
    await test.pass(4_000)
    expect(offersTo(one)).toBe(1)
    await test.pass(2_000)
    expect(offersTo(one)).toBe(2)
    await test.restart()
    await test.pass(60_000)
    expect(offersTo(one)).toBe(3)
    expect(await test.members(rollout)).toEqual({ restoreFailed: 1, restored: 2 })
  })

  it('counts after the third time, in its own words, until a person has it tried again', async () => {
    await takeBack({ [one]: 3, [two]: 4 })
    await test.pass(40_000)
    expect(await test.members(rollout)).toEqual({ restoreFailed: 2, restored: 1 })
    const { items } = await test.call(rolloutRoutes.listRolloutMembers, { params: { rolloutId: rollout }, query: { state: 'restoreFailed' } })
    expect(items).toMatchObject([{ error: 'it does not start' }, { error: 'it does not start' }])
    await test.pass(3_600_000, 60_000)
    expect([offersTo(one), offersTo(two)]).toEqual([3, 3])
    await test.act(rollout, 'retry')
    await test.pass(10_000)
    expect(await test.members(rollout)).toEqual({ restored: 3 })
    expect((await test.state(rollout)).state).toBe('rolledBack')
    expect((await test.decisions(rollout)).slice(-2)).toEqual(['rolledBack', 'retrying'])
    await expect(test.act(rollout, 'retry')).rejects.toThrow('no agent has failed to go back, so nobody would be tried again')
    await expect(test.act(rollout, 'pause')).rejects.toThrow('agents that failed to go back can be tried again; for anything else start a new one')
  })

  it('is tried again when it was away and returns', async () => {
    await takeBack({ [one]: 4 })
    await test.pass(40_000)
    test.fleet.disconnect(one)
    await test.pass(60_000)
    expect(await test.members(rollout)).toEqual({ restoringAway: 1, restored: 2 })
    test.fleet.connect(one)
    await test.pass(2_000)
    expect(offersTo(one)).toBe(4)
    expect(await test.members(rollout)).toEqual({ restoreFailed: 1, restored: 2 })
    // Not all the time.
    test.fleet.disconnect(one)
    await test.pass(5_000)
    test.fleet.connect(one)
    await test.pass(30_000)
    expect(offersTo(one)).toBe(4)
    await test.pass(120_000)
    expect(offersTo(one)).toBe(5)
    expect(await test.members(rollout)).toEqual({ restored: 3 })
  })

  it('is sent it again, too, when it does not answer', async () => {
    await takeBack({ [one]: 1 })
    test.fleet.react = () => 'hold'
    await test.pass(10_000)
    expect(offersTo(one)).toBe(2)
    await test.pass(plan.times.applyTimeoutMs, 5_000)
    expect(await test.members(rollout)).toEqual({ restoreRetrying: 1, restored: 2 })
    await test.pass(25_000, 5_000)
    expect(offersTo(one)).toBe(3)
    test.fleet.answer(one)
    await test.settle()
    expect(await test.members(rollout)).toEqual({ restored: 3 })
  })
})
