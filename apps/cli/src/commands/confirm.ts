/** Asks before something is destroyed. */
import { flag } from '../command/spec.ts'
import { CliError, UsageError } from '../errors.ts'
import type { Io } from '../io.ts'

export const yesOption = { yes: flag('-y, --yes', 'do it without asking') } as const

/** Returns when the person agrees; throws otherwise. Where nobody can answer, `--yes` is required. */
export async function confirm(io: Io, question: string, options: { readonly yes: boolean }): Promise<void> {
  if (options.yes) return
  if (!io.canAsk) throw new UsageError(`${question} Say --yes, as there is no terminal to ask on.`)
  const answer = await io.ask(`${question} [y/N] `)
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('nothing was done')
}
