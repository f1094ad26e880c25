/** `npm start`: the server, with whatever flags follow `--`. */
import { launch } from './launch.js'

await launch({ console: true, script: 'apps/cli/src/main.ts', args: ['server', ...process.argv.slice(2)] })
