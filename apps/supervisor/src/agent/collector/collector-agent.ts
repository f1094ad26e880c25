/** The OpenTelemetry Collector as a supervised agent. */
import type { SupervisorConfig } from '../../config/supervisor-config.ts'
import type { AgentDeps, SupervisedAgent } from '../agent.ts'

export function createCollectorAgent(_config: SupervisorConfig, _deps: AgentDeps): SupervisedAgent {
  throw new Error('not written yet')
}
