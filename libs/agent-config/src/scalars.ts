/** The single values of a YAML text with their places in it, so that some can be written anew while everything else stays as it is. */
import { isAlias, isCollection, isMap, isScalar, LineCounter, visit } from 'yaml'
import type { Alias, Document, Node, Scalar, YAMLMap } from 'yaml'
import { composeDocuments } from './compose.ts'
import type { Finding, Position } from './finding.ts'
import { keyText } from './convert.ts'
import { defaultLimits, whyTooLarge } from './limits.ts'
import { plainWithDigits, reserved } from './plain-scalar.ts'
import { escapeUnprintable } from './unprintable.ts'

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
  /** Written before it, when it is one by which readers of YAML take the value for something else than text, e.g. `!!int`. */
  readonly tag: string | undefined
  /** When it is a key. */
  readonly key: WrittenKey | undefined
}

export interface WrittenKey {
  /** How long it may be as it is written, quotes included: readers of YAML look only so far for the colon behind it. */
  readonly maxLength: () => number
  /** All keys of its map, this one among them. */
  readonly mapKeys: () => readonly MapKey[]
}

export interface MapKey {
  readonly text: string
  /** Where the scalar is written that gives it its text. */
  readonly start: number
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
  const tooLarge = whyTooLarge(text)
  if (tooLarge !== undefined) return { scalars: [], findings: [{ severity: 'error', code: 'too-large', message: `the file ${tooLarge}`, file }], place }
  // A byte order mark counts as a character of the text, but not for the reader.
  const shift = text.startsWith('\uFEFF') ? 1 : 0
  const { documents, problems } = composeDocuments(text.slice(shift), lines, { ...defaultLimits, maxDocuments: 2 })
  const findings = problems
    .filter(({ severity }) => severity === 'error')
    .map(({ message, offset }): Finding => ({ severity: 'error', code: 'yaml-syntax', message, file, ...place(offset) }))
  const document = documents[0]
  if (findings.length > 0 || document === undefined) return { scalars: [], findings, place }
  return { scalars: scalarsOf(document, text, shift), findings, place: (offset) => place(offset - shift) }
}

function scalarsOf(document: Document.Parsed, text: string, shift: number): WrittenScalar[] {
  const scalars: WrittenScalar[] = []
  const keys = new KeysOfMaps(document, shift)
  visit(document, {
    Node(_key, node) {
      keys.see(node)
    },
    Scalar(key, scalar, path) {
      keys.see(scalar)
      const { value, source, range, type } = scalar
      const style = styles[type ?? '']
      const tag = typedBy(scalar)
      // What a tag made of it is no text any more.
      const written = tag === undefined ? value : source
      if (typeof written !== 'string' || range === null || range === undefined || style === undefined) return
      const [start, end] = [range[0] + shift, range[1] + shift]
      const map = key === 'key' ? path.findLast((node) => isMap(node)) : undefined
      const asKey = map === undefined ? undefined : { maxLength: () => maxKeyLength(text, start, end), mapKeys: () => keys.of(map) }
      scalars.push({ style, value: written, start, end, tag, key: asKey })
    },
  })
  return scalars
}

/** The keys of each map, read once when they are asked for. */
class KeysOfMaps {
  readonly #document: Document.Parsed
  readonly #shift: number
  readonly #anchors = new Map<string, Node>()
  readonly #targets = new Map<Alias, Node | undefined>()
  readonly #read = new Map<YAMLMap, readonly MapKey[]>()

  constructor(document: Document.Parsed, shift: number) {
    this.#document = document
    this.#shift = shift
  }

  /** Every node, in the order of the text: an alias stands for the anchor before it. */
  see(node: Node): void {
    if (isAlias(node)) this.#targets.set(node, this.#anchors.get(node.source))
    else if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined) this.#anchors.set(node.anchor, node)
  }

  of(map: YAMLMap): readonly MapKey[] {
    const known = this.#read.get(map)
    if (known !== undefined) return known
    const depth = map === this.#document.contents ? 0 : 1
    const keys = map.items.flatMap(({ key }): MapKey[] => {
      const node = isAlias(key) ? this.#targets.get(key) : key
      return isScalar(node) ? [{ text: keyText(node, depth), start: (node.range?.[0] ?? 0) + this.#shift }] : []
    })
    this.#read.set(map, keys)
    return keys
  }
}

const yamlTag = 'tag:yaml.org,2002:'

function typedBy({ tag }: Scalar): string | undefined {
  return tag?.startsWith(yamlTag) === true && tag !== `${yamlTag}str` ? `!!${tag.slice(yamlTag.length)}` : undefined
}

/** Between the start of a key, with its anchor and tag, and its colon. A key behind `?` has no limit. */
const maxKeySpan = 1024
/** An anchor, a tag or both. */
const propertiesBefore = /(?:[&!][^\s,[\]{}]*[ \t]+){1,2}$/

function maxKeyLength(text: string, start: number, end: number): number {
  const after = /^[ \t]*:/.exec(text.slice(end, end + maxKeySpan + 1))
  if (after === null) return Number.POSITIVE_INFINITY
  const line = text.slice(Math.max(text.lastIndexOf('\n', start - 1) + 1, start - maxKeySpan), start)
  return maxKeySpan - (propertiesBefore.exec(line)?.[0].length ?? 0) - (after[0].length - 1)
}

/** As many readers of YAML take it: numbers and switches as they are commonly written. */
const numberOrSwitch = /^(?:true|false|0|-?[1-9][0-9]{0,14}|-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15})$/
const plainText = /^(?![eE][-+0-9])[A-Za-z/][\w./-]*(?:[ :][\w./-]+)*$/

/** A value that was written without quotes, written again: in quotes unless it is a number, a switch or a harmless word. Always one scalar on one line. */
export function writePlainScalar(value: string): string {
  return numberOrSwitch.test(value) ? value : writePlainKey(value)
}

/** A key that was written without quotes, written again: always text. */
export function writePlainKey(value: string): string {
  const isPlain = plainText.test(value) ? !reserved.test(value) : plainWithDigits.test(value)
  return isPlain ? value : writeQuotedScalar(value)
}

/** In double quotes, on one line: text to every reader. */
export function writeQuotedScalar(value: string): string {
  return `"${escapeInQuotes(value)}"`
}

/** What a value is between double quotes. */
export function escapeInQuotes(value: string): string {
  return escapeUnprintable(JSON.stringify(value).slice(1, -1))
}
