/** `drover agents show`. */
import type { AgentDetail, HealthNode } from '@drover/api'
import { clientCommand } from '../../command/command.ts'
import { argument, flag } from '../../command/spec.ts'
import type { Output } from '../../output/format.ts'
import { printable } from '../../output/text.ts'
import { formatAgo, formatTime } from '../../output/time.ts'
import { connection, health } from './columns.ts'
import { findAgentId } from './find-agent.ts'

const shortHash = 12

export const showAgent = clientCommand({
  name: 'show',
  description: 'Show an agent: what it says of itself, its health and configuration',
  args: { agent: argument('id, instance uid or name', { completes: 'agent' }) },
  options: { effective: flag('--effective', 'the configuration it says it runs, secrets redacted, instead') },
  examples: [
    { run: 'agents show web-1', what: 'everything about it' },
    { run: 'agents show web-1 --effective', what: 'its effective configuration' },
  ],
  async run(context, args, { effective }) {
    const params = { agentId: await findAgentId(context, args.agent) }
    if (effective) {
      const { data } = await context.api.getEffectiveConfig({ params })
      context.output.result(data, () =>
        data.files.map(({ name, body }) => (data.files.length > 1 ? `# ${printable(name)}\n` : '') + printable(body, 'lines')).join('\n'),
      )
      if (data.files.length === 0) context.output.note('It has not reported an effective configuration.')
      return
    }
    const { data } = await context.api.getAgent({ params })
    context.output.result(data, () => describeAgent(data, context.output, context.io.now()))
  },
})

function describeAgent(agent: AgentDetail, output: Output, now: number): string {
  // A supervisor may say why in one line and add the end of the agent's log.
  const [error, ...log] = agent.configError?.split('\n') ?? []
  const sections = [
    output.facts([
      ['Id', agent.id],
      ['Name', agent.name],
      ['Instance uid', agent.instanceUid],
      ['Before', agent.previousInstanceUids.join(', ')],
      ['Service', [agent.serviceName, agent.serviceVersion].filter(Boolean).join(' ')],
      ['Host', [agent.hostName, agent.osType].filter(Boolean).join(', ')],
      ['Labels', pairs(agent.labels)],
      ['Groups', agent.groups.join(', ')],
      [
        'Connected',
        agent.connection === null
          ? `no, last seen ${formatAgo(agent.lastSeenAt, now)}`
          : `${connection(agent)}, from ${agent.connection.remoteAddress} over ${agent.transport ?? 'an unknown transport'} since ${formatTime(agent.connection.connectedAt)}`,
      ],
      ['Credential', agent.connection?.credential],
      ['Healthy', `${health(agent)}${agent.lastError === null ? '' : `: ${agent.lastError}`}`],
      ['Config', `${agent.configState}${error === undefined ? '' : `: ${error}`}`],
      ['Desired', agent.desiredConfigHash?.slice(0, shortHash)],
      ['Last good', agent.lastGoodConfigHash?.slice(0, shortHash)],
      ['First seen', formatTime(agent.firstSeenAt)],
      ['Capabilities', [...agent.capabilities, ...agent.customCapabilities].join(', ')],
      ['Components', agent.components === null ? undefined : `${agent.components.items.length}${agent.components.complete ? '' : ' (not all known yet)'}`],
    ]),
    section(
      output,
      'Attributes',
      Object.entries({ ...agent.identifyingAttributes, ...agent.nonIdentifyingAttributes }).map(([key, value]) => `${printable(key)} = ${attribute(value)}`),
    ),
    section(
      output,
      'What the agent said',
      log.map((line) => printable(line)),
    ),
    section(output, 'Health', agent.health === null ? [] : healthLines(agent.health, output, 0)),
  ]
  return sections.join('')
}

function section(output: Output, title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : output.heading(title) + lines.map((line) => `  ${line}\n`).join('')
}

function healthLines(node: HealthNode, output: Output, depth: number): readonly string[] {
  const state = node.healthy ? output.paint('good', 'healthy') : output.paint('bad', 'unhealthy')
  const rest = [node.status, node.lastError].filter((text) => text !== '').map((text) => printable(text))
  const line = `${'  '.repeat(depth)}${printable(node.name) || 'agent'}: ${[state, ...rest].join(', ')}`
  return [line, ...node.children.flatMap((child) => healthLines(child, output, depth + 1))]
}

const attribute = (value: unknown) => printable(typeof value === 'string' ? value : JSON.stringify(value))
export const pairs = (labels: Readonly<Record<string, string>>) =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ')
