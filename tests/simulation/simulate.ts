/** `npm run simulate`: more seeds, the planted bugs, or seven days of a large fleet. */
import { parseArgs } from 'node:util'
import { huntBugs } from './bugs/hunt.ts'
import { sevenDays } from './large.ts'
import { findFailure, shrink, tellFailure } from './run.ts'
import { keepSeed } from './seeds.ts'
import { Simulation } from './simulation.ts'

const reportEvery = 500
const secondUs = 1e6

const usage = `Usage: npm run simulate -- [--seeds COUNT] [--from SEED]   stories of so many seeds (500), beginning with that one (1)
       npm run simulate -- --bugs [--only NAME]           plants each known bug, and says which seed finds it
       npm run simulate -- --large                        seven days of 18,000 agents
`

function readOptions() {
  const options = {
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    bugs: { type: 'boolean', default: false },
    only: { type: 'string' },
    large: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } as const
  try {
    const { values } = parseArgs({ options })
    const [seeds, from] = [Number(values.seeds), Number(values.from)]
    if (!Number.isSafeInteger(seeds) || !Number.isSafeInteger(from) || seeds < 1 || from < 1) throw new Error('--seeds and --from are whole numbers from 1')
    return { ...values, seeds, from }
  } catch (error) {
    process.stderr.write(`simulate: ${error instanceof Error ? error.message : String(error)}\n${usage}`)
    return process.exit(2)
  }
}

const values = readOptions()

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

async function run(): Promise<boolean> {
  if (values.help) {
    process.stdout.write(usage)
    return true
  }
  if (values.bugs) return huntBugs(values.only)
  return values.large ? runLarge() : runSeeds(values.from, values.seeds)
}

process.exitCode = (await run()) ? 0 : 1
