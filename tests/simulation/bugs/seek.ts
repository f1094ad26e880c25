/** Runs seeds until one fails, in a process with a planted bug, and prints which. */
import { findFailure, kindOf } from '../run.ts'

const seeds = 500
const failure = findFailure(1, seeds)
const error = failure?.error
process.stdout.write(
  JSON.stringify(
    failure === null ? null : { seed: failure.scenario.seed, promise: kindOf(failure), message: error instanceof Error ? error.message : String(error) },
  ),
)
