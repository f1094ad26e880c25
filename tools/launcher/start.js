/** `npm start`: the server, with whatever flags follow `--`. */
import { launch } from './launch.js'

await launch({ builds: ['console'], script: 'apps/cli/src/main.ts', args: ['server', ...process.argv.slice(2)] })
