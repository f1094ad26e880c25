/** Some of the agents that failed their configuration, in their own words; nothing at all when none did. */
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { failedAgentsQuery } from '../../api/queries.ts'
import { ConfigStateBadge } from '../../ui/AgentBadges.tsx'
import { AgentText } from '../../ui/AgentText.tsx'
import { Panel } from '../../ui/Panel.tsx'

export function FailedAgents() {
  const { data } = useQuery(failedAgentsQuery)
  if (data === undefined || data.items.length === 0) return null
  return (
    <Panel
      title="Failed their configuration"
      flush
      actions={
        <Link to="/agents" search={{ state: 'failed' }}>
          All {data.total.toLocaleString('en')}
        </Link>
      }
    >
      <ul className="failed-list">
        {data.items.map((agent) => (
          <li key={agent.id}>
            <span className="failed-list-name">
              <Link to="/agents/$agentId" params={{ agentId: agent.id }} search={{ tab: 'configuration' }} className="truncate">
                <AgentText text={agent.name} />
              </Link>
              <ConfigStateBadge state={agent.configState} />
            </span>
            <span className="failed-list-error">
              <AgentText text={agent.configError ?? 'The agent gave no reason'} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
