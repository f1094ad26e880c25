/** `drover status`: how the server is. */
import type { AgentCounts } from '@drover/api'
import { clientCommand } from '../command/command.ts'
import { formatBytes, formatDuration } from '../output/time.ts'

export const statusCommand = clientCommand({
  name: 'status',
  description: 'Show how the server and the fleet are',
  args: {},
  options: {},
  examples: [{ run: 'status -o json', what: 'for a script' }],
  async run({ api, connection, output }) {
    const { data } = await api.getStatus({})
    output.result(data, () =>
      output.facts([
        ['Server', `${connection.url} (version ${data.version}, up ${formatDuration(data.uptimeSeconds * 1000)})`],
        ['Agents', describeCounts(data.agents)],
        ['Endpoint', data.agentsEndpoint],
        ['Configs', String(data.configs)],
        ['Groups', String(data.groups)],
        ['Store', `${data.store.kind}, schema ${data.store.schemaVersion}, ${formatBytes(data.store.bytes)}, ${data.store.state}`],
        ['', data.store.detail ?? undefined],
        ['Memory', formatBytes(data.residentBytes)],
        ['Demo', data.demoAgents > 0 ? `${data.demoAgents} scripted agents` : undefined],
        ['Last event', String(data.lastEventId)],
      ]),
    )
  },
})

/** `12 (11 connected, 1 stale, 2 failed)`; what is zero is left out. */
export function describeCounts(counts: AgentCounts): string {
  const parts = (['connected', 'stale', 'unhealthy', 'applying', 'applied', 'failed', 'unmanaged'] as const)
    .filter((name) => counts[name] > 0)
    .map((name) => `${counts[name]} ${name}`)
  return parts.length === 0 ? String(counts.total) : `${counts.total} (${parts.join(', ')})`
}
