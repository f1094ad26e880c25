/** A unified diff with colours, safe for a terminal. */
import type { Painter } from '../../output/colour.ts'
import { printable } from '../../output/text.ts'

export function diffText(unified: string, paint: Painter): string {
  const lines = unified.split('\n').map((line) => {
    const safe = printable(line, 'lines')
    if (/^(\+\+\+|---|===|Index)/.test(line)) return paint('bold', safe)
    return line.startsWith('+') ? paint('good', safe) : line.startsWith('-') ? paint('bad', safe) : line.startsWith('@@') ? paint('dim', safe) : safe
  })
  return unified === '' ? '' : `${lines.join('\n').replace(/\n$/, '')}\n`
}
