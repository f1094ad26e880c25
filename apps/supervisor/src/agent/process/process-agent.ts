/** Any program that a small description covers, as a supervised agent. */
import type { ProcessAgentSettings, SupervisorConfig } from '../../config/supervisor-config.ts'
import type { AgentDeps, SupervisedAgent } from '../agent.ts'

export function createProcessAgent(_config: SupervisorConfig, _settings: ProcessAgentSettings, _deps: AgentDeps): SupervisedAgent {
  throw new Error('not written yet')
}
