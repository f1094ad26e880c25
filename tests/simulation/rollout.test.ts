/** Simulated fleets with a server that dies, networks that lose messages, and people who change their minds. */
import { describe, expect, it } from 'vitest'
import { calmFleet } from './large.ts'
import { findFailure, kindOf, runScenario, shrink, tellFailure } from './run.ts'
import { createScenario, goodRevision, type Scenario } from './scenario.ts'
import { keepSeed, readSeeds } from './seeds.ts'
import { Simulation } from './simulation.ts'
import { DriverDied } from './store.ts'

const seeds = 500
const chunk = 100

describe('simulated rollouts', () => {
  it.each(Array.from({ length: seeds / chunk }, (_, index) => 1 + index * chunk))('keep every promise, seeds from %i', (from) => {
    const failure = findFailure(from, chunk)
    if (failure === null) return
    const smallest = shrink(failure)
    keepSeed(smallest)
    expect.fail(tellFailure(smallest))
  })

  it('keep every promise that they once broke', () => {
    for (const { scenario } of readSeeds()) {
      const failure = runScenario(scenario)
      if (failure !== null) expect.fail(tellFailure(failure))
    }
  })
})

function simulate(scenario: Scenario): Simulation {
  const simulation = new Simulation(scenario)
  simulation.run()
  return simulation
}

describe('a server that dies', () => {
  const story: Scenario = { ...calmFleet, agents: 12, absent: 0, quietAtMs: 2 * 3_600_000, seed: 3 }
  /** How everybody ends: what is the same whenever it dies. */
  const endOf = ({ store, agents }: Simulation) => ({
    state: store.groups.get('g')?.rollout?.state,
    waves: store.groups.get('g')?.rollout?.waves.map(({ counters }) => counters),
    kinds: store.decisions.map(({ decision }) => decision.kind),
    running: [...agents.values()].map(({ running }) => running),
  })
  const dieAt = (scenario: Scenario, commit: number, place: 'before' | 'after'): Simulation => {
    const simulation = new Simulation(scenario)
    let at = 0
    simulation.server.hooks[place] = () => {
      // While the fleet joins, nothing is acknowledged that could be lost.
      if (simulation.store.groups.get('g')?.rollout != null && ++at === commit) throw new DriverDied(`${place} commit ${commit}`)
    }
    simulation.run()
    return simulation
  }

  it.each(['before', 'after'] as const)('ends as one that lives, wherever it dies (%s a commit)', (place) => {
    const expected = endOf(simulate(story))
    expect(expected.state).toBe('completed')
    const { commits } = simulate(story).store
    for (let commit = 1; commit <= commits; commit++) expect(endOf(dieAt(story, commit, place)), `commit ${commit}`).toEqual(expected)
  })

  it('takes a bad change back, wherever it dies', () => {
    const bad = { ...story, revisions: [{ ...goodRevision, broken: 1 }] }
    const { commits } = simulate(bad).store
    for (let commit = 1; commit <= commits; commit++) {
      const { state, running } = endOf(dieAt(bad, commit, 'after'))
      expect([state, new Set(running)], `commit ${commit}`).toEqual(['rolledBack', new Set(['g1'])])
    }
  })
})

describe('the simulation', () => {
  it('repeats itself for the same seed', () => {
    const [one, two] = [11, 11].map((seed) => new Simulation(createScenario(seed), true))
    one?.run()
    two?.run()
    expect(one?.world.story).toEqual(two?.world.story)
    expect(one?.world.story.length).toBeGreaterThan(10)
  })

  it('makes a failure small and tells it as a story', () => {
    // No promise of ours: a change that nobody can be given ends all the same.
    const impossible: Scenario = {
      ...createScenario(3),
      agents: 20,
      plans: { ...calmFleet.plans, g: { ...calmFleet.plans.g, waves: [{ kind: 'ring', name: 'x', selector: '(' }] } },
    }
    const failure = runScenario(impossible)
    if (failure === null) return expect.fail('it did not fail')
    expect(kindOf(failure)).toBe('SelectorError')
    const smallest = shrink(failure)
    expect(smallest.scenario).toMatchObject({ agents: 0, faults: [], acts: [] })
    expect(tellFailure(smallest)).toContain('Ann gives group g revision 2')
  })
})
