/** Values over time, drawn by uPlot on a canvas: read with the mouse, with the arrow keys, or as a table. Load it by `lazy.tsx`. */
import { Button, useComputedColorScheme } from '@mantine/core'
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { DataTable } from '../DataTable.tsx'
import { absoluteTime } from '../time.ts'
import { type ChartData, type ChartMark, type ChartSeries, alignSeries, isTold, lastValue, stepReadout, tableRows } from './chart-data.ts'
import { type ValueUnit, formatValue, readoutTime, unitNames } from './chart-values.ts'
import './chart.css'
import { plotOptions } from './plot-options.ts'

export interface TimeChartProps {
  /** What is shown, for those who hear it, e.g. `Items per second`. */
  readonly title: string
  readonly unit: ValueUnit
  readonly series: readonly ChartSeries[]
  /** How far apart points are: where a series is silent for longer, its line is broken. */
  readonly intervalSeconds?: number
  readonly marks?: readonly ChartMark[]
  /** Charts of one key show their readout at the same moment. */
  readonly syncKey?: string
  readonly height?: number
}

const HEIGHT = 170
const MOST_ROWS = 48
const noMarks: readonly ChartMark[] = []

export function TimeChart({ title, unit, series, intervalSeconds, marks = noMarks, syncKey, height = HEIGHT }: TimeChartProps) {
  const data = useMemo(() => alignSeries(series, intervalSeconds === undefined ? undefined : intervalSeconds * 1_000), [series, intervalSeconds])
  const [readout, setReadout] = useState<number>()
  const [asTable, setAsTable] = useState(false)
  const tableId = useId()
  const index = readout === undefined || readout >= data.times.length ? undefined : readout
  if (data.times.length === 0)
    return (
      <p className="chart-empty dimmed" style={{ minHeight: height }}>
        No values in this time.
      </p>
    )
  return (
    <figure className="chart" aria-label={title}>
      <Plot title={title} unit={unit} series={series} data={data} marks={marks} syncKey={syncKey} height={height} index={index} onReadout={setReadout} />
      <div className="chart-foot">
        <Legend unit={unit} series={series} data={data} index={index} />
        <Button
          variant="subtle"
          color="gray"
          size="compact-xs"
          className="chart-as-table"
          aria-label={`${title} as a table`}
          aria-expanded={asTable}
          aria-controls={tableId}
          onClick={() => setAsTable(!asTable)}
        >
          Table
        </Button>
      </div>
      <div id={tableId}>{asTable && <ValueTable title={title} unit={unit} series={series} data={data} marks={marks} />}</div>
    </figure>
  )
}

interface PlotProps extends Pick<Required<TimeChartProps>, 'title' | 'unit' | 'series' | 'marks' | 'height'> {
  readonly data: ChartData
  readonly syncKey: string | undefined
  readonly index: number | undefined
  readonly onReadout: (index: number | undefined) => void
}

