/** `bin/drover`: any command. Only the server serves the console. */
import { launch } from './launch.js'

const args = process.argv.slice(2)
await launch({ console: args[0] === 'server', script: 'apps/cli/src/main.ts', args })
