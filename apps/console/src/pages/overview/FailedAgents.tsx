/** The newest failures in the agents' own words; nothing at all when nothing failed. */
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { attemptsQuery } from '../../api/queries.ts'
import { AgentText } from '../../ui/AgentText.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'

const SHOWN = 5

export function FailedAgents() {
  const { data } = useQuery(attemptsQuery('failed'))
  if (data === undefined || data.items.length === 0) return null
  return (
    <Panel
      title="Latest failures"
      flush
      actions={
        <Link to="/agents" search={{ state: 'failed' }}>
          Failed agents
        </Link>
      }
    >
      <ul className="failed-list">
        {data.items.slice(0, SHOWN).map((attempt) => (
          <li key={attempt.id}>
            <span className="row">
              <Link to="/agents/$agentId" params={{ agentId: attempt.agentId }} search={{ tab: 'configuration' }} className="truncate">
                <AgentText text={attempt.agentName} />
              </Link>
              <span className="dimmed">
                {attempt.source} · <RelativeTime at={attempt.updatedAt} />
              </span>
            </span>
            <span className="failed-list-error">
              <AgentText text={attempt.errorMessage ?? 'The agent gave no reason'} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
