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

  it.each(['careful', 'standard', 'quick'] as const)('that breaks 2 % of them touches at most 1 %, and all of them are back (%s)', (preset) => {
    const scenario = { ...calmFleet, transient: 0.005, plans: { ...calmFleet.plans, g: presets[preset] }, revisions: [{ ...goodRevision, broken: 0.02 }] }
    const simulation = simulate(scenario)
    const rollout = rolloutOf(simulation)
    expect(rollout?.state).toBe('rolledBack')
    const released = rollout?.waves.reduce((sum, wave) => sum + wave.released, 0) ?? 0
    console.log(preset, rollout?.wave, released)
    expect(released).toBeLessThanOrEqual(180)
    expect(running(simulation, 'g1')).toBe(18_000)
  })
})
