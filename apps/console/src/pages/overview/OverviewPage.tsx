/** The fleet at a glance: counts that lead into the agents table, throughput, history, groups, rollouts, failures, recent events. */
import { Button } from '@mantine/core'
import { IconArrowRight, IconPlugConnected } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { countsQuery, historyQuery } from '../../api/queries.ts'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { EventList } from '../../ui/EventLine.tsx'
import { LoadingRows } from '../../ui/Loading.tsx'
import { PageHeader } from '../../ui/PageHeader.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { TimeChart } from '../../ui/chart/lazy.tsx'
import { useEventLog } from '../../ui/use-event-log.ts'
import { useAddAgent } from '../add-agent/AddAgentProvider.tsx'
import { ActiveRollouts } from '../rollouts/ActiveRollouts.tsx'
import { CountTiles } from './CountTiles.tsx'
import { FailedAgents } from './FailedAgents.tsx'
import { FleetMetrics } from './FleetMetrics.tsx'
import { GroupProgress } from './GroupProgress.tsx'
import { type CountSample, historySeries } from './history-series.ts'
import { TelemetryFoot } from './TelemetryFoot.tsx'
import './overview.css'

const SHOWN_EVENTS = 14

export function OverviewPage() {
  const counts = useQuery(countsQuery())
  return (
    <>
      <PageHeader title="Fleet overview" />
      <div className="stack">
        <QueryView query={counts} loading={<LoadingRows rows={2} height={40} />}>
          {(data) => (data.total === 0 ? <FirstAgent /> : <CountTiles counts={data} />)}
        </QueryView>
        <div className="columns">
          <div className="span-8 stack">
            <FleetMetrics />
            <History />
            <GroupProgress />
          </div>
          <div className="span-4 stack">
            <ActiveRollouts />
            <FailedAgents />
            <RecentEvents />
          </div>
        </div>
        <TelemetryFoot />
      </div>
    </>
  )
}

function FirstAgent() {
  const addAgent = useAddAgent()
  return (
    <section className="panel" aria-label="First steps">
      <EmptyState
        title="No agent has connected yet"
        icon={<IconPlugConnected size={30} stroke={1.4} aria-hidden />}
        action={<Button onClick={addAgent}>Add the first agent</Button>}
      >
        It takes one pasted file: Drover makes a token, shows the file for a supervisor, and tells you here when the agent has connected. Meanwhile you can{' '}
        <Link to="/create/config">write a configuration</Link> from a template.
      </EmptyState>
    </section>
  )
}

function History() {
  const history = useQuery(historyQuery)
  return (
    <Panel title="Agents over time">
      <QueryView query={history} loading={<LoadingRows rows={5} height={24} />}>
        {(data) =>
          data.samples.length < 2 ? (
            <p className="dimmed">The first samples are being taken, one every {data.intervalSeconds} s.</p>
          ) : (
            <HistoryChart history={data} />
          )
        }
      </QueryView>
    </Panel>
  )
}

function HistoryChart({ history }: { readonly history: { readonly intervalSeconds: number; readonly samples: readonly CountSample[] } }) {
  const series = useMemo(() => historySeries(history.samples), [history])
  return <TimeChart title="Agents over time" unit="count" series={series} intervalSeconds={history.intervalSeconds} height={190} />
}

function RecentEvents() {
  const { query, events } = useEventLog({}, SHOWN_EVENTS)
  return (
    <Panel
      title="Recent events"
      flush
      actions={
        <Link to="/events">
          All events <IconArrowRight size={12} aria-hidden style={{ verticalAlign: -1 }} />
        </Link>
      }
    >
      <QueryView query={query}>
        {() => (events.length === 0 ? <p className="panel-body dimmed">Nothing has happened yet.</p> : <EventList events={events.slice(0, SHOWN_EVENTS)} />)}
      </QueryView>
    </Panel>
  )
}
