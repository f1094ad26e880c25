/** `drover rollouts watch`: what is decided, and how far it is, until it is over. */
import { Rollout, routeUrl, routes } from '@drover/api'
import { clientCommand } from '../../command/command.ts'
import type { ClientContext } from '../../command/command.ts'
import { flag } from '../../command/spec.ts'
import { CliError, WaitsError } from '../../errors.ts'
import { followStream } from '../../live/server-sent-events.ts'
import { untilInterrupted } from '../../live/until-interrupted.ts'
import { printable } from '../../output/text.ts'
import { isOver, possibleCommands, progressText, stateText } from './describe.ts'
import { findRolloutId, rolloutArgument } from './find-rollout.ts'
import { decisionLine } from './show.ts'

const decisionsAtOnce = 100

export const watchRollout = clientCommand({
  name: 'watch',
  description: 'Follow a rollout until it is over; exit code 1 unless it completed. One that waits for a person is followed on, and it says so',
  args: { rollout: rolloutArgument },
  options: {
    quiet: flag('-q, --quiet', 'only what is decided, without the counts in between'),
    exitOnPause: flag('--exit-on-pause', 'end with exit code 3 when it waits for a person: paused, not started, or for an approval'),
  },
  examples: [
    { run: 'rollouts watch gateways', what: 'in a pipeline: fails when the change was taken back' },
    { run: 'rollouts watch gateways --exit-on-pause', what: 'where nobody looks: does not wait for a person' },
  ],
  async run(context, args, options) {
    const rolloutId = await findRolloutId(context, args.rollout)
    let last: Rollout | undefined
    await untilInterrupted(context.io, async (signal) => {
      last = await follow(context, rolloutId, options, signal)
    })
    if (last === undefined) return
    if (isOver(last) && last.state !== 'completed') throw new CliError(last.summary)
    if (options.exitOnPause && last.waitsForPerson) throw new WaitsError(waitingText(last))
  },
})

interface FollowOptions {
  readonly quiet: boolean
  readonly exitOnPause: boolean
}

/** The rollout as it was last heard of. */
async function follow(context: ClientContext, rolloutId: string, { quiet, exitOnPause }: FollowOptions, signal: AbortSignal): Promise<Rollout | undefined> {
  const { connection, output } = context
  const note = { onLost: (reason: string) => output.note(`connection lost (${reason}), trying again`), onBack: () => output.note('connected again') }
  let told = 0
  let line = ''
  let waitsIn: Rollout['state'] | undefined
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
    if (isOver(now) || (exitOnPause && now.waitsForPerson)) break
    if (now.waitsForPerson && now.state !== waitsIn) output.note(waitingText(now))
    waitsIn = now.waitsForPerson ? now.state : undefined
  }
  return rollout
}

/** Why nothing goes on by itself, and what to do. */
function waitingText(rollout: Rollout): string {
  const commands = possibleCommands(rollout)
  const what = commands.length === 0 ? 'Ask somebody who may change it.' : `Decide with: ${commands.join('; ')}`
  return `Waits for a person. ${rollout.summary} ${what}`
}

/** Prints what was decided after the decision `told`; gives the number of the last. */
async function tellDecisions({ api, output }: ClientContext, rolloutId: string, told: number): Promise<number> {
  const { data } = await api.listRolloutDecisions({ params: { rolloutId }, query: { limit: decisionsAtOnce } })
  const fresh = data.items.filter(({ seq }) => seq > told).toReversed()
  for (const decision of fresh) output.item(decision, () => decisionLine(decision))
  return fresh.at(-1)?.seq ?? told
}
