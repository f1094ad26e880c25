/** Finds the agent that a person means: by id, instance uid or name. */
import type { AgentSummary } from '@drover/api'
import type { ClientContext } from '../../command/command.ts'
import { CliError } from '../../errors.ts'

const idOrUid = /^(agt_[0-9a-z]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i
const mostCandidates = 20

/** An id or instance uid as it is; for a name the id of the one agent that has it. */
export async function findAgentId({ api }: Pick<ClientContext, 'api'>, given: string): Promise<string> {
  if (idOrUid.test(given)) return given
  const { data } = await api.listAgents({ query: { search: given, limit: mostCandidates } })
  const exact = data.items.filter(({ name, hostName }) => name === given || hostName === given)
  const candidates = exact.length > 0 ? exact : data.items
  const [found, ...others] = candidates
  if (found === undefined) throw new CliError(`there is no agent "${given}"; drover agents list shows them`)
  if (others.length > 0) throw new CliError(`"${given}" means several agents, give an id:\n${candidates.map((agent) => `  ${describe(agent)}`).join('\n')}`)
  return found.id
}

const describe = (agent: AgentSummary) => `${agent.id}  ${agent.name}  ${agent.instanceUid}`
