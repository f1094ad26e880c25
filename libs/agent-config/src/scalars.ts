/** The single values of a YAML text with their places in it, so that some can be written anew while everything else stays as it is. */
import { LineCounter, visit } from 'yaml'
import { composeDocuments } from './compose.ts'
import type { Finding, Position } from './finding.ts'
import { defaultLimits, hasMoreBreaksThan, isLongerThan } from './limits.ts'
import { plainWithDigits, reserved } from './plain-scalar.ts'

/** plain: without quotes. block: after `|` or `>`. */
export type ScalarStyle = 'plain' | 'single' | 'double' | 'block'

/** A text value or key. Numbers, switches and empty values are none. */
export interface WrittenScalar {
  readonly style: ScalarStyle
  /** What it stands for. */
  readonly value: string
  /** Where it is written, quotes and block header included: `text.slice(start, end)`. */
  readonly start: number
  readonly end: number
}

export interface ReadScalars {
  /** In the order of the text. Empty when there is an error. */
  readonly scalars: readonly WrittenScalar[]
  readonly findings: readonly Finding[]
  readonly place: (offset: number) => Position
}

const styles: Readonly<Record<string, ScalarStyle>> = {
  PLAIN: 'plain',
  QUOTE_SINGLE: 'single',
  QUOTE_DOUBLE: 'double',
  BLOCK_LITERAL: 'block',
  BLOCK_FOLDED: 'block',
}

/** Never throws: what cannot be read is a finding. Comments are no part of any value. */
export function readScalars(text: string, file: string): ReadScalars {
  const lines = new LineCounter()
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  if (isLongerThan(text, defaultLimits.maxFileBytes) || hasMoreBreaksThan(text, defaultLimits.maxBreaks))
    return { scalars: [], findings: [{ severity: 'error', code: 'too-large', message: 'the file is too large', file }], place }
  // A byte order mark counts as a character of the text, but not for the reader.
  const shift = text.startsWith('\uFEFF') ? 1 : 0
  const { documents, problems } = composeDocuments(text.slice(shift), lines, { ...defaultLimits, maxDocuments: 2 })
  const findings = problems
    .filter(({ severity }) => severity === 'error')
    .map(({ message, offset }): Finding => ({ severity: 'error', code: 'yaml-syntax', message, file, ...place(offset) }))
  const scalars: WrittenScalar[] = []
  const document = documents[0]
  if (findings.length > 0 || document === undefined) return { scalars, findings, place }
  visit(document, {
    Scalar(_key, { value, range, type }) {
      const style = styles[type ?? '']
      if (typeof value === 'string' && range !== null && range !== undefined && style !== undefined)
        scalars.push({ style, value, start: range[0] + shift, end: range[1] + shift })
    },
  })
  return { scalars, findings, place: (offset) => place(offset - shift) }
}

/** As many readers of YAML take it: numbers and switches as they are commonly written. */
const numberOrSwitch = /^(?:true|false|0|-?[1-9][0-9]{0,14}|-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15})$/
const plainText = /^(?![eE][-+0-9])[A-Za-z/][\w./-]*(?:[ :][\w./-]+)*$/

/** A value that was written without quotes, written again: in quotes unless it is a number, a switch or a harmless word. Always one scalar on one line. */
export function writePlainScalar(value: string): string {
  if (numberOrSwitch.test(value)) return value
  const isPlain = plainText.test(value) ? !reserved.test(value) : plainWithDigits.test(value)
  return isPlain ? value : writeQuotedScalar(value)
}

/** In double quotes, on one line: text to every reader. */
export function writeQuotedScalar(value: string): string {
  return `"${escapeInQuotes(value)}"`
}

/** What a value is between double quotes. */
export function escapeInQuotes(value: string): string {
  return JSON.stringify(value)
    .slice(1, -1)
    .replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
