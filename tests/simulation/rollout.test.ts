/** Simulated fleets with a rollout driver that dies, networks that lose messages, and people who change their minds. */
import { describe, expect, it } from 'vitest'
import { defaultPlan, type RolloutPlan } from '@drover/fleet'
import { findFailure, runScenario, tellFailure } from './run.ts'
import { createScenario, type Scenario } from './scenario.ts'
import { Simulation } from './simulation.ts'
import { DriverDied } from './store.ts'

const seeds = Number(process.env['DROVER_SIMULATION_SEEDS'] ?? 500)
const firstSeed = Number(process.env['DROVER_SIMULATION_SEED'] ?? 1)
const chunk = 100

describe('simulated rollouts', () => {
  it.each(Array.from({ length: Math.ceil(seeds / chunk) }, (_, index) => firstSeed + index * chunk))('keep every promise, seeds from %i', (from) => {
    expect(findFailure(from, Math.min(chunk, firstSeed + seeds - from))).toBeNull()
  })
})

const dayMs = 24 * 3_600_000
const calm: Scenario = {
  ...createScenario(1),
  plan: defaultPlan,
  faults: [],
  acts: [],
  quietAtMs: 3 * dayMs,
  absent: 0.02,
  broken: 0,
  transient: 0,
  mute: 0,
  gate: 'passes',
}

function simulate(scenario: Scenario): Simulation {
  const simulation = new Simulation(scenario)
  simulation.run()
  return simulation
}

const countOf = ({ store }: Simulation, ...states: readonly string[]): number =>
  [...store.rows.values()].filter(({ member }) => member !== null && states.includes(member.state)).length

describe('a large fleet', () => {
  it('gets a change although some Agents fail it at first', () => {
    const simulation = simulate({ ...calm, agents: 3000, transient: 0.005, seed: 7 })
    expect(simulation.store.rollout?.state).toBe('completed')
    expect(countOf(simulation, 'applied')).toBeGreaterThanOrEqual(3000 * 0.9998)
  })

  it('is spared a change that breaks 2 % of it: at most 1 % are touched, and all of them are back', () => {
    const plan: RolloutPlan = {
      ...defaultPlan,
      waves: [
        { kind: 'percent', percent: 1 },
        { kind: 'percent', percent: 10 },
        { kind: 'percent', percent: 100 },
      ],
    }
    const simulation = simulate({ ...calm, agents: 18_000, broken: 0.02, transient: 0.005, seed: 7, plan })
    const { rollout } = simulation.store
    expect(rollout).toMatchObject({ state: 'rolledBack', wave: 0 })
    expect(rollout?.waves.reduce((sum, { released }) => sum + released, 0)).toBeLessThanOrEqual(180 + 10)
    expect([...simulation.agents.values()].every(({ running }) => running === 'h1')).toBe(true)
  })
})

describe('a driver that dies', () => {
  const story: Scenario = { ...calm, agents: 12, absent: 0, quietAtMs: 2 * 3_600_000, seed: 3 }
  /** How everybody ends: what is the same whenever it dies. */
  const endOf = ({ store, agents }: Simulation) => ({
    state: store.rollout?.state,
    waves: store.rollout?.waves.map(({ counters }) => counters),
    kinds: store.decisions.map(({ decision }) => decision.kind),
    running: [...agents.values()].map(({ running }) => running),
  })
  const dieAt = (scenario: Scenario, commit: number, place: 'beforeCommit' | 'afterCommit'): Simulation => {
    const simulation = new Simulation(scenario)
    let at = 0
    simulation.store[place] = () => {
      // While the fleet joins, nothing is acknowledged that could be lost.
      if (simulation.store.rollout !== null && ++at === commit) throw new DriverDied(`${place} ${commit}`)
    }
    simulation.run()
    return simulation
  }

  it.each(['beforeCommit', 'afterCommit'] as const)('ends as one that lives, wherever it dies (%s)', (place) => {
    const expected = endOf(simulate(story))
    expect(expected.state).toBe('completed')
    const commits = simulate(story).store.commits
    for (let commit = 1; commit <= commits; commit++) expect(endOf(dieAt(story, commit, place)), `commit ${commit}`).toEqual(expected)
  })

  it('takes a bad change back, wherever it dies', () => {
    const bad = { ...story, broken: 1 }
    const commits = simulate(bad).store.commits
    for (let commit = 1; commit <= commits; commit++) {
      const { state, running } = endOf(dieAt(bad, commit, 'afterCommit'))
      expect([state, new Set(running)], `commit ${commit}`).toEqual(['rolledBack', new Set(['h1'])])
    }
  })
})

describe('the simulation', () => {
  it('repeats itself for the same seed', () => {
    const [one, two] = [createScenario(11), createScenario(11)].map((scenario) => new Simulation(scenario))
    one?.run()
    two?.run()
    expect(one?.world.story).toEqual(two?.world.story)
    expect(one?.world.story.length).toBeGreaterThan(10)
  })

  it('tells a failure as a story', () => {
    const failure = runScenario({ ...calm, agents: -1, plan: { ...defaultPlan, waves: [{ kind: 'ring', name: 'x', selector: '(' }] } })
    expect(failure).not.toBeNull()
    if (failure !== null) expect(tellFailure(failure)).toContain('somebody wants: newRevision')
  })
})
