/** The kinds of events to choose from: whole areas first, then each kind. Pure. */
import { EventKind } from '@drover/api'

const areas: Readonly<Record<string, string>> = {
  agent: 'Agents',
  attempt: 'Attempts',
  config: 'Configs',
  group: 'Groups',
  rollout: 'Rollouts',
  secret: 'Secrets',
  webhook: 'Webhooks',
  token: 'Tokens',
  session: 'Sessions',
  access: 'Access',
  server: 'Server',
}

/** `agent` stands for every `agent.…`, as in the events API. */
export const kindOptions = [
  { group: 'All about', items: Object.entries(areas).map(([value, label]) => ({ value, label })) },
  { group: 'One kind', items: EventKind.options.map((kind) => ({ value: kind as string, label: kind as string })) },
]
