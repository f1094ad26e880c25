/** A program that behaves towards a supervisor as an OpenTelemetry Collector does. Loads only what the subcommand needs: it is started often. */
import { enableCompileCache } from 'node:module'
import { featureGates } from './feature-gates.ts'
import { UsageError, parseCommandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { stubVersion } from './version.ts'

enableCompileCache()

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

async function run(line: CommandLine): Promise<number | undefined> {
  switch (line.command) {
    case 'version':
      print(`otelcol version ${stubVersion}`)
      return 0
    case 'featuregate':
      print('ID  Enabled  Stage  Description')
      for (const gate of featureGates) print(`${gate.id}  ${gate.enabled}  ${gate.stage}  ${gate.description}`)
      return 0
    case 'components':
      print((await import('./components.ts')).describeComponents())
      return 0
    case 'validate': {
      const { loadConfiguration } = await import('./configuration.ts')
      const { checkConfiguration } = await import('./check.ts')
      checkConfiguration(loadConfiguration(line), line.featureGates)
      return 0
    }
    case 'run': {
      const { Collector } = await import('./collector.ts')
      new Collector(line).run()
      return undefined // it ends by itself or by a signal
    }
    default:
      return line.command satisfies never
  }
}

try {
  const code = await run(parseCommandLine(process.argv.slice(2)))
  if (code !== undefined) process.exitCode = code
} catch (error) {
  process.stderr.write(`Error: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
