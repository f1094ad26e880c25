import { describe, expect, it } from 'vitest'
import { outstandingEffects } from './effects.ts'
import { defaultPlan, type RolloutPlan } from './plan.ts'
import { retriesDue } from './progress.ts'
import { TestFleet } from './test-fleet.ts'

const plan: RolloutPlan = {
  ...defaultPlan,
  waves: [{ kind: 'percent', percent: 100 }],
  concurrency: 2,
  retries: { count: 0, delayMs: 0 },
  budget: { maxCount: 100, maxPercent: 100, minSample: 1 },
  gates: [],
  onFail: 'pause',
}

/** Five that failed; what they are offered again stays without an answer. */
function fiveFailed(): TestFleet {
  const fleet = new TestFleet(plan, 5)
  fleet.answer = () => 'failed'
  fleet.start()
  expect(fleet.states()).toEqual({ failed: 5 })
  fleet.answer = () => 'offered'
  return fleet
}

describe('a retry', () => {
  it('takes no more at a time than may be under way, and goes on as they answer', () => {
    const fleet = fiveFailed().act('retry')
    expect(fleet.states()).toEqual({ offered: 2, failed: 3 })
    expect(fleet.rollout.sweep).toMatchObject({ kind: 'retry', left: 3 })
    expect(retriesDue(plan, fleet.rollout)).toBe(0)
    expect(outstandingEffects(plan, fleet.rollout).filter(({ kind }) => kind === 'retry')).toEqual([])
    const [first] = [...fleet.members.values()].filter(({ state }) => state === 'offered')
    fleet.answer = (agent) => (agent === first?.agent ? 'applied' : 'offered')
    fleet.look(first?.agent ?? '')
    expect(fleet.states()).toEqual({ applied: 1, offered: 2, failed: 2 })
  })

  it('tries each once, also those that fail again meanwhile', () => {
    const fleet = fiveFailed()
    let tries = 0
    fleet.answer = () => {
      tries++
      return 'failed'
    }
    fleet.act('retry')
    expect(fleet.states()).toEqual({ failed: 5 })
    expect(fleet.rollout.sweep).toBeNull()
    expect(tries).toBe(5)
    expect(fleet.counts()).toBe(true)
  })

  it('of nobody is over at once', () => {
    const fleet = new TestFleet(plan, 2).start()
    expect(fleet.act('retry').rollout.sweep).toBeNull()
    expect(fleet.decisions.at(-1)?.kind).toBe('retrying')
  })
})
