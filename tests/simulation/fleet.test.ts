/** What is promised of a staged change to 18,000 Agents, with the presets as they are. */
import { presets } from '@drover/fleet'
import { describe, expect, it } from 'vitest'
import { calmFleet } from './large.ts'
import { goodRevision, type Scenario } from './scenario.ts'
import { Simulation } from './simulation.ts'

function simulate(scenario: Scenario): Simulation {
  const simulation = new Simulation(scenario)
  simulation.run()
  return simulation
}

const rolloutOf = ({ store }: Simulation) => store.groups.get('g')?.rollout
const running = ({ agents }: Simulation, hash: string): number => [...agents.values()].filter((agent) => agent.running === hash).length

describe('a staged change to 18,000 agents', () => {
  it('reaches 99.98 % of them though 0.5 % fail it at first and 0.02 % for good (standard)', () => {
    const scenario = { ...calmFleet, absent: 0, transient: 0.005, revisions: [{ ...goodRevision, broken: 0.0002 }] }
    const simulation = simulate(scenario)
    expect(rolloutOf(simulation)?.state).toBe('completed')
    expect(running(simulation, 'g2')).toBeGreaterThanOrEqual(18_000 * 0.9998)
  })

  const breaking: Scenario = { ...calmFleet, revisions: [{ ...goodRevision, broken: 0.02 }] }
  const touchedIn = (simulation: Simulation): number => rolloutOf(simulation)?.waves.reduce((sum, { released }) => sum + released, 0) ?? 0

  it('that breaks 2 % of them stops in wave one, and all of them are back (quick, whose first wave is 1 %)', () => {
    const simulation = simulate({ ...breaking, plans: { ...calmFleet.plans, g: presets.quick } })
    expect(rolloutOf(simulation)).toMatchObject({ state: 'rolledBack', wave: 0 })
    expect(touchedIn(simulation)).toBeLessThanOrEqual(180)
    expect(running(simulation, 'g1')).toBe(18_000)
  })

  it.each(['careful', 'standard'] as const)('that breaks 2 % of them touches at most 1 % (%s)', (preset) => {
    const simulation = simulate({ ...breaking, plans: { ...calmFleet.plans, g: presets[preset] } })
    expect(rolloutOf(simulation)?.state).toBe('rolledBack')
    expect(touchedIn(simulation)).toBeLessThanOrEqual(180)
    expect(running(simulation, 'g1')).toBe(18_000)
  })
})
