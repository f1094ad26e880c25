/** Findings of a configuration check, as a compiler prints them. */
import type { Finding, Validation } from '@drover/api'
import type { Painter } from '../../output/colour.ts'
import { printable } from '../../output/text.ts'

/** `file:line:column: error: message (code)`. */
export function findingLine(finding: Finding, paint: Painter): string {
  const place = [finding.file, finding.line, finding.column].filter((part) => part !== undefined && part !== '').join(':')
  const severity = paint(finding.severity === 'error' ? 'bad' : 'busy', finding.severity)
  return `${place === '' ? '' : `${printable(place)}: `}${severity}: ${printable(finding.message)} (${finding.code})`
}

/** All findings and what targets lack, a line each. */
export function findingLines(validation: Validation, paint: Painter): readonly string[] {
  const missing = (validation.targets?.missing ?? []).map(
    ({ kind, type, lacking, agents }) =>
      `${paint('bad', 'lacking')}: ${lacking} of ${validation.targets?.agents ?? 0} agents lack ${kind} "${printable(type)}" (${printable(agents.slice(0, 3).join(', '))}${lacking > 3 ? ', …' : ''})`,
  )
  return [...validation.findings.map((finding) => findingLine(finding, paint)), ...missing]
}
