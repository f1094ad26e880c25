/** What all agents together take in and pass on, and what they refuse. */
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { type Range, fleetMetricsQuery } from '../../api/telemetry-queries.ts'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { LoadingRows } from '../../ui/Loading.tsx'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RangeSelect } from '../../ui/RangeSelect.tsx'
import { TimeChart } from '../../ui/chart/lazy.tsx'
import { wholeMetricCharts } from '../../ui/own-metrics.ts'

/** The rest of what agents tell is on their own pages. */
const shown = new Set(['accepted', 'refused'])

export function FleetMetrics() {
  const [range, setRange] = useState<Range>('1h')
  const query = useQuery(fleetMetricsQuery(range))
  const series = query.data?.series
  const charts = useMemo(() => wholeMetricCharts(series ?? []).filter(({ key }) => shown.has(key)), [series])
  return (
    <Panel title="Throughput of the fleet" actions={<RangeSelect value={range} onChange={setRange} />}>
      <QueryView query={query} loading={<LoadingRows rows={5} height={24} />}>
        {({ agents, intervalSeconds }) =>
          charts.length === 0 ? (
            <EmptyState title="No agent has sent its own metrics yet" action={<Link to="/groups">Choose a group</Link>}>
              Give a group own telemetry to Drover: its agents then say what they accept, refuse and pass on, and rollouts can judge by it.
            </EmptyState>
          ) : (
            <div className="stack">
              {charts.map(({ key, title, unit, series: lines }) => (
                <div key={key}>
                  <h3>{title}</h3>
                  <TimeChart title={title} unit={unit} series={lines} intervalSeconds={intervalSeconds} syncKey="fleet" height={150} />
                </div>
              ))}
              <p className="dimmed">
                Told by {agents.toLocaleString('en')} {agents === 1 ? 'agent' : 'agents'}.
              </p>
            </div>
          )
        }
      </QueryView>
    </Panel>
  )
}
