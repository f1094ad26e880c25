/** What uPlot needs to draw a chart in the console's colours. They follow from the scheme, which is on the document's root by now. */
import type uPlot from 'uplot'
import type { ChartMark, ChartSeries } from './chart-data.ts'
import { type ValueUnit, axisTime, formatTicks, leastSpan } from './chart-values.ts'

export interface PlotInput {
  readonly width: number
  readonly height: number
  readonly dark: boolean
  readonly unit: ValueUnit
  readonly series: readonly Pick<ChartSeries, 'label' | 'color' | 'dash'>[]
  /** Read at each drawing. */
  readonly marks: () => readonly ChartMark[]
  /** Room for their names is left above the lines. */
  readonly isMarked: boolean
  /** Charts of one key show their readout at the same moment. */
  readonly syncKey?: string | undefined
  /** The readout moved; undefined: it left the chart. */
  readonly onReadout: (index: number | undefined) => void
}

export function plotOptions(input: PlotInput): uPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string) => style.getPropertyValue(name).trim()
  const font = `11px ${color('--mantine-font-family')}`
  const axis: uPlot.Axis = {
    stroke: color('--mantine-color-dimmed'),
    grid: { stroke: color(input.dark ? '--surface-raised' : '--line'), width: 1 },
    ticks: { stroke: color('--line'), width: 1, size: 4 },
    font,
  }
  return {
    width: input.width,
    height: input.height,
    legend: { show: false },
    cursor: {
      drag: { x: false, y: false },
      points: { size: 6 },
      y: false,
      ...(input.syncKey === undefined ? {} : { sync: { key: input.syncKey, setSeries: false } }),
    },
    padding: [input.isMarked ? MARK_NAME_HEIGHT + 6 : 10, 10, 0, 0],
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(leastSpan[input.unit], high * 1.08)] } },
    axes: [
      {
        ...axis,
        space: 80,
        size: 28,
        values: (plot, ticks, _axis, _space, step) => {
          const span = (plot.scales['x']?.max ?? 0) - (plot.scales['x']?.min ?? 0)
          return ticks.map((tick) => axisTime(tick * 1_000, step, span))
        },
      },
      {
        ...axis,
        size: 62,
        ...(input.unit === 'count' ? { incrs: wholeSteps } : {}),
        values: (_plot, ticks, _axis, _space, step) => [...formatTicks(ticks, step, input.unit)],
      },
    ],
    series: [
      {},
      ...input.series.map(
        ({ label, color: name, dash }): uPlot.Series => ({
          label,
          stroke: color(name),
          width: 1.5,
          points: { show: false },
          ...(dash ? { dash: [5, 4] } : {}),
        }),
      ),
    ],
    hooks: {
      setCursor: [(plot) => input.onReadout(plot.cursor.idx ?? undefined)],
      draw: [(plot) => drawMarks(plot, input.marks(), { line: color('--mantine-color-dimmed'), font })],
    },
  }
}

/** There is no half agent. */
const wholeSteps = [1, 2, 5].flatMap((base) => Array.from({ length: 9 }, (_, power) => base * 10 ** power)).toSorted((left, right) => left - right)

interface MarkLook {
  readonly line: string
  readonly font: string
}

const MARK_NAME_HEIGHT = 15

/** Vertical lines with their names above them; a name that would cover the one before is left out. */
function drawMarks(plot: uPlot, marks: readonly ChartMark[], look: MarkLook): void {
  const { ctx, bbox } = plot
  const ratio = ctx.canvas.width / plot.width
  const end = bbox.left + bbox.width
  const placed = marks
    .map(({ atMs, label }) => ({ x: plot.valToPos(atMs / 1_000, 'x', true), label }))
    .filter(({ x }) => Number.isFinite(x) && x >= bbox.left && x <= end)
  ctx.save()
  ctx.lineWidth = ratio
  ctx.strokeStyle = look.line
  ctx.setLineDash([3 * ratio, 3 * ratio])
  for (const { x } of placed) {
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
  }
  ctx.font = look.font.replace('11px', `${Math.round(11 * ratio)}px`)
  ctx.textAlign = 'left' // the axes leave behind how they align their own texts
  ctx.textBaseline = 'top'
  ctx.fillStyle = look.line
  let freeFrom = Number.NEGATIVE_INFINITY
  for (const { x, label } of placed) {
    const wide = ctx.measureText(label).width + 6 * ratio
    const left = Math.min(x - 3 * ratio, end - wide)
    if (left < freeFrom) continue
    freeFrom = left + wide
    ctx.fillText(label, left + 3 * ratio, bbox.top - MARK_NAME_HEIGHT * ratio)
  }
  ctx.restore()
}
