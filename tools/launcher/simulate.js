/** `npm run simulate`: the simulation of rollouts, with whatever flags follow `--`. */
import { launch } from './launch.js'

await launch({ builds: [], script: 'tests/simulation/simulate.ts', args: process.argv.slice(2) })
