/** For `bin/drover supervisor`: prepares, then names the Node that the shell is to become, so that no launcher stays beside a supervisor for years. */
import { prepared } from './launch.js'

const ready = await prepared(['command'])
if (ready !== undefined) process.stdout.write(`${ready.node}\n`)
