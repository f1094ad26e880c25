import { describe, expect, it } from 'vitest'
import { defaultPlan, type RolloutPlan } from './plan.ts'
import { revisionFor } from './revision-for.ts'
import { TestFleet } from './test-fleet.ts'

const atOnce: RolloutPlan = { ...defaultPlan, waves: [{ kind: 'percent', percent: 100 }], soakMs: 0, gates: [], concurrency: 2 }

describe('after a rollout is completed', () => {
  it('those who were in another one get the revision a few at a time, not all at once', () => {
    const fleet = new TestFleet(atOnce, 10)
    for (const agent of fleet.agents) fleet.busy.add(agent)
    fleet.answer = (_, revision) => (revision === 2 ? 'offered' : 'none')
    fleet.start()
    expect(fleet.rollout.state).toBe('completed')
    expect(fleet.agents.map((agent) => fleet.revision(agent))).toEqual(fleet.agents.map(() => 1))
    fleet.busy.clear()
    for (const agent of fleet.agents) fleet.look(agent)
    expect(fleet.states()).toEqual({ offered: 2, pending: 8 })
    expect(fleet.agents.filter((agent) => fleet.revision(agent) === 2)).toHaveLength(2)
  })

  it('who comes then is given it', () => {
    const fleet = new TestFleet(atOnce, 1).start()
    expect(revisionFor(2, fleet.rollout, null)).toEqual({ revision: 2, because: 'target' })
  })
})
