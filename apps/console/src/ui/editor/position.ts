/** Lines and columns as people count them, and offsets as the editor does. Pure. */

interface Lines {
  readonly lines: number
  line(number: number): { readonly from: number; readonly to: number }
}

/** The offset of a position counted from 1; what lies beyond the text is moved to its edge. */
export function offsetOf(doc: Lines, line: number, column: number): number {
  const at = doc.line(Math.max(1, Math.min(doc.lines, line)))
  return Math.min(at.to, at.from + Math.max(0, column - 1))
}
