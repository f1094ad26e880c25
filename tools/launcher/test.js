/** `npm test`: every check and test. */
import { launch } from './launch.js'

await launch({ builds: ['console', 'command'], script: 'tools/test.ts', args: process.argv.slice(2) })
