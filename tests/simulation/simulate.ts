/** `npm run simulate -- [--seeds N] [--from N] | --bugs [--only NAME] | --large`: more seeds, the planted bugs, or seven days of a large fleet. */
import { parseArgs } from 'node:util'
import { huntBugs } from './bugs/hunt.ts'
import { sevenDays } from './large.ts'
import { findFailure, shrink, tellFailure } from './run.ts'
import { keepSeed } from './seeds.ts'
import { Simulation } from './simulation.ts'

const reportEvery = 500
const secondUs = 1e6

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    bugs: { type: 'boolean', default: false },
    only: { type: 'string' },
    large: { type: 'boolean', default: false },
  },
})

function cpuSeconds(): string {
  return (process.cpuUsage().user / secondUs).toFixed(1)
}

function runSeeds(from: number, count: number): boolean {
  for (let next = from; next < from + count; next += reportEvery) {
    const failure = findFailure(next, Math.min(reportEvery, from + count - next))
    if (failure !== null) {
      const smallest = shrink(failure)
      keepSeed(smallest)
      process.stdout.write(`${tellFailure(smallest)}\n`)
      return false
    }
    process.stdout.write(`seeds ${next} to ${Math.min(next + reportEvery, from + count) - 1} keep every promise (${cpuSeconds()} s of CPU)\n`)
  }
  return true
}

function runLarge(): boolean {
  const simulation = new Simulation(sevenDays)
  simulation.run()
  const { decisions, commits } = simulation.store
  const rollouts = decisions.filter(({ decision }) => decision.kind === 'started').length
  process.stdout.write(
    `${sevenDays.agents} agents, seven days: ${rollouts} rollouts, ${simulation.faults.count} faults, ${simulation.events} events, ${commits} commits, ${cpuSeconds()} s of CPU\n`,
  )
  return true
}

const isGood = values.bugs ? await huntBugs(values.only) : values.large ? runLarge() : runSeeds(Number(values.from), Number(values.seeds))
process.exitCode = isGood ? 0 : 1
