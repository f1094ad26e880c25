/** Series of values over time, and how several of them share one axis. Pure. */

/** null: nothing is known for that moment, and nothing is drawn. */
export type ChartPoint = readonly [atMs: number, value: number | null]

export interface ChartSeries {
  readonly key: string
  readonly label: string
  /** Name of a CSS variable, e.g. `--chart-1`. */
  readonly color: string
  readonly dash?: boolean
  /** In order of time. */
  readonly points: readonly ChartPoint[]
}

/** Something that happened at a moment, drawn as a vertical line. */
export interface ChartMark {
  readonly atMs: number
  /** Short, e.g. `wave 2`. */
  readonly label: string
}

export interface ChartData {
  readonly times: readonly number[]
  /** One row for each series. null: a gap; undefined: this series has no point there, but its line goes on. */
  readonly values: readonly (readonly (number | null | undefined)[])[]
}

/** Two points further apart than this many intervals are not joined. */
const MOST_INTERVALS = 2.5

/** All series over one list of moments. Where a series was silent for more than 2.5 intervals it gets a gap; without an interval only null is one. */
export function alignSeries(series: readonly ChartSeries[], intervalMs?: number): ChartData {
  const withGaps = series.map(({ points }) => new Map(intervalMs === undefined ? points : gapped(points, intervalMs)))
  const times = [...new Set(withGaps.flatMap((points) => [...points.keys()]))].toSorted((left, right) => left - right)
  const values = withGaps.map((points) => times.map((time) => points.get(time)))
  return withoutSilentEdges({ times, values })
}

function gapped(points: readonly ChartPoint[], intervalMs: number): readonly ChartPoint[] {
  return points.flatMap((point, index) => {
    const before = points[index - 1]
    const silent = before !== undefined && point[0] - before[0] > intervalMs * MOST_INTERVALS
    return silent ? [[before[0] + intervalMs, null] as const, point] : [point]
  })
}

/** A range that is longer than what is known begins with the first value. */
function withoutSilentEdges({ times, values }: ChartData): ChartData {
  const told = times.map((_, index) => values.some((row) => isTold(row[index])))
  const first = told.indexOf(true)
  if (first < 0) return { times: [], values: values.map(() => []) }
  const end = told.lastIndexOf(true) + 1
  return { times: times.slice(first, end), values: values.map((row) => row.slice(first, end)) }
}

export const isTold = (value: number | null | undefined): value is number => typeof value === 'number' && Number.isFinite(value)

/** The last value of a series that is known, or undefined. */
export function lastValue(row: readonly (number | null | undefined)[]): number | undefined {
  return row.findLast(isTold)
}

export interface TableRow {
  readonly atMs: number
  readonly values: readonly (number | undefined)[]
}

/** The chart as at most `mostRows` rows, newest first: means of equal parts of time; a short series row by row. */
export function tableRows({ times, values }: ChartData, mostRows: number): readonly TableRow[] {
  const step = Math.ceil(times.length / mostRows)
  const rows: TableRow[] = []
  for (let from = 0; from < times.length; from += step) rows.push({ atMs: times[from] ?? 0, values: values.map((row) => mean(row.slice(from, from + step))) })
  return rows.toReversed()
}

function mean(values: readonly (number | null | undefined)[]): number | undefined {
  const told = values.filter(isTold)
  return told.length === 0 ? undefined : told.reduce((sum, value) => sum + value, 0) / told.length
}

/** Where the readout stands after a key: one step, ten, or to an end. undefined: not a key of the readout. */
export function stepReadout(key: string, current: number | undefined, count: number): number | undefined {
  const last = count - 1
  const from = current ?? last
  const targets: Readonly<Record<string, number>> = {
    ArrowLeft: from - 1,
    ArrowDown: from - 1,
    ArrowRight: from + 1,
    ArrowUp: from + 1,
    PageDown: from - 10,
    PageUp: from + 10,
    Home: 0,
    End: last,
  }
  const target = targets[key]
  return target === undefined || count === 0 ? undefined : Math.max(0, Math.min(last, target))
}
