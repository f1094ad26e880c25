/** Why a command ends with another exit code than 0, and how that is said to a person. */
import { printable } from './output/text.ts'

/** waits: nothing goes on until a person acts. */
export const exitCodes = { done: 0, failed: 1, usage: 2, waits: 3 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Refused or failed; the message is for a person. */
export class CliError extends Error {
  override readonly name: string = 'CliError'
}

/** What was followed waits for a person; the message says for what. */
export class WaitsError extends CliError {}

/** The command was written wrongly. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** One or more lines that say what was wrong and what to do; no stack. */
export function describeError(error: unknown): string {
  if (error instanceof Error) return printable(error.message, 'lines')
  return printable(String(error), 'lines')
}
