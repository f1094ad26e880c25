/** One agent: what it is, how it is doing, what it should run and what it runs. */
import { Tabs } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { isNotFound } from '../../api/client.ts'
import { agentQuery } from '../../api/queries.ts'
import { AgentBadgesLine } from '../../ui/AgentBadges.tsx'
import { AgentText } from '../../ui/AgentText.tsx'
import { CopyButton } from '../../ui/CopyButton.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { LoadingPage } from '../../ui/Loading.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { visibleText } from '../../ui/visible-text.ts'
import { AgentActions } from './AgentActions.tsx'
import { AttemptsTab } from './AttemptsTab.tsx'
import { ComponentsTab } from './ComponentsTab.tsx'
import { ConfigurationTab } from './ConfigurationTab.tsx'
import { EventsTab } from './EventsTab.tsx'
import { HealthTab } from './HealthTab.tsx'
import { LogsTab } from './LogsTab.tsx'
import { MetricsTab } from './MetricsTab.tsx'
import { OverviewTab } from './OverviewTab.tsx'
import './agent.css'

const tabs = [
  ['overview', 'Overview'],
  ['health', 'Health'],
  ['configuration', 'Configuration'],
  ['metrics', 'Metrics'],
  ['logs', 'Logs'],
  ['attempts', 'Attempts'],
  ['events', 'Events'],
  ['components', 'Components'],
] as const

export function AgentPage() {
  const { agentId } = useParams({ from: '/shell/agents/$agentId' })
  const search = useSearch({ from: '/shell/agents/$agentId' })
  const navigate = useNavigate()
  const query = useQuery(agentQuery(agentId))
  const tab = tabs.find(([value]) => value === search.tab)?.[0] ?? 'overview'
  if (isNotFound(query.error))
    return (
      <>
        <PageHeader title="Agent" />
        <div className="panel">
          <EmptyState title="There is no such agent" action={<Link to="/agents">All agents</Link>}>
            It may have been forgotten. When it connects again it comes back as a new agent.
          </EmptyState>
        </div>
      </>
    )
  return (
    <QueryView query={query} loading={<LoadingPage />}>
      {({ data: agent, etag }) => (
        <>
          <PageHeader
            title={visibleText(agent.name)}
            display={<AgentText text={agent.name} />}
            parent={<Link to="/agents">Agents</Link>}
            below={
              <div className="row agent-head">
                <AgentBadgesLine agent={agent} />
                <span className="dimmed">
                  Last seen <RelativeTime at={agent.lastSeenAt} />
                </span>
                <span className="dimmed nowrap">
                  <code>{agent.instanceUid}</code> <CopyButton text={agent.instanceUid} label="Copy instance uid" />
                </span>
              </div>
            }
            actions={<AgentActions agent={agent} />}
          />
          <div className="stack">
            {agent.configError !== null && tab !== 'configuration' && (
              <Notice
                tone={agent.configState === 'restored' ? 'warn' : 'bad'}
                title={agent.configState === 'restored' ? 'It failed its configuration and runs its last good one' : 'Its configuration failed'}
              >
                <div className="agent-message">
                  <AgentText text={agent.configError} />
                </div>
                <Link to="/agents/$agentId" params={{ agentId }} search={{ tab: 'configuration' }}>
                  What it should run, and what it runs
                </Link>
              </Notice>
            )}
            <Tabs
              value={tab}
              onChange={(value) =>
                void navigate({
                  to: '/agents/$agentId',
                  params: { agentId },
                  search: value === null || value === 'overview' ? {} : { tab: value },
                  replace: true,
                })
              }
              keepMounted={false}
            >
              <Tabs.List className="scrolling-tabs" aria-label="Parts of the agent">
                {tabs.map(([value, label]) => (
                  <Tabs.Tab key={value} value={value}>
                    {label}
                  </Tabs.Tab>
                ))}
              </Tabs.List>
              <Tabs.Panel value="overview" pt="sm">
                <OverviewTab agent={agent} etag={etag} />
              </Tabs.Panel>
              <Tabs.Panel value="health" pt="sm">
                <HealthTab health={agent.health} />
              </Tabs.Panel>
              <Tabs.Panel value="configuration" pt="sm">
                <ConfigurationTab agent={agent} />
              </Tabs.Panel>
              <Tabs.Panel value="metrics" pt="sm">
                <MetricsTab agentId={agent.id} />
              </Tabs.Panel>
              <Tabs.Panel value="logs" pt="sm">
                <LogsTab agentId={agent.id} />
              </Tabs.Panel>
              <Tabs.Panel value="attempts" pt="sm">
                <AttemptsTab agentId={agent.id} />
              </Tabs.Panel>
              <Tabs.Panel value="events" pt="sm">
                <EventsTab agentId={agent.id} />
              </Tabs.Panel>
              <Tabs.Panel value="components" pt="sm">
                <ComponentsTab agent={agent} />
              </Tabs.Panel>
            </Tabs>
          </div>
        </>
      )}
    </QueryView>
  )
}
