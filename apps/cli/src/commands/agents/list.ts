/** `drover agents list`. */
import { AgentStateFilter } from '@drover/api'
import { clientCommand } from '../../command/command.ts'
import { choice, integer, text } from '../../command/spec.ts'
import { readPages } from '../../live/pages.ts'
import { agentColumns } from './columns.ts'

const defaultLimit = 100
const sorts = ['name', '-name', 'lastSeenAt', '-lastSeenAt', 'firstSeenAt', '-firstSeenAt'] as const

export const filterOptions = {
  filter: text('--filter <selector>', 'only agents that it selects, e.g. "service.name = otelcol and label.site in (ber, ham)"'),
  state: choice('--state <state>', 'only agents in this state', AgentStateFilter.options),
  search: text('--search <text>', 'part of name, host name, uid or id'),
} as const

export const listAgents = clientCommand({
  name: 'list',
  description: 'List agents',
  args: {},
  options: {
    ...filterOptions,
    sort: choice('--sort <key>', 'order, with - from the end', sorts),
    limit: integer('--limit <count>', `how many at most (default ${defaultLimit}; 0 for all)`, { min: 0, max: 1_000_000 }),
  },
  examples: [
    { run: 'agents list --state failed', what: 'which agents refused their configuration' },
    { run: `agents list --filter 'host.name =~ "web-.*"' -o json`, what: 'for a script' },
  ],
  async run({ api, io, output }, _args, { limit = defaultLimit, ...given }) {
    const query = Object.fromEntries(Object.entries(given).filter(([name, value]) => value !== undefined && name in { ...filterOptions, sort: true }))
    const page = await readPages(limit, (place) => api.listAgents({ query: { ...query, ...place } }))
    output.result(page, () => (page.items.length === 0 ? '' : output.table(agentColumns(io.now()), page.items)))
    if (output.format !== 'table') return
    if (page.items.length === 0)
      output.note(Object.keys(query).length > 0 ? 'No agent matches.' : 'There are no agents yet. Add one with: drover tokens create my-hosts --for supervisor')
    else if (page.items.length < page.total) output.note(`${page.items.length} of ${page.total} agents; --limit 0 lists all.`)
  },
})
