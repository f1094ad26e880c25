/** `drover rollouts approve|pause|resume|promote|retry|stop|rollback`. */
import type { Rollout, RolloutActionName } from '@drover/api'
import { clientCommand } from '../../command/command.ts'
import { text } from '../../command/spec.ts'
import { confirm, yesOption } from '../confirm.ts'
import { revisionsText } from './describe.ts'
import { findRolloutId, rolloutArgument } from './find-rollout.ts'

interface Action {
  readonly name: string
  readonly action: RolloutActionName
  readonly description: string
  /** What is done, as a question; absent: it is done without one. */
  readonly question?: (seen: Rollout) => string
  readonly example: { readonly reason: string; readonly what: string }
}

function action({ name, action: given, description, question, example }: Action) {
  return clientCommand({
    name,
    description,
    args: { rollout: rolloutArgument },
    options: { reason: text('-m, --reason <text>', 'why, for the log'), ...yesOption },
    examples: [{ run: `rollouts ${name} gateways -m "${example.reason}"`, what: example.what }],
    async run(context, args, options) {
      const { api, io, output } = context
      const rolloutId = await findRolloutId(context, args.rollout)
      const { data: seen } = await api.getRollout({ params: { rolloutId } })
      if (question !== undefined) await confirm(io, `${question(seen)} (${seen.group}, ${revisionsText(seen)}, ${seen.agents} agents)`, options)
      const wave = seen.wave === null ? {} : { wave: seen.wave.number }
      const { data } = await api.actOnRollout({ params: { rolloutId, action: given }, body: { reason: options.reason ?? '', ...wave } })
      output.result(data, () => `${data.id} ${data.state}\n`)
      output.note(data.summary)
    },
  })
}

export const approveRollout = action({
  name: 'approve',
  action: 'approve',
  description: 'Let a rollout go on that waits for approval',
  example: { reason: 'looked at the preview', what: 'by another person than the one who started it, if the plan asks for that' },
})
export const pauseRollout = action({
  name: 'pause',
  action: 'pause',
  description: 'Open no further wave and release no further agent until it is resumed',
  example: { reason: 'incident elsewhere', what: 'who has the change keeps it' },
})
export const resumeRollout = action({
  name: 'resume',
  action: 'resume',
  description: 'Go on with a paused rollout; what was bad so far is let pass',
  example: { reason: 'unrelated', what: 'after looking at why it paused' },
})
export const promoteRollout = action({
  name: 'promote',
  action: 'promote',
  description: 'End the open wave early, whatever its gates say, and go to the next',
  question: () => 'End the open wave early?',
  example: { reason: 'urgent fix', what: 'without waiting for the soak' },
})
export const retryRollout = action({
  name: 'retry',
  action: 'retry',
  description: 'Offer the change once more to the agents that failed it, and to no others',
  example: { reason: 'disk is free again', what: 'the failed ones only' },
})
export const stopRollout = action({
  name: 'stop',
  action: 'stop',
  description: 'End a rollout where it is: who has the change keeps it, nobody else gets it. Of a rollback, end the waiting for agents that are not back',
  question: ({ state }) => (state === 'rollingBack' ? 'Wait no longer for agents that are not back?' : 'Stop it and leave the group divided?'),
  example: { reason: 'superseded by another plan', what: 'rollback takes it back later' },
})
export const rollBackRollout = action({
  name: 'rollback',
  action: 'rollBack',
  description: 'Take the change back from every agent that has it',
  question: () => 'Take the change back?',
  example: { reason: 'drops spans', what: 'agents that are offline get the earlier revision when they return' },
})
