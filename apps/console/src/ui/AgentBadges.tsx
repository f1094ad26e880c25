/** The three facts about an agent as badges: connection, health, configuration. */
import type { AgentSummary } from '@drover/api'
import { StateBadge } from './StateBadge.tsx'
import { configStates, connectionLook, healthLook } from './agent-states.ts'

export function ConnectionBadge({ agent, plain = false }: { readonly agent: Pick<AgentSummary, 'connected' | 'stale'>; readonly plain?: boolean }) {
  const look = connectionLook(agent)
  return (
    <StateBadge
      tone={look.tone}
      title={look.meaning}
      plain={plain}
      {...(look.tone === 'idle' ? { mark: 'dashed' as const } : agent.stale ? { mark: 'clock' as const } : {})}
    >
      {look.label}
    </StateBadge>
  )
}

export function HealthBadge({ healthy, plain = false }: { readonly healthy: boolean | null; readonly plain?: boolean }) {
  const look = healthLook(healthy)
  return (
    <StateBadge tone={look.tone} title={look.meaning} plain={plain}>
      {look.label}
    </StateBadge>
  )
}

export function ConfigStateBadge({ state, plain = false }: { readonly state: AgentSummary['configState']; readonly plain?: boolean }) {
  const look = configStates[state]
  return (
    <StateBadge tone={look.tone} title={look.meaning} plain={plain}>
      {look.label}
    </StateBadge>
  )
}

export function AgentBadgesLine({ agent }: { readonly agent: Pick<AgentSummary, 'connected' | 'stale' | 'healthy' | 'configState'> }) {
  return (
    <span className="row">
      <ConnectionBadge agent={agent} />
      <HealthBadge healthy={agent.healthy} />
      <ConfigStateBadge state={agent.configState} />
    </span>
  )
}
