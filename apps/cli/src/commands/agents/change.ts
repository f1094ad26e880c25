/** `drover agents label|restart|retry|forget`. */
import { clientCommand } from '../../command/command.ts'
import { anyArguments, argument, someArguments } from '../../command/spec.ts'
import { UsageError } from '../../errors.ts'
import { confirm, yesOption } from '../confirm.ts'
import { findAgentId } from './find-agent.ts'
import { pairs } from './show.ts'

const agents = someArguments('ids, instance uids or names', { completes: 'agent' })

export const labelAgent = clientCommand({
  name: 'label',
  description: 'Set or remove labels of an agent; without any, show them',
  args: { agent: argument('id, instance uid or name', { completes: 'agent' }), labels: anyArguments('name=value sets, name- removes') },
  options: {},
  examples: [{ run: 'agents label web-1 site=ber ring=canary old-', what: 'two set, one removed' }],
  async run(context, args) {
    const { api, output } = context
    const params = { agentId: await findAgentId(context, args.agent) }
    const before = await api.getAgent({ params })
    const wanted = applyLabels(before.data.labels, args.labels)
    const { data } =
      args.labels.length === 0 ? before : await api.setLabels({ params, body: { labels: wanted }, ...(before.etag === null ? {} : { ifMatch: before.etag }) })
    output.result(data.labels, () =>
      Object.entries(data.labels)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    )
    if (args.labels.length > 0) output.note(`Labels of ${data.name}: ${pairs(data.labels) || 'none'}`)
  },
})

/** `name=value` sets a label, `name-` removes it. */
export function applyLabels(labels: Readonly<Record<string, string>>, changes: readonly string[]): Record<string, string> {
  const result = new Map(Object.entries(labels))
  for (const change of changes) {
    const [, name = '', value] = /^([^=]+?)(?:=(.*)|-)$/s.exec(change) ?? []
    if (name === '') throw new UsageError(`"${change}" is neither name=value nor name-`)
    if (value === undefined) result.delete(name)
    else result.set(name, value)
  }
  return Object.fromEntries(result)
}

export const restartAgents = clientCommand({
  name: 'restart',
  description: 'Ask agents to restart',
  args: { agents },
  options: yesOption,
  examples: [{ run: 'agents restart web-1 --yes', what: 'without being asked' }],
  async run(context, args, options) {
    await confirm(context.io, `Restart ${args.agents.join(', ')}?`, options)
    for (const given of args.agents) {
      const { data } = await context.api.restartAgent({ params: { agentId: await findAgentId(context, given) } })
      context.output.note(data.delivery === 'sent' ? `${given} was told to restart.` : `${given} will be told to restart when it polls or connects.`)
    }
  },
})

export const retryAgents = clientCommand({
  name: 'retry',
  description: 'Offer agents the configuration again that they failed',
  args: { agents },
  options: {},
  examples: [{ run: 'agents retry web-1', what: 'after its disk was cleaned up' }],
  async run(context, args) {
    for (const given of args.agents) {
      const { data } = await context.api.retryAgent({ params: { agentId: await findAgentId(context, given) } })
      context.output.note(`${given} is offered ${data.hash.slice(0, 12)} again.`)
    }
  },
})

export const forgetAgents = clientCommand({
  name: 'forget',
  description: 'Forget agents; one that connects again comes back as new',
  args: { agents },
  options: yesOption,
  examples: [{ run: 'agents forget web-1 --yes', what: 'a host that is gone' }],
  async run(context, args, options) {
    await confirm(context.io, `Forget ${args.agents.join(', ')} with labels and history?`, options)
    for (const given of args.agents) {
      await context.api.forgetAgent({ params: { agentId: await findAgentId(context, given) } })
      context.output.note(`${given} is forgotten.`)
    }
  },
})
