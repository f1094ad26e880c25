/** `drover rollouts start`: a draft, or a group's way to a revision that it has already. `drover rollouts delete`: a draft that is not wanted. */
import { clientCommand } from '../../command/command.ts'
import type { ClientContext } from '../../command/command.ts'
import { integer } from '../../command/spec.ts'
import { UsageError } from '../../errors.ts'
import { countOf } from '../../output/text.ts'
import { confirm, confirmAllAtOnce, yesOption } from '../confirm.ts'
import { findRolloutId, rolloutArgument } from './find-rollout.ts'
import { planOptions, readRolloutStart } from './plan-options.ts'

export const startRollout = clientCommand({
  name: 'start',
  description: 'Start a rollout that was prepared, or take a group to one of its revisions',
  args: { rollout: rolloutArgument },
  options: {
    revision: integer('--revision <number>', 'with the name of a group: the revision to go to, e.g. an earlier one', { min: 1, max: 999_999_999 }),
    ...planOptions,
    ...yesOption,
  },
  examples: [
    { run: 'rollouts start gateways', what: 'the draft that was prepared for the group' },
    { run: 'rollouts start gateways --revision 4 --plan quick', what: 'back to an earlier revision' },
  ],
  async run(context, args, options) {
    const { api, io, output } = context
    if (options.revision === undefined) {
      if (options.plan !== undefined || options.allAtOnce || options.draft)
        throw new UsageError('a draft has its plan already: give --revision, or leave the plan out')
      const rolloutId = await findRolloutId(context, args.rollout)
      const { data: draft } = await api.getRollout({ params: { rolloutId } })
      const isAllAtOnce = draft.state === 'draft' && draft.preset === 'everyone'
      await confirmAllAtOnce(io, { ...options, allAtOnce: isAllAtOnce }, () => whoGetsIt(context, draft.group, draft.to))
      const { data } = await api.actOnRollout({ params: { rolloutId, action: 'start' }, body: { reason: options.reason ?? '' } })
      output.result(data, () => `${data.id}\n`)
      output.note(`${data.summary} Follow it with: drover rollouts watch ${data.id}`)
      return
    }
    const { revision } = options
    await confirmAllAtOnce(io, options, () => whoGetsIt(context, args.rollout, revision))
    const body = { group: args.rollout, revision, ...(await readRolloutStart(context, options)) }
    const { data } = await api.createRollout({ body, idempotencyKey: crypto.randomUUID() })
    output.result(data, () => `${data.id}\n`)
    output.note(
      data.state === 'draft'
        ? `It is prepared. Start it with: drover rollouts start ${data.id}`
        : `${data.summary} Follow it with: drover rollouts watch ${data.id}`,
    )
  },
})

/** Also those who have it from the revision before. */
async function whoGetsIt({ api }: ClientContext, group: string, revision: number): Promise<string> {
  const { data } = await api.previewRollout({ body: { change: { group, revision }, rollout: { preset: 'everyone' } } })
  return `revision ${revision} to all ${countOf(data.agents, 'agent')} of "${group}" (${data.changing} get another configuration)`
}

export const deleteRollout = clientCommand({
  name: 'delete',
  description: 'Delete a rollout that was prepared and never started',
  args: { rollout: rolloutArgument },
  options: yesOption,
  examples: [{ run: 'rollouts delete rol_4f2k --yes', what: 'without being asked' }],
  async run(context, args, options) {
    const rolloutId = await findRolloutId(context, args.rollout)
    await confirm(context.io, `Delete the prepared rollout ${rolloutId}?`, options)
    await context.api.deleteDraftRollout({ params: { rolloutId } })
    context.output.note(`Rollout ${rolloutId} is deleted.`)
  },
})
