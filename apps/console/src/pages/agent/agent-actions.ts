/** Which action fits which state of an agent: one table; a disabled action says why. Pure. */
import type { AgentDetail } from '@drover/api'

export type AgentAction = 'restart' | 'retry' | 'forget'

/** The reason why an action is not possible now; absent: it is. */
export type ActionReasons = { readonly [Action in AgentAction]?: string }

type Facts = Pick<AgentDetail, 'connected' | 'capabilities' | 'configState'>

export function actionReasons(agent: Facts, readOnlyReason: string | undefined): ActionReasons {
  return withoutEmpty({
    restart: readOnlyReason ?? restartReason(agent),
    retry: readOnlyReason ?? retryReason(agent),
    forget: readOnlyReason ?? (agent.connected ? 'The agent is connected. Stop it or revoke its token first, else it would come back at once' : undefined),
  })
}

function restartReason(agent: Facts): string | undefined {
  if (!agent.capabilities.includes('AcceptsRestartCommand')) return 'The agent does not accept the restart command'
  return agent.connected ? undefined : 'The agent is not connected'
}

const retryReasons: Readonly<Record<AgentDetail['configState'], string | undefined>> = {
  failed: undefined,
  restored: undefined,
  timedOut: undefined,
  unmanaged: 'No group gives it a configuration',
  notAccepted: 'The agent does not accept remote configuration',
  pending: 'Its configuration has not been offered yet',
  offered: 'The offer is under way',
  applying: 'The agent is applying it now',
  applied: 'Its configuration is applied',
}

function retryReason(agent: Facts): string | undefined {
  return retryReasons[agent.configState]
}

function withoutEmpty(reasons: { readonly [Action in AgentAction]: string | undefined }): ActionReasons {
  return Object.fromEntries(Object.entries(reasons).filter(([, reason]) => reason !== undefined))
}
