/** How far back charts reach. */
import { SegmentedControl } from '@mantine/core'
import type { Range } from '../api/telemetry-queries.ts'
import { ranges } from './ranges.ts'

export function RangeSelect({ value, onChange }: { readonly value: Range; readonly onChange: (range: Range) => void }) {
  return (
    <SegmentedControl
      aria-label="How far back"
      value={value}
      onChange={(chosen) => onChange(chosen as Range)} // as: the values are the ranges
      data={ranges.map((range) => ({ value: range, label: range.replace(/(\d+)(\w)/, '$1 $2') }))}
    />
  )
}
