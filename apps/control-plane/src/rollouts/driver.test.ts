/** Rollouts carried out over a real store, with a fleet that does as it is told. */
import { presets } from '@drover/fleet'
import type { RolloutPlan } from '@drover/fleet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestRollouts } from './test-rollouts.ts'

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
})
