/** Asks before something is destroyed. */
import { flag } from '../command/spec.ts'
import { CliError, UsageError } from '../errors.ts'
import type { Io } from '../io.ts'

export const yesOption = { yes: flag('-y, --yes', 'do it without asking') } as const

/** Asks before a change reaches all of its agents at the same time; not where it is only prepared. `what`: e.g. `revision 4 to all 12 agents of "web"`. */
export async function confirmAllAtOnce(
  io: Io,
  options: { readonly yes: boolean; readonly allAtOnce: boolean; readonly draft: boolean },
  what: () => Promise<string>,
): Promise<void> {
  if (options.allAtOnce && !options.draft && !options.yes) await confirm(io, `Give ${await what()} at the same time, without waves?`, options)
}

/** Returns when the person agrees; throws otherwise. Where nobody can answer, `--yes` is required. */
export async function confirm(io: Io, question: string, options: { readonly yes: boolean }): Promise<void> {
  if (options.yes) return
  if (!io.canAsk) throw new UsageError(`${question} Say --yes, as there is no terminal to ask on.`)
  const answer = await io.ask(`${question} [y/N] `)
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('nothing was done')
}
