/** `${drover:…}` in text: what Drover fills in before a configuration is offered, beside the Collector's own `${env:…}` and `${file:…}`, which pass through. */

/** agent: an attribute that the Agent reports. label: one that people gave it. var: a variable of the group. secret: kept encrypted. */
export type ReferenceKind = 'agent' | 'label' | 'var' | 'secret'

export interface Reference {
  readonly kind: ReferenceKind
  readonly name: string
  /** Inside another reference, such as the default in `${env:HOST:-${drover:var.host}}`, where a value may not have `$`, `{` or `}`. */
  readonly nested: boolean
}

export interface Malformed {
  /** As it is written. */
  readonly malformed: string
}

export interface TextPiece {
  /** What stands for itself, as it is written; for a reference how it is written. */
  readonly text: string
  readonly start: number
  readonly reference: Reference | Malformed | undefined
}

const prefix = '${drover:'
const body = /^(agent|label)\.([^{}$\s][^{}$\n]{0,254})$|^(var|secret)\.([A-Za-z_][A-Za-z0-9_]{0,62})$/
/** Longer ones are unclosed. */
const maxLength = 300

/**
 * Cuts a text at its references. As for the Collector, an even number of dollar signs before `${` stands for dollar signs
 * and the reference counts, and with an odd number it is only text: `$${drover:var.x}` stays as it is.
 */
export function cutText(text: string): readonly TextPiece[] {
  if (!text.includes(prefix)) return text === '' ? [] : [{ text, start: 0, reference: undefined }]
  const pieces: TextPiece[] = []
  let done = 0
  const opened: number[] = []
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '}') opened.pop()
    if (character !== '$') continue
    const run = dollarsAt(text, at)
    const start = at + run - 1
    at = start
    if (text[start + 1] !== '{' || run % 2 === 0) continue
    if (!text.startsWith(prefix, start)) {
      opened.push(start)
      continue
    }
    const end = endOf(text, start)
    if (start > done) pieces.push({ text: text.slice(done, start), start: done, reference: undefined })
    const written = text.slice(start, end)
    pieces.push({ text: written, start, reference: readReference(written, opened.length > 0) })
    done = end
    at = end - 1
  }
  if (done < text.length) pieces.push({ text: text.slice(done), start: done, reference: undefined })
  return pieces
}

function dollarsAt(text: string, at: number): number {
  let run = 1
  while (text[at + run] === '$') run += 1
  return run
}

/** Behind the brace that closes it; of an unclosed one, where its name seems to end. */
function endOf(text: string, start: number): number {
  const end = text.slice(start, start + maxLength).search(/[}\n]/)
  if (end === -1) return Math.min(text.length, start + prefix.length)
  return text[start + end] === '}' ? start + end + 1 : start + end
}

function readReference(written: string, nested: boolean): Reference | Malformed {
  const found = written.endsWith('}') ? body.exec(written.slice(prefix.length, -1)) : null
  if (found === null) return { malformed: written }
  const [, agentKind, agentName, valueKind, valueName] = found
  return { kind: (agentKind ?? valueKind) as ReferenceKind, name: agentName ?? valueName ?? '', nested } // as: the expression has no other words
}

export function isReference(reference: TextPiece['reference']): reference is Reference {
  return reference !== undefined && 'kind' in reference
}

/** As people write it. */
export function writeReference({ kind, name }: Pick<Reference, 'kind' | 'name'>): string {
  return `${prefix}${kind}.${name}}`
}
