/** How agents with the change do beside those without, one metric at a time. */
import { OwnMetric, type Rollout, type RolloutSeries } from '@drover/api'
import { Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { rolloutSeriesQuery } from '../../api/rollout-queries.ts'
import { isOver } from '../../api/rollout-stream.ts'
import { Panel } from '../../ui/Panel.tsx'
import { QueryView } from '../../ui/QueryView.tsx'
import { TimeChart } from '../../ui/chart/lazy.tsx'
import { metricNames } from '../../ui/rollout-states.ts'
import { comparedSeries, firstMetric, latestInWords, unitOf, waveMarks } from './metric-view.ts'

const REFRESH_MS = 10_000

interface Props {
  readonly rollout: Rollout
  readonly metric: OwnMetric | undefined
  readonly onMetric: (metric: OwnMetric) => void
}

export function MetricPanel({ rollout, metric: chosen, onMetric }: Props) {
  const metric = chosen ?? firstMetric(rollout.plan)
  const query = useQuery({ ...rolloutSeriesQuery(rollout.id, metric), refetchInterval: isOver(rollout) ? false : REFRESH_MS })
  return (
    <Panel
      title="With and without the change"
      actions={
        <Select
          aria-label="Metric"
          data={OwnMetric.options.map((name) => ({ value: name, label: metricNames[name] }))}
          value={metric}
          onChange={(value) => value !== null && onMetric(value as OwnMetric)} // as: one of the options
          allowDeselect={false}
          w={150}
        />
      }
    >
      <QueryView query={query}>{(series) => <Compared series={series} waves={rollout.waves} />}</QueryView>
    </Panel>
  )
}

function Compared({ series, waves }: { readonly series: RolloutSeries; readonly waves: Rollout['waves'] }) {
  const lines = useMemo(() => comparedSeries(series), [series])
  // The waves are new values with each message of the stream; the chart is to be drawn anew only when one was opened.
  const opened = JSON.stringify(waveMarks(waves))
  const marks = useMemo(() => JSON.parse(opened) as ReturnType<typeof waveMarks>, [opened]) // as: written one statement above
  const isTold = series.points.some(({ changed, control }) => changed !== null || control !== null)
  if (!isTold)
    return (
      <p className="dimmed">No agent has told anything yet. The chart needs agents that send their own metrics to Drover: see “Own telemetry” of the group.</p>
    )
  return (
    <div className="stack">
      <p className="dimmed">{latestInWords(series)}</p>
      <TimeChart
        title={`${metricNames[series.metric]}, with and without the change`}
        unit={unitOf(series)}
        series={lines}
        intervalSeconds={series.intervalSeconds}
        marks={marks}
        height={200}
      />
    </div>
  )
}
