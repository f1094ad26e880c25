/** `drover agents`. */
import type { CommandGroup } from '../../command/command.ts'
import { forgetAgents, labelAgent, restartAgents, retryAgents } from './change.ts'
import { listAgents } from './list.ts'
import { showAgent } from './show.ts'
import { agentLogs, agentMetrics } from './telemetry.ts'
import { watchAgents } from './watch.ts'
import { whyAgent } from './why.ts'

export const agentsCommands: CommandGroup = {
  kind: 'group',
  name: 'agents',
  description: 'Agents: what they are, how they are, what they should run',
  commands: [listAgents, showAgent, watchAgents, whyAgent, agentMetrics, agentLogs, labelAgent, restartAgents, retryAgents, forgetAgents],
}
