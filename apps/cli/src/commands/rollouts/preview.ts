/** `drover rollouts preview`: who would get a change in which wave, before anybody does. */
import type { RolloutPreview } from '@drover/api'
import { clientCommand } from '../../command/command.ts'
import type { ClientContext } from '../../command/command.ts'
import { argument, integer, text } from '../../command/spec.ts'
import type { Column } from '../../output/table.ts'
import { countOf, printable } from '../../output/text.ts'
import { formatDuration } from '../../output/time.ts'
import { findAgentId } from '../agents/find-agent.ts'
import { findingLine } from '../configs/findings.ts'
import { changeOptions, changedGroup } from '../groups/change.ts'
import { diffText } from '../configs/diff-text.ts'
import { planOptions, readRolloutStart } from './plan-options.ts'

export const previewRollout = clientCommand({
  name: 'preview',
  description: 'Show who would get a change of a group in which wave, and who cannot run it',
  args: { group: argument('name of the group', { completes: 'group' }) },
  options: {
    ...changeOptions,
    revision: integer('--revision <number>', 'a revision that the group has already, instead of a change', { min: 1, max: 999_999_999 }),
    agent: text('--agent <agent>', 'what changes for this agent instead', { completes: 'agent' }),
    plan: planOptions.plan,
    allAtOnce: planOptions.allAtOnce,
  },
  examples: [
    { run: 'rollouts preview gateways --upgrade gateway --plan careful', what: 'the waves of a plan' },
    { run: 'rollouts preview gateways --upgrade gateway --agent web-1', what: 'the rendered difference for one agent' },
  ],
  async run(context, args, given) {
    const { api, output } = context
    const change = given.revision === undefined ? await groupChange(context, args.group, given) : { group: args.group, revision: given.revision }
    if (given.agent !== undefined) {
      const { data } = await api.previewAgentChange({ params: { agentId: await findAgentId(context, given.agent) }, body: { change } })
      output.result(data, () => diffText(data.unified, output.paint))
      if (data.unified === '') output.note(`Nothing changes for ${data.agentName}.`)
      return
    }
    const rollout = await readRolloutStart(context, { ...given, draft: false, reason: undefined })
    const { data } = await api.previewRollout({ body: { change, ...(rollout === undefined ? {} : { rollout }) } })
    output.result(data, () => describePreview(context, data))
  },
})

async function groupChange(context: ClientContext, name: string, given: Parameters<typeof changedGroup>[2]) {
  const { data } = await context.api.getGroup({ params: { name } })
  return { group: name, ...(await changedGroup(context, data, given)) }
}

/** Waves, sentences of the plan, and what stands in the way. */
export function describePreview({ output }: ClientContext, preview: RolloutPreview): string {
  const lines = (title: string, items: readonly string[]) => (items.length === 0 ? '' : output.heading(title) + items.map((item) => `  ${item}\n`).join(''))
  return [
    output.facts([
      ['Agents', `${preview.agents}, of which ${preview.changing} get another configuration`],
      ['Not accepting', preview.notAccepting > 0 ? `${countOf(preview.notAccepting, 'agent')} without remote configuration` : undefined],
      ['Takes at least', formatDuration(preview.atLeastMs)],
      ['Waits for', preview.blockers.length === 0 ? undefined : preview.blockers.map(({ id, group }) => `${id} (${group})`).join(', ')],
      ['Supersedes', preview.supersedes ?? undefined],
    ]),
    output.heading('Waves'),
    output.table(
      waveColumns,
      preview.waves.map((wave, index) => ({ ...wave, number: index + 1 })),
    ),
    lines(
      'Plan',
      preview.plan.map((sentence) => printable(sentence)),
    ),
    lines(
      'Findings',
      preview.findings.map((finding) => findingLine(finding, output.paint)),
    ),
  ].join('')
}

type PreviewWave = RolloutPreview['waves'][number] & { readonly number: number }
const waveColumns: readonly Column<PreviewWave>[] = [
  { title: 'WAVE', value: ({ number }) => String(number), align: 'right' },
  { title: 'WHO', value: ({ label }) => label, flexible: true },
  { title: 'AGENTS', value: ({ agents }) => String(agents), align: 'right' },
  { title: 'CONNECTED', value: ({ connected }) => String(connected), align: 'right' },
  { title: 'SOAK', value: ({ soakMs }) => formatDuration(soakMs), align: 'right' },
  {
    title: 'LACKING',
    value: ({ missing }) => missing.map(({ kind, type, lacking }) => `${lacking} without ${kind} ${type}`).join(', '),
    flexible: true,
    paint: ({ missing }) => (missing.length > 0 ? 'bad' : undefined),
  },
  {
    title: 'E.G.',
    value: ({ sample }) =>
      sample
        .slice(0, 3)
        .map(({ name }) => name)
        .join(', '),
    flexible: true,
  },
]
