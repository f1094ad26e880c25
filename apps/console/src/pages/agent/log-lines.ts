/** Log lines of an agent by severity. Pure. */
import type { Tone } from '../../ui/StateBadge.tsx'

export const severityFilters = [
  { value: 'all', label: 'All' },
  { value: 'info', label: 'Info and above' },
  { value: 'warn', label: 'Warnings and errors' },
  { value: 'error', label: 'Errors' },
] as const
export type SeverityFilter = (typeof severityFilters)[number]['value']

const ranks: Readonly<Record<string, number>> = { trace: 1, debug: 5, info: 9, warn: 13, warning: 13, error: 17, fatal: 21, panic: 21, dpanic: 21 }
const least: Readonly<Record<SeverityFilter, number>> = { all: 0, info: 9, warn: 13, error: 17 }

/** As OpenTelemetry numbers severities; a word that it does not know is taken as information. */
export function severityRank(severity: string): number {
  return ranks[severity.toLowerCase().replace(/\d+$/, '')] ?? 9
}

export function linesFrom<Line extends { readonly severity: string }>(lines: readonly Line[], filter: SeverityFilter): readonly Line[] {
  return lines.filter(({ severity }) => severityRank(severity) >= least[filter])
}

export function severityTone(severity: string): Tone {
  const rank = severityRank(severity)
  if (rank >= 17) return 'bad'
  return rank >= 13 ? 'warn' : 'idle'
}

/** Attributes behind a line, as `key=value`. */
export function attributeText(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map(([key, value]) => `${key}=${/\s/.test(value) ? JSON.stringify(value) : value}`)
    .join(' ')
}
