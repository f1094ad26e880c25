/** `npm run check`: everything that is checked without running the tests. */
import { launch } from './launch.js'

await launch({ builds: [], script: 'tools/check.ts', args: process.argv.slice(2) })
