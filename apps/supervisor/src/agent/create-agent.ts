/** Makes the agent that the configuration names. */
import type { SupervisorConfig } from '../config/supervisor-config.ts'
import type { AgentDeps, SupervisedAgent } from './agent.ts'
import { createCollectorAgent } from './collector/collector-agent.ts'
import { createProcessAgent } from './process/process-agent.ts'

/** The storage directory must exist. Nothing is started or listened on before `bootstrap`. */
export function createAgent(config: SupervisorConfig, deps: AgentDeps): SupervisedAgent {
  const { agent } = config.drover
  return agent.kind === 'process' ? createProcessAgent(config, agent, deps) : createCollectorAgent(config, deps)
}
