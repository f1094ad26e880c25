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

/** All findings, a line each; what agents lack is among them. */
export function findingLines(validation: Validation, paint: Painter): readonly string[] {
  return validation.findings.map((finding) => findingLine(finding, paint))
}
