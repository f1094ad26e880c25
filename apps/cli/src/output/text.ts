/** Text that others wrote, made safe for a terminal; its width; cutting it to one. */

/** C0 and C1 controls, delete, marks that reorder or hide text, line separators, lone surrogates. */
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|\p{Cs}/gu
const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** What an agent or a file says can hold escape sequences; here they become visible. `lines` keeps line ends and tabs. */
export function printable(text: string, keep: 'nothing' | 'lines' = 'nothing'): string {
  return text.replaceAll(unsafe, (character) => {
    if (keep === 'lines' && (character === '\n' || character === '\t')) return character
    return named[character] ?? escapeCharacter(character)
  })
}

export const isUnsafe = (text: string): boolean => text.search(unsafe) !== -1

export function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

const ansi = /\u001b\[[0-9;]*m/g
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u
const combining = /^(\p{Mn}|\p{Me}|\ufe0f)+$/u
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Columns that a text takes on a terminal; colours take none. */
export function widthOf(text: string): number {
  let width = 0
  for (const { segment } of segmenter.segment(text.replaceAll(ansi, ''))) width += graphemeWidth(segment)
  return width
}

function graphemeWidth(segment: string): number {
  if (wide.test(segment)) return 2
  return combining.test(segment) ? 0 : 1
}

/** Cuts plain text to a width, with an ellipsis when something is lost. */
export function shorten(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let result = ''
  let used = 0
  for (const { segment } of segmenter.segment(text)) {
    used += graphemeWidth(segment)
    if (used > width - 1) break
    result += segment
  }
  return `${result}…`
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text
}

/** `1 agent`, `7 agents`. */
export function countOf(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`
}
