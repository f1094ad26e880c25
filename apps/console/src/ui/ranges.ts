/** How far back charts can reach, as it stands in an address. Pure. */
import { TelemetryRange } from '@drover/api'
import type { Range } from '../api/telemetry-queries.ts'

export const ranges: readonly Range[] = TelemetryRange.options

/** The last hour unless the address names another range. */
export function parseRange(text: string | undefined): Range {
  return ranges.find((range) => range === text) ?? '1h'
}
