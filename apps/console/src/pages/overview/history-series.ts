/** Counts of agents over time as lines of a chart. Pure. */
import type { AgentCounts } from '@drover/api'
import type { ChartSeries } from '../../ui/chart/chart-data.ts'

export type CountSample = AgentCounts & { readonly at: string }

const lines = [
  { key: 'connected', label: 'Connected', color: '--busy-mark', dash: false },
  { key: 'healthy', label: 'Healthy', color: '--ok-mark', dash: false },
  { key: 'unhealthy', label: 'Unhealthy', color: '--bad-mark', dash: false },
  { key: 'applying', label: 'Applying', color: '--warn-mark', dash: true },
  { key: 'failed', label: 'Failed', color: '--bad-mark', dash: true },
] as const

export function historySeries(samples: readonly CountSample[]): readonly ChartSeries[] {
  return lines.map((line) => ({ ...line, points: samples.map((sample) => [Date.parse(sample.at), sample[line.key]] as const) }))
}
