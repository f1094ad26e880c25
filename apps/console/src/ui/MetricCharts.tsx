/** Charts of own metrics side by side, read at the same moment. */
import { Panel } from './Panel.tsx'
import { TimeChart } from './chart/lazy.tsx'
import type { MetricChart } from './own-metrics.ts'

export function MetricCharts({
  charts,
  intervalSeconds,
  syncKey,
}: {
  readonly charts: readonly MetricChart[]
  readonly intervalSeconds: number
  readonly syncKey: string
}) {
  return (
    <div className="columns">
      {charts.map(({ key, title, unit, series, leftOut }) => (
        <div key={key} className="span-6">
          <Panel title={title}>
            <TimeChart title={title} unit={unit} series={series} intervalSeconds={intervalSeconds} syncKey={syncKey} />
            {leftOut > 0 && <p className="dimmed">{leftOut} more components have smaller values and are not drawn.</p>}
          </Panel>
        </div>
      ))}
    </div>
  )
}
