/** An agent's own metrics over time. */
import { Switch } from '@mantine/core'
import { IconChartLine } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { agentMetricsQuery } from '../../api/telemetry-queries.ts'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { MetricCharts } from '../../ui/MetricCharts.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { RangeSelect } from '../../ui/RangeSelect.tsx'
import { RelativeTime } from '../../ui/RelativeTime.tsx'
import { componentMetricCharts, wholeMetricCharts } from '../../ui/own-metrics.ts'
import { parseRange } from '../../ui/ranges.ts'

export function MetricsTab({ agentId }: { readonly agentId: string }) {
  const search = useSearch({ from: '/shell/agents/$agentId' })
  const navigate = useNavigate()
  const range = parseRange(search.range)
  const [byComponent, setByComponent] = useState(false)
  const query = useQuery(agentMetricsQuery(agentId, range))
  const series = query.data?.series
  const charts = useMemo(() => {
    const own = series ?? []
    return byComponent
      ? [...componentMetricCharts(own), ...wholeMetricCharts(own).filter(({ key }) => key === 'cpu' || key === 'memory')]
      : wholeMetricCharts(own)
  }, [series, byComponent])
  return (
    <div className="stack">
      <div className="row">
        <RangeSelect
          value={range}
          onChange={(chosen) => void navigate({ to: '/agents/$agentId', params: { agentId }, search: { ...search, range: chosen }, replace: true })}
        />
        <Switch size="xs" label="By component" checked={byComponent} onChange={(event) => setByComponent(event.currentTarget.checked)} />
        {query.data?.lastAt != null && (
          <span className="dimmed" style={{ marginLeft: 'auto' }}>
            Last heard <RelativeTime at={query.data.lastAt} />, a point every {stepText(query.data.intervalSeconds)}
          </span>
        )}
      </div>
      <QueryView query={query}>
        {({ absent, intervalSeconds }) =>
          charts.length === 0 ? (
            <div className="panel">
              <EmptyState title="No metrics to show" icon={<IconChartLine size={28} stroke={1.4} aria-hidden />}>
                {absent ?? 'The agent told nothing in this time. Choose a longer one.'}
              </EmptyState>
            </div>
          ) : (
            <MetricCharts charts={charts} intervalSeconds={intervalSeconds} syncKey={`agent ${agentId}`} />
          )
        }
      </QueryView>
    </div>
  )
}

const stepText = (seconds: number) => (seconds < 60 ? `${seconds} s` : `${Math.round(seconds / 60)} min`)
