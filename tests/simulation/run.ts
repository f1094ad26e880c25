/** Runs seeds, and makes a failing one small. */
import { InvariantBroken } from './invariant.ts'
import { createScenario, type Scenario } from './scenario.ts'
import { smaller } from './shrink.ts'
import { Simulation } from './simulation.ts'

export interface Failure {
  readonly scenario: Scenario
  readonly error: unknown
}

export function runScenario(scenario: Scenario): Failure | null {
  try {
    new Simulation(scenario).run()
    return null
  } catch (error) {
    return { scenario, error }
  }
}

/** Two failures with the same one have the same cause, as far as can be told. */
export function kindOf({ error }: Failure): string {
  return error instanceof InvariantBroken ? error.invariant : error instanceof Error ? error.name : 'unknown'
}

const maxTries = 400

/** The smallest scenario found that breaks the same promise. The same for the same failure. */
export function shrink(failure: Failure): Failure {
  const kind = kindOf(failure)
  let smallest = failure
  let tries = 0
  for (;;) {
    let found: Failure | null = null
    for (const next of smaller(smallest.scenario)) {
      if (++tries > maxTries) return smallest
      const failed = runScenario(next)
      if (failed === null || kindOf(failed) !== kind) continue
      found = failed
      break
    }
    if (found === null) return smallest
    smallest = found
  }
}

const linesOfStory = 180

/** In sentences: what broke, in which setting, and what happened before. */
export function tellFailure({ scenario, error }: Failure): string {
  const simulation = new Simulation(scenario, true)
  try {
    simulation.run()
  } catch {
    // Known; this run is for its story.
  }
  const { seed, agents, faults, acts } = scenario
  const said =
    error instanceof InvariantBroken ? `Broken promise (${error.invariant}): ${error.message}.` : String(error instanceof Error ? error.stack : error)
  const { story } = simulation.world
  const left = story.length - linesOfStory
  return [
    said,
    `Seed ${seed}, made small: ${agents} agents; faults: ${faults.join(', ') || 'none'}; people: ${acts.map(({ kind }) => kind).join(', ') || 'a new revision only'}.`,
    '',
    ...(left > 0 ? [`(${left} lines before)`] : []),
    ...story.slice(-linesOfStory),
    '',
    `To keep in seeds.json: ${JSON.stringify(scenario)}`,
  ].join('\n')
}

/** The first seed that fails; null: none does. */
export function findFailure(firstSeed: number, count: number): Failure | null {
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const failure = runScenario(createScenario(seed))
    if (failure !== null) return failure
  }
  return null
}
