/** Reads YAML with line and column for every finding, within limits of size, depth and what aliases expand to. */
import { LineCounter } from 'yaml'
import type { Document } from 'yaml'
import { composeDocuments } from './compose.ts'
import type { ComposeLimits } from './compose.ts'
import type { Finding, Path, Position } from './finding.ts'
import { convertDocument } from './convert.ts'
import type { ConfigLimits } from './limits.ts'
import { defaultLimits, whyTooLarge } from './limits.ts'
import { unprintable } from './unprintable.ts'
import type { ConfigMap, ConfigValue } from './value.ts'
import { isMap } from './value.ts'

export interface ParsedYaml {
  /** Absent when there is an error, and for an empty file. */
  readonly document?: ConfigMap
  readonly findings: readonly Finding[]
  /** Where a path, or the nearest ancestor that the text has, is written. */
  readonly locate: (path: Path) => Position | undefined
}

export interface ParseOptions {
  /**
   * What to do about a file with several documents. `one` (default): refuse it, since that is never what was meant. `first`:
   * take the first and do not look at the others, as the readers of Collector and supervisor do.
   */
  readonly documents?: 'one' | 'first'
}

type Report = (severity: Finding['severity'], code: string, message: string, position?: Position) => void

const nowhere = (): undefined => undefined

/** Never throws: whatever is wrong with the text is a finding. */
export function parseYaml(text: string, file: string, limits: ConfigLimits = defaultLimits, options: ParseOptions = {}): ParsedYaml {
  const findings: Finding[] = []
  const report: Report = (severity, code, message, position) => {
    if (findings.length < limits.maxFindings) findings.push({ severity, code, message, file, ...position })
  }
  const tooLarge = whyTooLarge(text, limits)
  if (tooLarge !== undefined) {
    report('error', 'too-large', `the file ${tooLarge}`)
    return { findings, locate: nowhere }
  }
  const body = text.startsWith('\uFEFF') ? text.slice(1) : text
  if (body !== text) report('warning', 'byte-order-mark', 'the file starts with a byte order mark, which is ignored', { line: 1, column: 1 })
  const lines = new LineCounter()
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  if (!checkCharacters(body, report)) return { findings, locate: nowhere }
  const document = composeOne(body, lines, { ...limits, maxDocuments: options.documents === 'first' ? 1 : 2 }, place, report)
  if (document === undefined) return { findings, locate: nowhere }
  const converted = convertDocument(document, limits, (severity, code, message, offset) => report(severity, code, message, place(offset)))
  const errors = findings.some((finding) => finding.severity === 'error')
  const root = errors ? undefined : checkRoot(converted.value, document, place, report)
  return {
    findings,
    locate: (path) => {
      const offset = converted.locate(path)
      return offset === undefined ? undefined : place(offset)
    },
    ...(root === undefined ? {} : { document: root }),
  }
}

function checkCharacters(text: string, report: Report): boolean {
  const bad = text.search(unprintable)
  if (bad !== -1) {
    const code = text.charCodeAt(bad).toString(16).padStart(4, '0').toUpperCase()
    report('error', 'control-character', `the character U+${code} is not allowed as it is; write it as an escape in double quotes`, textPosition(text, bad))
    return false
  }
  // Also on lines that are otherwise empty or a comment, which YAML allows and Go's readers do not.
  const tab = text.search(/^\t/m)
  if (tab !== -1) {
    report('error', 'tab-indentation', 'a line starts with a tab; indent with spaces', textPosition(text, tab))
    return false
  }
  if (!text.isWellFormed()) {
    report('error', 'invalid-text', 'the text is not valid Unicode')
    return false
  }
  return true
}

function textPosition(text: string, offset: number): Position {
  const before = text.slice(0, offset)
  const start = before.lastIndexOf('\n')
  return { line: before.split('\n').length, column: offset - start }
}

/** The document of the text. */
function composeOne(text: string, lines: LineCounter, limits: ComposeLimits, place: (offset: number) => Position, report: Report): Document.Parsed | undefined {
  const { documents, problems } = composeDocuments(text, lines, limits)
  for (const { severity, tab, message, offset } of problems) report(severity, problemCode(severity, tab), message, place(offset))
  if (problems.some(({ severity }) => severity === 'error')) return undefined
  const second = documents[1]
  if (second !== undefined) {
    report('error', 'multiple-documents', 'a file has one YAML document; agents ignore what follows the first', place(second.range[0]))
    return undefined
  }
  return documents[0]
}

function problemCode(severity: Finding['severity'], tab: boolean): string {
  if (severity === 'warning') return 'yaml-warning'
  return tab ? 'tab-indentation' : 'yaml-syntax'
}

function checkRoot(value: ConfigValue | undefined, document: Document.Parsed, place: (offset: number) => Position, report: Report): ConfigMap | undefined {
  if (value === null || value === undefined) {
    report('warning', 'empty-file', 'the file has no content', { line: 1, column: 1 })
    return undefined
  }
  if (isMap(value)) return value
  report(
    'error',
    'not-a-map',
    `a configuration is a map of keys and values, not ${Array.isArray(value) ? 'a list' : 'a single value'}`,
    place(document.contents?.range[0] ?? 0),
  )
  return undefined
}
