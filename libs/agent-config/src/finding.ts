/** What a check of configuration text found, with its place, and the words for a place inside a document. */

export interface Finding {
  readonly severity: 'error' | 'warning'
  /** Stable word, e.g. `yaml-syntax`, `unknown-component`. */
  readonly code: string
  readonly message: string
  readonly file?: string
  /** Counted from 1. */
  readonly line?: number
  /** Counted from 1. */
  readonly column?: number
  /** Path in the document, e.g. `service.pipelines.traces.exporters[0]`. */
  readonly path?: string
}

export interface Position {
  readonly line: number
  readonly column: number
}

/** Keys are strings, places in a list are numbers. */
export type Path = readonly (string | number)[]

/** Reports a finding at a path of a document. */
export type ReportPath = (severity: Finding['severity'], code: string, message: string, path: Path) => void

const plainSegment = /^[^\s.[\]"]+$/

/** `['a', 'b.c', 0]` -> `a["b.c"][0]`; no two paths have the same text. */
export function formatPath(path: Path): string {
  let text = ''
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`
    else if (plainSegment.test(segment)) text += text === '' ? segment : `.${segment}`
    else text += `[${JSON.stringify(segment)}]`
  }
  return text
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === 'error')
}
