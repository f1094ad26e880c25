/** Runs a command line and gives its exit code: 0 done, 1 refused or failed, 2 wrong usage, 3 what was followed waits for a person. */
import { CommanderError } from 'commander'
import { buildProgram } from './command/build.ts'
import { loadRoot } from './commands/index.ts'
import { UsageError, WaitsError, describeError, exitCodes } from './errors.ts'
import type { ExitCode } from './errors.ts'
import type { Io } from './io.ts'
import { painterFor } from './output/colour.ts'
import manifest from '../package.json' with { type: 'json' }

export async function runCli(args: readonly string[], io: Io): Promise<ExitCode> {
  try {
    await buildProgram(await loadRoot(args), io, manifest.version).parseAsync(args, { from: 'user' })
    return exitCodes.done
  } catch (error) {
    if (error instanceof CommanderError) return reportUsage(error, io)
    if (error instanceof UsageError && error.message === '') return exitCodes.usage
    complain(io, describeError(error))
    return exitCodeOf(error)
  }
}

function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return exitCodes.usage
  return error instanceof WaitsError ? exitCodes.waits : exitCodes.failed
}

function reportUsage(error: CommanderError, io: Io): ExitCode {
  if (error.exitCode === 0) return exitCodes.done
  // What was too much may be a secret, typed where it does not belong.
  complain(io, error.message.replace(/^error: /, '').replace(/^(too many arguments [^]*? but got \d+): [^]*$/, '$1.'))
  return exitCodes.usage
}

function complain(io: Io, message: string): void {
  io.stderr.write(`${painterFor(io.stderr, io.env)('bad', 'drover:')} ${message}\n`)
}
