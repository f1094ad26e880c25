/** What the server answered, or that it did not, as a sentence. */
import { ApiError, ApiUnreachableError } from '@drover/api'
import type { Problem } from '@drover/api'
import { CliError } from './errors.ts'
import { printable } from './output/text.ts'

/** The same error when it is none of the API's. */
export function sayApiError(error: unknown): unknown {
  if (error instanceof ApiError) return new CliError(describeProblem(error.problem), { cause: error })
  if (error instanceof ApiUnreachableError)
    return new CliError(`${printable(error.message)}: is the server running, and is --url or DROVER_URL right?`, { cause: error })
  return error
}

function describeProblem(problem: Problem): string {
  const lines = [problem.detail]
  for (const { field, message } of problem.errors ?? [])
    if (message !== problem.detail && `${field}: ${message}` !== problem.detail) lines.push(`  ${field}: ${message}`)
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
