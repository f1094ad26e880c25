/** The rows of the labels editor and the labels they stand for. Pure. */
export interface LabelRow {
  readonly id: number
  readonly key: string
  readonly value: string
}

export function rowsOf(labels: Readonly<Record<string, string>>): readonly LabelRow[] {
  return Object.entries(labels).map(([key, value], id) => ({ id, key, value }))
}

/** What is wrong with a row, or undefined. Empty rows are left out when saving, so nothing is wrong with them. */
export function rowError(row: LabelRow, rows: readonly LabelRow[]): string | undefined {
  if (row.key === '') return row.value === '' ? undefined : 'Give the label a name'
  if (!/^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/.test(row.key)) return 'Use 1 to 63 letters, digits, dots, dashes, underscores or slashes'
  if (rows.some((other) => other.id < row.id && other.key === row.key)) return 'This label is there already'
  return undefined
}

export function labelsOf(rows: readonly LabelRow[]): Record<string, string> {
  return Object.fromEntries(rows.filter(({ key }) => key !== '').map(({ key, value }) => [key, value]))
}
