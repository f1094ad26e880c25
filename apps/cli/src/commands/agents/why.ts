/** `drover agents why`: where an agent's configuration comes from, or why it has none. */
import { clientCommand } from '../../command/command.ts'
import type { ClientContext } from '../../command/command.ts'
import { argument } from '../../command/spec.ts'
import type { Output } from '../../output/format.ts'
import { printable } from '../../output/text.ts'
import { findAgentId } from './find-agent.ts'

type Desired = Awaited<ReturnType<ClientContext['api']['getDesiredConfig']>>['data']

export const whyAgent = clientCommand({
  name: 'why',
  description: 'Explain what an agent should run and why',
  args: { agent: argument('id, instance uid or name', { completes: 'agent' }) },
  options: {},
  examples: [{ run: 'agents why web-1', what: 'which group gives it what, who wins, and what differs from what it runs' }],
  async run(context, args) {
    const { data } = await context.api.getDesiredConfig({ params: { agentId: await findAgentId(context, args.agent) } })
    context.output.result(data, () => explain(data, context.output))
  },
})

function explain(desired: Desired, output: Output): string {
  const source = (place: number) => {
    const fragment = desired.fragments[place]
    return fragment === undefined ? 'unknown' : `${fragment.config}@${fragment.version} of ${fragment.group}`
  }
  return [
    `${printable(desired.reason)}\n`,
    section(
      output,
      'Parts, the last one wins',
      desired.fragments.map(
        (part) => `${part.config}@${part.version}  group ${part.group} (priority ${part.priority}, revision ${part.revision})  ${part.file}`,
      ),
    ),
    section(
      output,
      'Set more than once',
      desired.overrides.map(({ path, winner, losers }) => `${path}: ${source(winner)} wins over ${losers.map(source).join(', ')}`),
    ),
    section(
      output,
      'Groups that add nothing',
      desired.skipped.map(({ group, reason }) => `${group}: ${reason}`),
    ),
    desired.heldBack === null
      ? ''
      : section(output, 'Held back', [
          `it failed ${desired.heldBack.failedHash.slice(0, 12)}: ${desired.heldBack.errorMessage}`,
          'offer it again with: drover agents retry',
        ]),
    section(
      output,
      'Differs from what it runs',
      desired.drift.map(
        ({ path, kind, desired: wanted, effective }) =>
          `${path}: ${kind === 'missing' ? 'missing' : `is ${JSON.stringify(effective)}`}, should be ${JSON.stringify(wanted)}`,
      ),
    ),
  ].join('')
}

function section(output: Output, title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : output.heading(title) + lines.map((line) => `  ${printable(line)}\n`).join('')
}
