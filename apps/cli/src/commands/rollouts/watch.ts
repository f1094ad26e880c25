/** `drover rollouts watch`: what is decided, and how far it is, until it is over. */
import { Rollout, routeUrl, routes } from '@drover/api'
import { clientCommand } from '../../command/command.ts'
import type { ClientContext } from '../../command/command.ts'
import { flag } from '../../command/spec.ts'
import { CliError } from '../../errors.ts'
import { followStream } from '../../live/server-sent-events.ts'
import { untilInterrupted } from '../../live/until-interrupted.ts'
import { printable } from '../../output/text.ts'
import { isOver, progressText, stateText } from './describe.ts'
import { findRolloutId, rolloutArgument } from './find-rollout.ts'
import { decisionLine } from './show.ts'

const decisionsAtOnce = 100

export const watchRollout = clientCommand({
  name: 'watch',
  description: 'Follow a rollout until it is over; exit code 1 unless it completed',
  args: { rollout: rolloutArgument },
  options: { quiet: flag('-q, --quiet', 'only what is decided, without the counts in between') },
  examples: [{ run: 'rollouts watch gateways', what: 'in a pipeline: fails when the change was taken back' }],
  async run(context, args, { quiet }) {
    const rolloutId = await findRolloutId(context, args.rollout)
    let last: Rollout | undefined
    await untilInterrupted(context.io, async (signal) => {
      last = await follow(context, rolloutId, quiet, signal)
    })
    if (last !== undefined && isOver(last) && last.state !== 'completed') throw new CliError(last.summary)
  },
})

/** The rollout as it was last heard of. */
async function follow(context: ClientContext, rolloutId: string, quiet: boolean, signal: AbortSignal): Promise<Rollout | undefined> {
  const { connection, output } = context
  const note = { onLost: (reason: string) => output.note(`connection lost (${reason}), trying again`), onBack: () => output.note('connected again') }
  let told = 0
  let line = ''
  let rollout: Rollout | undefined
  for await (const message of followStream({ connection, signal, ...note }, () => routeUrl(routes.streamRollout, { rolloutId }, {}))) {
    rollout = Rollout.parse(JSON.parse(message))
    const now = rollout
    if (output.format !== 'table') output.item(now, () => '')
    else {
      told = await tellDecisions(context, rolloutId, told)
      const next = `${stateText(now)}, ${progressText(now)}`
      if (!quiet && next !== line) output.item(now, () => `${context.output.paint('dim', printable(next))}\n`)
      line = next
    }
    if (isOver(now)) break
  }
  return rollout
}

/** Prints what was decided after the decision `told`; gives the number of the last. */
async function tellDecisions({ api, output }: ClientContext, rolloutId: string, told: number): Promise<number> {
  const { data } = await api.listRolloutDecisions({ params: { rolloutId }, query: { limit: decisionsAtOnce } })
  const fresh = data.items.filter(({ seq }) => seq > told).toReversed()
  for (const decision of fresh) output.item(decision, () => decisionLine(decision))
  return fresh.at(-1)?.seq ?? told
}
