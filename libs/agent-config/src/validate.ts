/** Checks configuration files as a Collector would read them, before any agent gets them. */
import { checkPipelines } from './check-pipelines.ts'
import { checkPlaceholders, checkSections } from './check-sections.ts'
import { checkTelemetry } from './check-telemetry.ts'
import type { ConfigFile } from './config-file.ts'
import type { Finding, ReportPath } from './finding.ts'
import { formatPath } from './finding.ts'
import type { ConfigLimits } from './limits.ts'
import { defaultLimits } from './limits.ts'
import type { Merged } from './merge.ts'
import { mergeFiles } from './merge.ts'

export interface ValidateOptions {
  /**
   * `complete` (default): the files are all that the Collector gets. `fragment`: other groups or the agent's own files add
   * to them, so a component that is missing here, or not used here, may well be there in the end: such errors are warnings.
   */
  readonly as?: 'complete' | 'fragment'
  readonly limits?: ConfigLimits
}

/** Codes that another file may make good. */
const curable: ReadonlySet<string> = new Set([
  'unknown-component',
  'pipeline-without-receiver',
  'pipeline-without-exporter',
  'connector-one-sided',
  'extension-not-enabled',
])
/** Codes that say nothing about a part of a configuration. */
const wholeOnly: ReadonlySet<string> = new Set(['no-pipelines', 'unused-component'])

/** Errors, and warnings, of one check of the structure. Counted apart, so that no number of warnings hides that there is an error. */
const maxOfEach = 100

/** Findings in the order of files and places; empty: nothing to object to. Warnings never forbid sending. */
export function validateCollectorConfig(files: readonly ConfigFile[], options: ValidateOptions = {}): Finding[] {
  return validateMerged(mergeFiles(files, options.limits ?? defaultLimits), files, options)
}

/** The same for files that are merged already. */
export function validateMerged(merge: Merged, files: readonly ConfigFile[], options: ValidateOptions = {}): Finding[] {
  const findings = [...merge.findings]
  // Structure is judged only when all of the text could be read: a file left out would make false alarms.
  if (!findings.some((finding) => finding.severity === 'error')) findings.push(...checkStructure(merge, options.as ?? 'complete'))
  const rank = new Map(files.map((file, index) => [file.name, index]))
  const place = (finding: Finding): number => (finding.file === undefined ? -1 : (rank.get(finding.file) ?? -1))
  return findings.toSorted((a, b) => place(a) - place(b) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
}

function checkStructure(merge: Merged, as: 'complete' | 'fragment'): Finding[] {
  const findings: Finding[] = []
  const counts = { error: 0, warning: 0 }
  const report: ReportPath = (given, code, message, path) => {
    if (as === 'fragment' && wholeOnly.has(code)) return
    const severity = as === 'fragment' && curable.has(code) ? 'warning' : given
    if (counts[severity] >= maxOfEach) return
    counts[severity] += 1
    const located = merge.locate(path)
    findings.push({
      severity,
      code,
      message,
      ...(located === undefined ? {} : { file: located.file, line: located.line, column: located.column }),
      ...(path.length === 0 ? {} : { path: formatPath(path) }),
    })
  }
  checkPlaceholders(merge.merged, report)
  checkSections(merge.merged, report)
  checkTelemetry(merge.merged, report)
  checkPipelines(merge.merged, report)
  return findings
}
