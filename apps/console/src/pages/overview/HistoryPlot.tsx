/** Counts over time, drawn by uPlot on a canvas; the same in words for those who cannot see it. */
import type { AgentCounts } from '@drover/api'
import { useComputedColorScheme } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useEffect, useMemo, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

type Sample = AgentCounts & { readonly at: string }
const HEIGHT = 190

const series = [
  { key: 'connected', label: 'Connected', color: '--busy-mark', dash: false },
  { key: 'healthy', label: 'Healthy', color: '--ok-mark', dash: false },
  { key: 'unhealthy', label: 'Unhealthy', color: '--bad-mark', dash: false },
  { key: 'applying', label: 'Applying', color: '--warn-mark', dash: true },
  { key: 'failed', label: 'Failed', color: '--bad-mark', dash: true },
] as const

export function HistoryPlot({ samples }: { readonly samples: readonly Sample[] }) {
  const { ref, width } = useElementSize()
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const scheme = useComputedColorScheme('light')
  const data = useMemo<uPlot.AlignedData>(
    () => [samples.map((sample) => Date.parse(sample.at) / 1_000), ...series.map(({ key }) => samples.map((sample) => sample[key]))],
    [samples],
  )
  const newest = useRef(data)
  useEffect(() => {
    newest.current = data
    plot.current?.setData(data)
  }, [data])
  useEffect(() => {
    if (place.current === null || width === 0) return
    const made = new uPlot(plotOptions(width, scheme), newest.current, place.current)
    plot.current = made
    return () => {
      plot.current = undefined
      made.destroy()
    }
  }, [width, scheme])
  return (
    <figure className="plot" ref={ref} aria-label={describe(samples)}>
      <div ref={place} aria-hidden style={{ height: HEIGHT }} />
      <div className="plot-legend" aria-hidden>
        {series.map(({ key, label, color, dash }) => (
          <span key={key}>
            <i style={{ borderColor: `var(${color})` }} data-dash={dash || undefined} />
            {label} {samples.at(-1)?.[key].toLocaleString('en')}
          </span>
        ))}
      </div>
    </figure>
  )
}

function describe(samples: readonly Sample[]): string {
  const [first, last] = [samples[0], samples.at(-1)]
  if (first === undefined || last === undefined) return 'No samples yet'
  return `Agents from ${first.at} to ${last.at}: ${series.map(({ key, label }) => `${label.toLowerCase()} ${first[key]} then ${last[key]}`).join(', ')}`
}

/** Local time as short as the step between two ticks allows. */
function axisTime(seconds: number, stepSeconds: number): string {
  const date = new Date(seconds * 1_000)
  if (stepSeconds >= 86_400) return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })
  return date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', ...(stepSeconds < 60 ? { second: '2-digit' as const } : {}) })
}

/** The colours follow from the scheme, which is on the document's root by now. */
function plotOptions(width: number, scheme: 'light' | 'dark'): uPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const gridColor = scheme === 'dark' ? '--surface-raised' : '--line'
  const color = (name: string) => style.getPropertyValue(name).trim()
  const axis: uPlot.Axis = {
    stroke: color('--mantine-color-dimmed'),
    grid: { stroke: color(gridColor), width: 1 },
    ticks: { stroke: color('--line'), width: 1, size: 4 },
    font: `11px ${color('--mantine-font-family')}`,
  }
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    padding: [8, 8, 0, 0],
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(4, Math.ceil(high * 1.08))] } },
    axes: [
      { ...axis, space: 80, values: (_plot, ticks, _axis, _space, step) => ticks.map((tick) => axisTime(tick, step)) },
      { ...axis, size: 46, values: (_plot, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? tick.toLocaleString('en') : '')) },
    ],
    series: [
      {},
      ...series.map(
        ({ label, color: name, dash }): uPlot.Series => ({
          label,
          stroke: color(name),
          width: 1.5,
          points: { show: false },
          ...(dash ? { dash: [5, 4] } : {}),
        }),
      ),
    ],
  }
}
