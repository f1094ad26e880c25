/** Why a command ends with another exit code than 0, and how that is said to a person. */
import { ApiError, ApiUnreachableError } from '@drover/api'
import type { Problem } from '@drover/api'
import { printable } from './output/text.ts'

export const exitCodes = { done: 0, failed: 1, usage: 2 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Refused or failed; the message is for a person. */
export class CliError extends Error {
  override readonly name = 'CliError'
}

/** The command was written wrongly. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** One or more lines that say what was wrong and what to do; no stack. */
export function describeError(error: unknown): string {
  if (error instanceof ApiError) return describeProblem(error.problem)
  if (error instanceof ApiUnreachableError) return `${error.message}: is the server running, and is --url or DROVER_URL right?`
  if (error instanceof Error) return printable(error.message, 'lines')
  return printable(String(error), 'lines')
}

function describeProblem(problem: Problem): string {
  const lines = [problem.detail]
  for (const { field, message } of problem.errors ?? []) if (message !== problem.detail) lines.push(`  ${field}: ${message}`)
  const current = describeCurrent(problem.current)
  if (current !== undefined) lines.push(`  ${current}`)
  if (problem.status === 401) lines.push('  Give a token with --token, --token-file or DROVER_TOKEN; the server keeps one in admin.token of its data folder.')
  if (problem.status >= 500 && problem.requestId !== undefined) lines.push(`  The server's log has the cause under request ${problem.requestId}.`)
  return lines.map((line) => printable(line)).join('\n')
}

/** What a resource became in the meantime, in a version conflict. */
function describeCurrent(current: unknown): string | undefined {
  if (typeof current !== 'object' || current === null) return undefined
  const { latest, revision } = current as { latest?: { version?: unknown; author?: unknown }; revision?: { number?: unknown; author?: unknown } }
  if (latest?.version !== undefined) return `It is at version ${String(latest.version)} now, by ${String(latest.author)}.`
  if (revision?.number !== undefined) return `It is at revision ${String(revision.number)} now, by ${String(revision.author)}.`
  return undefined
}
