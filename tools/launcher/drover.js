/** `bin/drover`: any command but the supervisor. Only the server serves the console. */
import { launch } from './launch.js'

const args = process.argv.slice(2)
await launch({ builds: args[0] === 'server' ? ['console'] : [], script: 'apps/cli/src/main.ts', args })