function Plot({ title, unit, series, data, marks, syncKey, height, index, onReadout }: PlotProps) {
  const frame = useRef<HTMLDivElement>(null)
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const dark = useComputedColorScheme('light') === 'dark'
  const isMarked = marks !== noMarks
  const latest = useRef({ data, marks })
  useEffect(() => {
    latest.current = { data, marks }
    plot.current?.setData(plotData(data))
  }, [data, marks])
  // A plot is made anew when what cannot be changed afterwards changes: the series by name and look, the height, the scheme.
  const looks = JSON.stringify(series.map(({ label, color, dash }) => ({ label, color, dash: dash ?? false })))
  useEffect(() => {
    const make = (into: HTMLElement, width: number) => {
      const options = plotOptions({
        width,
        height,
        dark,
        unit,
        series: JSON.parse(looks) as Pick<ChartSeries, 'label' | 'color' | 'dash'>[], // as: it was written above
        marks: () => latest.current.marks,
        isMarked,
        syncKey,
        onReadout,
      })
      return new uPlot(options, plotData(latest.current.data), into)
    }
    // The frame is as wide as the page allows and of a fixed height, so the drawing within never changes its size.
    const observer = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0)
      if (place.current === null || width === 0) return
      if (plot.current === undefined) plot.current = make(place.current, width)
      else plot.current.setSize({ width, height })
    })
    if (frame.current !== null) observer.observe(frame.current)
    return () => {
      observer.disconnect()
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [height, dark, unit, looks, isMarked, syncKey, onReadout])
  const onKeyDown = (event: KeyboardEvent) => {
    const next = stepReadout(event.key, index, data.times.length)
    if (next === undefined) return
    event.preventDefault()
    const made = plot.current
    made?.setCursor({ left: made.valToPos((data.times[next] ?? 0) / 1_000, 'x'), top: 1 })
    onReadout(next)
  }
  const last = data.times.length - 1
  return (
    <div
      ref={frame}
      className="chart-plot"
      style={{ height }}
      // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- an input cannot hold the drawing that it reads from
      role="slider"
      tabIndex={0}
      aria-label={`${title}: read values`}
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={index ?? last}
      aria-valuetext={readoutText(series, data, index ?? last, unit)}
      onKeyDown={onKeyDown}
      onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })}
    >
      <div ref={place} aria-hidden />
    </div>
  )
}

// as: uPlot takes any arrays of numbers but declares mutable ones.
const plotData = ({ times, values }: ChartData) => [times.map((time) => time / 1_000), ...values] as uPlot.AlignedData

function readoutText(series: readonly ChartSeries[], data: ChartData, index: number, unit: ValueUnit): string {
  const values = series.map(({ label }, row) => `${label} ${formatValue(toldAt(data, row, index), unit)}`)
  return [readoutTime(data.times[index] ?? 0, spanOf(data)), ...values].join(', ')
}

const spanOf = ({ times }: ChartData): number => (times.at(-1) ?? 0) - (times[0] ?? 0)

function toldAt({ values }: ChartData, row: number, index: number): number | undefined {
  const value = values[row]?.[index]
  return isTold(value) ? value : undefined
}

/** The names of the lines with their values: the newest ones, or those at the readout. */
function Legend({ unit, series, data, index }: Pick<PlotProps, 'unit' | 'series' | 'data' | 'index'>) {
  return (
    <div className="chart-legend" aria-hidden>
      <span className="chart-time">{index === undefined ? 'latest' : readoutTime(data.times[index] ?? 0, spanOf(data))}</span>
      {series.map(({ key, label, color, dash }, row) => (
        <span key={key}>
          <i style={{ borderColor: `var(${color})` }} data-dash={dash || undefined} />
          {label} <b>{formatValue(index === undefined ? lastValue(data.values[row] ?? []) : toldAt(data, row, index), unit)}</b>
        </span>
      ))}
    </div>
  )
}

function ValueTable({ title, unit, series, data, marks }: Pick<PlotProps, 'title' | 'unit' | 'series' | 'data' | 'marks'>) {
  const rows = tableRows(data, MOST_ROWS)
  return (
    <div className="chart-table">
      {marks.length > 0 && <p className="dimmed">{marks.map(({ atMs, label }) => `${label}: ${absoluteTime(atMs)}`).join('; ')}</p>}
      {data.times.length > MOST_ROWS && <p className="dimmed">Each row is the mean of a part of the time.</p>}
      <DataTable label={`${title}, table`}>
        <thead>
          <tr>
            <th scope="col">From</th>
            {series.map(({ key, label }) => (
              <th key={key} scope="col" className="number">
                {label}
                {unitNames[unit] !== '' && `, ${unitNames[unit]}`}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ atMs, values }) => (
            <tr key={atMs}>
              <td className="nowrap">{readoutTime(atMs, spanOf(data))}</td>
              {values.map((value, row) => (
                <td key={series[row]?.key} className="number">
                  {value === undefined ? <span className="dimmed">–</span> : formatValue(value, unit)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </DataTable>
    </div>
  )
}
