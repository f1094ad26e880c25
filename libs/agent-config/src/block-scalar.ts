/** Reads the text that stands in lines of its own, after `|` or `>`, for the fast reader. */
import { Unusual } from './plain-scalar.ts'

const header = /([|>])(-?)(?: +#[^\n]*| *)(?=\n)/y

export interface BlockScalar {
  readonly value: string
  /** Offset of the first line after it. */
  readonly next: number
}

/** `at`: of the indicator. `parentIndentation`: of the map or list that it belongs to. `text` ends with a line end. */
export function readBlockScalar(text: string, at: number, parentIndentation: number): BlockScalar {
  header.lastIndex = at
  const match = header.exec(text)
  if (match === null) throw new Unusual()
  const { lines, next } = contentLines(text, header.lastIndex + 1, parentIndentation)
  const isFolded = match[1] === '>'
  const content = isFolded ? fold(lines) : lines.join('\n')
  return { value: match[2] === '-' ? content : `${content}\n`, next }
}

/** Without indentation, and without the empty lines at the end. */
function contentLines(text: string, start: number, parentIndentation: number): { readonly lines: readonly string[]; readonly next: number } {
  const lines: string[] = []
  let indentation = -1
  let empty = 0
  let at = start
  let next = start
  while (at < text.length) {
    const end = text.indexOf('\n', at)
    let content = at
    while (text.charCodeAt(content) === 32) content++
    if (content === end) {
      // Spaces beyond the indentation would be content.
      if (end - at > (indentation === -1 ? parentIndentation + 1 : indentation)) throw new Unusual()
      empty += 1
    } else {
      if (indentation === -1) indentation = content - at
      if (indentation <= parentIndentation) throw new Unusual()
      if (content - at < indentation) break
      for (; empty > 0; empty--) lines.push('')
      lines.push(text.slice(at + indentation, end))
      next = end + 1
    }
    at = end + 1
  }
  if (lines.length === 0) throw new Unusual()
  return { lines, next }
}

/** Lines become one, empty lines become line ends; lines with more indentation are left to the full parser. */
function fold(lines: readonly string[]): string {
  if (lines[0] === '') throw new Unusual()
  let folded = ''
  let empty = 0
  for (const line of lines) {
    if (line.startsWith(' ')) throw new Unusual()
    if (line === '') empty += 1
    else {
      folded += folded === '' ? line : `${empty === 0 ? ' ' : '\n'.repeat(empty)}${line}`
      empty = 0
    }
  }
  return folded
}
