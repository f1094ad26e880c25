/** Aligned tables and lists of facts for people. */
import type { Paint } from './colour.ts'
import { padEnd, padStart, printable, shorten, widthOf } from './text.ts'

export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string
  /** Numbers stand on the right. */
  readonly align?: 'right'
  /** May be cut when the terminal is too narrow; others never are. */
  readonly flexible?: true
  readonly paint?: (row: Row) => Paint | undefined
}

export interface TableOptions {
  /** Columns of the terminal; undefined: nothing is cut. */
  readonly width: number | undefined
  readonly paint: (paint: Paint, text: string) => string
  /** Without the line of titles, for rows that follow others. */
  readonly headless?: boolean
  /** Least widths, for rows that follow others. */
  readonly widths?: readonly number[]
}

const gap = '  '
const leastFlexibleWidth = 8

/** A line of titles and one line per row, each ending in a line feed. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], options: TableOptions): string {
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row)) || '-'))
  const widths = fitWidths(columns, naturalWidths(columns, cells, options.widths), options.width)
  const lines = cells.map((line, index) =>
    line
      .map((cell, place) => {
        const column = columns[place]
        const width = widths[place] ?? 0
        const text = column?.align === 'right' ? padStart(shorten(cell, width), width) : padCell(shorten(cell, width), width, place === columns.length - 1)
        const row = rows[index]
        const paint = row === undefined ? undefined : column?.paint?.(row)
        return paint === undefined ? text : options.paint(paint, text)
      })
      .join(gap)
      .trimEnd(),
  )
  const titles = columns.map(({ title, align }, place) => (align === 'right' ? padStart(title, widths[place] ?? 0) : padEnd(title, widths[place] ?? 0)))
  const head = options.headless ? [] : [options.paint('dim', titles.join(gap).trimEnd())]
  return [...head, ...lines].map((line) => `${line}\n`).join('')
}

const padCell = (text: string, width: number, isLast: boolean) => (isLast ? text : padEnd(text, width))

/** Widths that hold titles and cells. */
export function naturalWidths<Row>(columns: readonly Column<Row>[], cells: readonly (readonly string[])[], least: readonly number[] = []): readonly number[] {
  return columns.map(({ title }, place) => Math.max(widthOf(title), least[place] ?? 0, ...cells.map((line) => widthOf(line[place] ?? ''))))
}

/** Takes from the widest flexible column until the line fits. */
function fitWidths<Row>(columns: readonly Column<Row>[], natural: readonly number[], available: number | undefined): readonly number[] {
  if (available === undefined) return natural
  const widths = [...natural]
  const total = () => widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1))
  while (total() > available) {
    const [widest] = columns
      .map((column, place) => ({ place, width: column.flexible ? (widths[place] ?? 0) : 0 }))
      .filter(({ width }) => width > leastFlexibleWidth)
      .toSorted((a, b) => b.width - a.width)
    if (widest === undefined) break
    widths[widest.place] = widest.width - 1
  }
  return widths
}

/** `name   value` lines; facts without a value are left out. */
export function renderFacts(facts: readonly (readonly [name: string, value: string | undefined])[], paint: (paint: Paint, text: string) => string): string {
  const shown = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined && fact[1] !== '')
  const width = Math.max(0, ...shown.map(([name]) => widthOf(name)))
  return shown.map(([name, value]) => `${paint('dim', padEnd(name, width))}  ${printable(value)}\n`).join('')
}
