/** Waiting for agents to be as a scenario wants them. */
import type { AgentDetail, Attempt } from '@drover/api'
import type { Server, UntilOptions } from '../harness/index.ts'

/** The agent with that instance uid (default: the only one), as soon as it fits. */
export async function untilAgent(
  server: Server,
  fits: (agent: AgentDetail) => boolean,
  options: UntilOptions & { readonly agentId?: string },
): Promise<AgentDetail> {
  let last: AgentDetail | undefined
  try {
    return await server.until(async (api) => {
      const agentId = options.agentId ?? (await api.listAgents({})).data.items[0]?.id
      if (agentId === undefined) return undefined
      last = (await api.getAgent({ params: { agentId } })).data
      return fits(last) ? last : undefined
    }, options)
  } catch (error) {
    throw new Error(`the agent was last seen as ${JSON.stringify(last, null, 1)}`, { cause: error })
  }
}

/** Connected, running, and with everything reported that a scenario looks at. */
export function isUp(agent: AgentDetail): boolean {
  return agent.connected && agent.healthy === true && agent.effectiveConfigHash !== null
}

/** What was offered to the agent, oldest first. */
export async function attemptsOf(server: Server, agentId: string): Promise<readonly Attempt[]> {
  const { data } = await server.api.listAgentAttempts({ params: { agentId }, query: { limit: 500 } })
  return data.items.toReversed()
}

/** Makes a config with one file and returns its name. */
export async function createConfig(server: Server, name: string, body: string): Promise<void> {
  await server.api.createConfig({ body: { name, files: [{ name: `${name}.yaml`, body }] } })
}

/** Gives every agent that the selector matches the newest version of the configs, and nothing else, without waves. */
export async function assign(server: Server, group: string, configs: readonly string[], more: { selector?: string; priority?: number } = {}): Promise<void> {
  const refs = await Promise.all(
    configs.map(async (config) => ({ config, version: (await server.api.getConfig({ params: { name: config } })).data.latest.version })),
  )
  const body = { selector: more.selector ?? '*', priority: more.priority ?? 0, configs: refs, ownTelemetry: null, rollout: { preset: 'everyone' as const } }
  const { data } = await server.api.listGroups({})
  if (!data.items.some(({ name }) => name === group)) {
    await server.api.createGroup({ body: { name: group, ...body } })
    return
  }
  const { etag } = await server.api.getGroup({ params: { name: group } })
  await server.api.setGroup({ params: { name: group }, body, ...(etag === null ? {} : { ifMatch: etag }) })
}

/** Takes a group away, so that the next scenario starts without it. */
export async function removeGroup(server: Server, name: string): Promise<void> {
  const { etag } = await server.api.getGroup({ params: { name } })
  await server.api.deleteGroup({ params: { name }, query: { allAtOnce: 'true' }, ...(etag === null ? {} : { ifMatch: etag }) })
}
