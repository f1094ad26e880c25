/** Runs seeds, and makes a failing one small. */
import { type Scenario, createScenario, smaller } from './scenario.ts'
import { Simulation } from './simulation.ts'

export interface Failure {
  readonly scenario: Scenario
  readonly error: unknown
  readonly story: readonly string[]
}

export function runScenario(scenario: Scenario): Failure | null {
  const simulation = new Simulation(scenario)
  try {
    simulation.run()
    return null
  } catch (error) {
    return { scenario, error, story: simulation.world.story }
  }
}

const maxTries = 300

/** The smallest scenario found that still fails, whatever it fails with. */
export function shrink(failure: Failure): Failure {
  let smallest = failure
  let tries = 0
  for (;;) {
    let found: Failure | null = null
    for (const next of smaller(smallest.scenario)) {
      if (++tries > maxTries) return smallest
      found = runScenario(next)
      if (found !== null) break
    }
    if (found === null) return smallest
    smallest = found
  }
}

const linesOfStory = 60

export function tellFailure({ scenario, error, story }: Failure): string {
  const { seed, agents, faults, acts } = scenario
  const said = error instanceof Error ? `${error.name}: ${error.message}\n${error.name === 'InvariantBroken' ? '' : (error.stack ?? '')}` : String(error)
  const setting = `seed ${seed}, ${agents} agents, faults: ${faults.join(', ') || 'none'}, acts: ${acts.map(({ kind }) => kind).join(', ') || 'none'}`
  return [said, setting, JSON.stringify(scenario), ...story.slice(-linesOfStory)].join('\n')
}

/** The story of the first seed that fails, made small; null: none does. */
export function findFailure(firstSeed: number, count: number): string | null {
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const failure = runScenario(createScenario(seed))
    if (failure !== null) return tellFailure(shrink(failure))
  }
  return null
}
