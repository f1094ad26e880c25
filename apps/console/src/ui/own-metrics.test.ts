/** The agents' own metrics as charts. */
import type { TelemetryMetric, TelemetrySeries } from '@drover/api'
import { describe, expect, it } from 'vitest'
import { componentMetricCharts, wholeMetricCharts } from './own-metrics.ts'

const series = (metric: TelemetryMetric, component: string | null, ...values: readonly (number | null)[]): TelemetrySeries => ({
  metric,
  unit: '',
  component,
  points: values.map((value, index) => [index, value]),
})

describe('charts of a whole agent', () => {
  it('show refused data apart from throughput, so that little of it is seen', () => {
    const charts = wholeMetricCharts([series('accepted', null, 1_000), series('sent', null, 990), series('refused', null, 3)])
    expect(charts.map(({ title, series: lines }) => [title, lines.map(({ label }) => label)])).toEqual([
      ['Throughput, items', ['Accepted', 'Sent']],
      ['Refused and failed, items', ['Refused']],
    ])
  })

  it('leave out what was never told, and components', () => {
    expect(wholeMetricCharts([series('cpu', null, null, null), series('accepted', 'receiver otlp', 5)])).toEqual([])
  })

  it('have the unit of their metric', () => {
    const charts = wholeMetricCharts([series('memory', null, 1), series('cpu', null, 1), series('queueUse', null, 0.5)])
    expect(charts.map(({ key, unit }) => [key, unit])).toEqual([
      ['queueUse', 'share'],
      ['cpu', 'share'],
      ['memory', 'bytes'],
    ])
  })
})

describe('charts by component', () => {
  it('have a line for each component, by name', () => {
    const [chart] = componentMetricCharts([series('sent', 'exporter b', 1), series('sent', 'exporter a', 2), series('sent', null, 3)])
    expect(chart?.series.map(({ label }) => label)).toEqual(['exporter a', 'exporter b'])
    expect(chart?.leftOut).toBe(0)
  })

  it('show the twelve with the largest values and say how many are left out', () => {
    const many = Array.from({ length: 15 }, (_, index) => series('accepted', `receiver ${String(index).padStart(2, '0')}`, index))
    const [chart] = componentMetricCharts(many)
    expect(chart?.series).toHaveLength(12)
    expect(chart?.series[0]?.label).toBe('receiver 03')
    expect(chart?.leftOut).toBe(3)
  })

  it('tell lines of one colour apart by dashes', () => {
    const many = Array.from({ length: 12 }, (_, index) => series('accepted', `receiver ${String(index).padStart(2, '0')}`, 1))
    const looks = componentMetricCharts(many)[0]?.series.map(({ color, dash }) => `${color} ${dash}`) ?? []
    expect(new Set(looks).size).toBe(12)
  })
})
