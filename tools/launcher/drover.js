/** `bin/drover`: any command. Only the server serves the console; only the supervisor runs built. */
import { launch } from './launch.js'

const args = process.argv.slice(2)
if (args[0] === 'supervisor') await launch({ builds: ['command'], script: 'apps/cli/dist/main.js', args })
else await launch({ builds: args[0] === 'server' ? ['console'] : [], script: 'apps/cli/src/main.ts', args })
