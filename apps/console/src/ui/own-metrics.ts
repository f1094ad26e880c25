/** The agents' own metrics as charts: which belong together, how their lines look, and a line for each component. Pure. */
import type { TelemetryMetric, TelemetrySeries } from '@drover/api'
import { type ChartSeries, isTold } from './chart/chart-data.ts'
import type { ValueUnit } from './chart/chart-values.ts'

export interface MetricChart {
  readonly key: string
  readonly title: string
  readonly unit: ValueUnit
  readonly series: readonly ChartSeries[]
  /** Components that are left out because there are too many lines; those with the largest values are shown. */
  readonly leftOut: number
}

interface Look {
  readonly label: string
  readonly unit: ValueUnit
  readonly color: string
}

const looks: Readonly<Record<TelemetryMetric, Look>> = {
  accepted: { label: 'Accepted', unit: 'perSecond', color: '--chart-1' },
  sent: { label: 'Sent', unit: 'perSecond', color: '--chart-3' },
  refused: { label: 'Refused', unit: 'perSecond', color: '--bad-mark' },
  sendFailed: { label: 'Failed to send', unit: 'perSecond', color: '--chart-2' },
  queueUse: { label: 'Fullest queue', unit: 'share', color: '--chart-4' },
  queueSize: { label: 'Queued', unit: 'count', color: '--chart-4' },
  queueCapacity: { label: 'Room in queues', unit: 'count', color: '--chart-8' },
  cpu: { label: 'CPU', unit: 'share', color: '--chart-1' },
  memory: { label: 'Memory', unit: 'bytes', color: '--chart-5' },
  uptime: { label: 'Uptime', unit: 'count', color: '--chart-8' },
}

/** Throughput and losses have charts of their own: beside a million accepted items a hundred refused ones would not be seen. */
const wholeCharts: readonly { readonly title: string; readonly metrics: readonly TelemetryMetric[] }[] = [
  { title: 'Throughput, items', metrics: ['accepted', 'sent'] },
  { title: 'Refused and failed, items', metrics: ['refused', 'sendFailed'] },
  { title: 'Export queues', metrics: ['queueUse'] },
  { title: 'CPU, of one core', metrics: ['cpu'] },
  { title: 'Memory', metrics: ['memory'] },
]
const perComponent: readonly TelemetryMetric[] = ['accepted', 'refused', 'sent', 'sendFailed', 'queueUse']
const componentTitles: Readonly<Partial<Record<TelemetryMetric, string>>> = { queueUse: 'Use of queues' }

/** One line for each metric of the whole agent, or of the fleet. Charts that nothing is known for are left out. */
export function wholeMetricCharts(series: readonly TelemetrySeries[]): readonly MetricChart[] {
  return wholeCharts.flatMap(({ title, metrics }) => {
    const lines = metrics.flatMap((metric) => {
      const own = series.find((one) => one.metric === metric && one.component === null)
      return own === undefined || !own.points.some(([, value]) => isTold(value))
        ? []
        : [{ key: metric, label: looks[metric].label, color: looks[metric].color, points: own.points }]
    })
    const [first] = metrics
    return lines.length === 0 || first === undefined ? [] : [{ key: first, title, unit: looks[first].unit, series: lines, leftOut: 0 }]
  })
}

const COLORS = 8
const MOST_LINES = 12

/** One chart for each metric with a line for each component. */
export function componentMetricCharts(series: readonly TelemetrySeries[]): readonly MetricChart[] {
  return perComponent.flatMap((metric) => {
    const lines = series.filter((one) => one.metric === metric && one.component !== null)
    if (lines.length === 0) return []
    const largest = lines.toSorted((left, right) => peak(right) - peak(left)).slice(0, MOST_LINES)
    // By name, so that a line keeps its colour while values change.
    const shown = largest.toSorted((left, right) => (left.component ?? '').localeCompare(right.component ?? ''))
    const chart: MetricChart = {
      key: `${metric} by component`,
      title: `${componentTitles[metric] ?? looks[metric].label}, by component`,
      unit: looks[metric].unit,
      series: shown.map(({ component, points }, index) => ({
        key: component ?? '',
        label: component ?? '',
        color: `--chart-${(index % COLORS) + 1}`,
        dash: index >= COLORS,
        points,
      })),
      leftOut: lines.length - shown.length,
    }
    return [chart]
  })
}

function peak({ points }: TelemetrySeries): number {
  return points.reduce((highest, [, value]) => Math.max(highest, value ?? 0), 0)
}
