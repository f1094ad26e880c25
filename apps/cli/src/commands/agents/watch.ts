/** `drover agents watch`: a line for each agent, and another whenever it changes. */
import type { AgentSummary } from '@drover/api'
import { clientCommand } from '../../command/command.ts'
import type { ClientContext } from '../../command/command.ts'
import { followEvents } from '../../live/event-stream.ts'
import { readPages } from '../../live/pages.ts'
import { untilInterrupted } from '../../live/until-interrupted.ts'
import type { Column } from '../../output/table.ts'
import { agentColumns } from './columns.ts'
import { filterOptions } from './list.ts'

const firstAgents = 100
/** Leaves room for longer names to come, so that later lines stay under the titles. */
const columnWidths = [20, 24, 24, 9, 7, 11, 16, 9]

export const watchAgents = clientCommand({
  name: 'watch',
  description: 'List agents, then print each again when it changes, until ctrl-c',
  args: {},
  options: filterOptions,
  examples: [{ run: 'agents watch --filter "label.site = ber"', what: 'while a configuration goes out' }],
  async run(context, _args, given) {
    const { api, output } = context
    const query = Object.fromEntries(Object.entries(given).filter(([name, value]) => value !== undefined && name in filterOptions)) as Filter
    const { data: status } = await api.getStatus({})
    const page = await readPages(firstAgents, (place) => api.listAgents({ query: { ...query, ...place } }))
    const shown = new Map<string, string>()
    if (output.format === 'table') output.item(undefined, () => output.table(columns(context), [], { widths: columnWidths }))
    for (const agent of page.items) show(context, shown, agent)
    if (page.items.length < page.total) output.note(`${page.items.length} of ${page.total} agents; the others appear when they change.`)
    await untilInterrupted(context.io, (signal) => follow(context, query, shown, status.lastEventId, signal))
  },
})

type Filter = { readonly filter?: string; readonly search?: string; readonly state?: 'connected' }

async function follow(context: ClientContext, query: Filter, shown: Map<string, string>, after: number, signal: AbortSignal): Promise<void> {
  const { api, connection, output } = context
  const note = { onLost: (reason: string) => output.note(`connection lost (${reason}), trying again`), onBack: () => output.note('connected again') }
  for await (const event of followEvents({ connection, after, kind: 'agent,attempt', signal, ...note })) {
    if (event.kind === 'agent.forgotten') {
      shown.delete(event.subject)
      continue
    }
    const agentId = typeof event.data['agentId'] === 'string' ? event.data['agentId'] : event.subject
    const { data } = await api.listAgents({ query: { ...query, search: agentId, limit: 1 }, signal })
    for (const agent of data.items) if (agent.id === agentId) show(context, shown, agent)
  }
}

/** Prints an agent unless its line would be the same as before. */
function show(context: ClientContext, shown: Map<string, string>, agent: AgentSummary): void {
  const { lastSeenAt: _, ...facts } = agent
  const key = JSON.stringify(facts)
  if (shown.get(agent.id) === key) return
  shown.set(agent.id, key)
  context.output.item(agent, () => context.output.table(columns(context), [agent], { headless: true, widths: columnWidths }))
}

const columns = ({ io }: ClientContext): readonly Column<AgentSummary>[] => agentColumns(io.now())
