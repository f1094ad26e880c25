/** Counts of agents by state, kept by adding and taking away; nothing ever counts them over. */
import type { AgentCounts, AgentStateFilter, ConfigState } from '@drover/api'

/** What of an agent is counted. */
export interface Counted {
  readonly connected: boolean
  readonly stale: boolean
  readonly healthy: boolean | null
  readonly configState: ConfigState
}

/** How the states of a configuration fall into the four that are counted; together they make up the total. */
const configCount: Readonly<Record<ConfigState, 'unmanaged' | 'applying' | 'applied' | 'failed'>> = {
  unmanaged: 'unmanaged',
  notAccepted: 'unmanaged',
  pending: 'applying',
  offered: 'applying',
  applying: 'applying',
  applied: 'applied',
  failed: 'failed',
  restored: 'failed',
  timedOut: 'failed',
}

export type MutableCounts = { -readonly [K in keyof AgentCounts]: AgentCounts[K] }

export function emptyCounts(): MutableCounts {
  return { total: 0, connected: 0, stale: 0, healthy: 0, unhealthy: 0, applying: 0, applied: 0, failed: 0, unmanaged: 0 }
}

/** `by` is 1 to add an agent, -1 to take it away. */
export function count(counts: MutableCounts, agent: Counted, by: 1 | -1): void {
  counts.total += by
  if (agent.connected) counts.connected += by
  if (agent.stale) counts.stale += by
  if (agent.healthy === true) counts.healthy += by
  if (agent.healthy === false) counts.unhealthy += by
  counts[configCount[agent.configState]] += by
}

/** Whether an agent is in a state that lists can be filtered by. */
export function isInState(agent: Counted, state: AgentStateFilter): boolean {
  switch (state) {
    case 'connected':
      return agent.connected
    case 'disconnected':
      return !agent.connected
    case 'stale':
      return agent.stale
    case 'healthy':
      return agent.healthy === true
    case 'unhealthy':
      return agent.healthy === false
    default:
      return configCount[agent.configState] === state
  }
}

/** How many are in the state, by the counts alone. */
export function inState(counts: AgentCounts, state: AgentStateFilter): number {
  return state === 'disconnected' ? counts.total - counts.connected : counts[state]
}
