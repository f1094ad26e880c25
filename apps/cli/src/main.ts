/** The `drover` command. */
import { enableCompileCache } from 'node:module'

// Stripping types and compiling is most of what a short command costs; Node keeps the result in the temporary folder.
enableCompileCache()
const [{ runCli }, { processIo }] = await Promise.all([import('./cli.ts'), import('./process-io.ts')])

process.exitCode = await runCli(process.argv.slice(2), processIo())
