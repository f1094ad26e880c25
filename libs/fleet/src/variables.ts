/**
 * Fills `${drover:…}` references of configuration files with values. The rules, in full:
 *
 * - References count in values and keys, not in comments. `$${drover:…}` is text, as for the Collector, and `${env:…}` and `${file:…}` stay.
 * - A value is always text to the Agent: `$` in it is written `$$`, so that nothing in it is filled in by the Collector, and nothing in it is
 *   looked at for further references.
 * - Whatever a value holds, it stays within the one YAML value or key in which its reference stands. In quotes it is text. Without quotes a
 *   number, `true` or `false` is just that; anything but a harmless word is put in quotes. So quotes, `: `, `#`, line ends and the like
 *   never become structure. A key is always text.
 * - A file that could be read before it was filled in can be read after: values that make it too large, or a key that is too long, that its
 *   map has twice or that is `<<`, are refused. So is a reference behind a tag such as `!!int`.
 * - Control characters other than tab and line end are refused; so are `$`, `{` and `}` inside of another reference.
 */
import {
  escapeInQuotes,
  type Finding,
  type Position,
  readScalars,
  type ScalarStyle,
  unprintable,
  whyTooLarge,
  writePlainKey,
  writePlainScalar,
  writeQuotedScalar,
  type WrittenScalar,
} from '@drover/agent-config'
import type { DesiredFile } from './desired.ts'
import { cutText, isReference, type Malformed, type Reference, type ReferenceKind, type TextPiece, writeReference } from './references.ts'

/** The value for a reference; undefined: there is none. */
export type Resolve = (kind: ReferenceKind, name: string) => string | undefined

/** A reference, and where it is written. */
export interface PlacedReference extends Reference, Position {
  readonly file: string
}

/** A reference that could not be filled in. */
export interface Unresolved extends Position {
  /** As it is written. */
  readonly reference: string
  readonly file: string
  /** missing: there is no such value. unfit: there is one, but it cannot stand there. malformed: it names nothing that there is. */
  readonly problem: 'missing' | 'unfit' | 'malformed'
  /** What is wrong and what to do, without the value. */
  readonly message: string
}

type Part = string | (Reference & Position) | (Malformed & Position)

/** A value with references in it. */
interface Slot {
  readonly style: ScalarStyle
  /** As it stands for something. */
  readonly value: readonly Part[]
  /** As it is written on its one line, or as a block; null: write it anew. */
  readonly written: readonly Part[] | null
  /** It ends with a line end, as blocks do. */
  readonly isLine: boolean
  /** Where it is written in the template. */
  readonly start: number
  /** How long it may be when it is written; null: it is no key. */
  readonly maxKeyLength: number | null
}

/** A map with a reference in a key. */
interface KeyMap {
  /** Keys without. */
  readonly fixed: ReadonlySet<string>
  /** By the start of their slot. */
  readonly filled: readonly number[]
}

/** A file that is read once and filled in often. */
export interface Template {
  readonly file: DesiredFile
  readonly parts: readonly (string | Slot)[]
  readonly maps: readonly KeyMap[]
  readonly references: readonly PlacedReference[]
  /** Of malformed references, and of text that is no YAML. */
  readonly findings: readonly Finding[]
}

export interface Filled {
  readonly body: string
  readonly unresolved: readonly Unresolved[]
}

/** Every reference of these files, with what is wrong with the way in which some are written. */
export function findReferences(files: readonly DesiredFile[]): { readonly references: readonly PlacedReference[]; readonly findings: readonly Finding[] } {
  const templates = files.map(readTemplate)
  return { references: templates.flatMap(({ references }) => references), findings: templates.flatMap(({ findings }) => findings) }
}

export function readTemplate(file: DesiredFile): Template {
  if (!file.body.includes('${drover:')) return { file, parts: [file.body], maps: [], references: [], findings: [] }
  const { scalars, findings: problems, place } = readScalars(file.body, file.name)
  const parts: (string | Slot)[] = []
  const references: PlacedReference[] = []
  const findings: Finding[] = [...problems]
  let done = 0
  for (const scalar of scalars) {
    const slot = readSlot(file.body, scalar, place)
    if (slot === undefined) continue
    if (scalar.tag !== undefined) findings.push(taggedFinding(scalar.tag, file.name, place(scalar.start)))
    parts.push(file.body.slice(done, scalar.start), slot)
    done = scalar.end
    for (const part of slot.value) {
      if (typeof part === 'string') continue
      if ('malformed' in part) findings.push(malformedFinding(part, file.name))
      else references.push({ ...part, file: file.name })
    }
  }
  return { file, parts: [...parts, file.body.slice(done)], maps: keyMapsOf(scalars), references, findings }
}

function keyMapsOf(scalars: readonly WrittenScalar[]): readonly KeyMap[] {
  const maps = new Set(scalars.flatMap(({ value, key }) => (key !== undefined && hasReference(value) ? [key.mapKeys()] : [])))
  return [...maps].map((keys) => ({
    fixed: new Set(keys.flatMap(({ text }) => (hasReference(text) ? [] : [text]))),
    filled: keys.flatMap(({ text, start }) => (hasReference(text) ? [start] : [])),
  }))
}

function hasReference(text: string): boolean {
  return text.includes('${drover:') && cutText(text).some(({ reference }) => reference !== undefined)
}

function taggedFinding(tag: string, file: string, position: Position): Finding {
  const message = `a reference cannot stand behind the tag ${tag}: leave the tag out; without quotes a number, true or false is just that`
  return { severity: 'error', code: 'tagged-reference', message, file, ...position }
}

function malformedFinding({ malformed, line, column }: Malformed & Position, file: string): Finding {
  return { severity: 'error', code: 'unknown-reference', message: malformedMessage(malformed), file, line, column }
}

function malformedMessage(written: string): string {
  return `${written} names nothing: write \${drover:agent.NAME}, \${drover:label.NAME}, \${drover:var.NAME} or \${drover:secret.NAME}, or $\${ for the text itself`
}

function readSlot(text: string, scalar: WrittenScalar, place: (offset: number) => Position): Slot | undefined {
  const inValue = cutText(scalar.value)
  if (!inValue.some(({ reference }) => reference !== undefined)) return undefined
  const source = text.slice(scalar.start, scalar.end)
  const inSource = cutText(source)
  const offsets = inSource.filter(({ reference }) => reference !== undefined).map(({ start }) => scalar.start + start)
  // References that are written with escapes are found in the value alone.
  const isSame = namesOf(inSource) === namesOf(inValue)
  let next = 0
  const placed = (pieces: readonly TextPiece[]): readonly Part[] => {
    next = 0
    return pieces.map(({ text: piece, reference }) =>
      reference === undefined ? piece : { ...reference, ...place(isSame ? (offsets[next++] ?? scalar.start) : scalar.start) },
    )
  }
  const isOnOneLine = scalar.style === 'block' || !source.includes('\n')
  return {
    style: scalar.style,
    value: placed(inValue),
    written: isSame && isOnOneLine && scalar.style !== 'plain' ? placed(inSource) : null,
    isLine: source.endsWith('\n'),
    start: scalar.start,
    maxKeyLength: scalar.key?.maxLength() ?? null,
  }
}

function namesOf(pieces: readonly TextPiece[]): string {
  return pieces
    .flatMap(({ reference }) => (reference === undefined ? [] : isReference(reference) ? [writeReference(reference)] : [reference.malformed]))
    .join(' ')
}

/** `keep`: references of this kind stay as they are written, e.g. secrets when people look. */
export function fillTemplate({ file, parts, maps, findings }: Template, resolve: Resolve, keep?: ReferenceKind): Filled {
  const unresolved: Unresolved[] = []
  const refuseFile = (message: string, line = 1, column = 1): void => {
    unresolved.push({ reference: '', file: file.name, line, column, problem: 'unfit', message })
  }
  const unreadable = findings.find(({ code }) => code !== 'unknown-reference')
  if (unreadable !== undefined) {
    refuseFile(unreadable.message, unreadable.line, unreadable.column)
    return { body: file.body, unresolved }
  }
  const keys = new Map<number, FilledKey>()
  const filled = parts.map((part) => {
    if (typeof part === 'string') return part
    const { text, written } = fillSlot(part, (reference) => valueOf(reference, file.name, resolve, keep, unresolved))
    if (maps.length > 0) keys.set(part.start, { slot: part, text, written })
    return written
  })
  if (unresolved.length === 0) checkKeys(maps, keys, (slot, problem) => unresolved.push(...refuseSlot(slot, file.name, problem)))
  const body = filled.join('')
  const tooLarge = parts.length === 1 ? undefined : whyTooLarge(body)
  if (tooLarge !== undefined) refuseFile(`with the values of its references the file ${tooLarge}`)
  return { body, unresolved }
}

interface FilledKey {
  readonly slot: Slot
  readonly text: string
  readonly written: string
}

function checkKeys(maps: readonly KeyMap[], keys: ReadonlyMap<number, FilledKey>, refuse: (slot: Slot, problem: string) => void): void {
  for (const { slot, text, written } of keys.values()) {
    if (slot.maxKeyLength === null) continue
    if (text === '<<') refuse(slot, 'makes the key <<, which brings in another map')
    else if (written.length > slot.maxKeyLength) refuse(slot, 'makes a key of more than 1,024 characters, which no reader of YAML takes')
  }
  for (const { fixed, filled } of maps) {
    const seen = new Set(fixed)
    for (const start of filled) {
      const key = keys.get(start)
      if (key === undefined) continue
      if (seen.has(key.text)) refuse(key.slot, 'makes a key that the same map has already')
      seen.add(key.text)
    }
  }
}

function refuseSlot({ value }: Slot, file: string, problem: string): readonly Unresolved[] {
  return value.flatMap((part): Unresolved[] => {
    if (typeof part === 'string' || 'malformed' in part) return []
    const { line, column } = part
    const reference = writeReference(part)
    return [{ reference, file, line, column, problem: 'unfit', message: `the value of ${reference} ${problem}` }]
  })
}

/** Undefined: it stays as it is written. */
type ValueOf = (part: Exclude<Part, string>) => string | undefined

function valueOf(part: Exclude<Part, string>, file: string, resolve: Resolve, keep: ReferenceKind | undefined, unresolved: Unresolved[]): string | undefined {
  const { line, column } = part
  const refuse = (reference: string, problem: Unresolved['problem'], message: string): undefined => {
    unresolved.push({ reference, file, line, column, problem, message })
  }
  if ('malformed' in part) return refuse(part.malformed, 'malformed', malformedMessage(part.malformed))
  if (part.kind === keep) return undefined
  const value = resolve(part.kind, part.name)
  const written = writeReference(part)
  if (value === undefined) return refuse(written, 'missing', missingMessage(part))
  const unfit = whyUnfit(value, part.nested)
  return unfit === undefined ? value.replaceAll('$', '$$$$') : refuse(written, 'unfit', `the value of ${written} ${unfit}`)
}

function missingMessage(reference: Reference): string {
  const { name } = reference
  switch (reference.kind) {
    case 'agent':
      return `the agent reports no attribute ${name}`
    case 'label':
      return `the agent has no label ${name}: set it`
    case 'var':
      return `the variable ${name} is not set: set it in the group`
    case 'secret':
      return `there is no value for the secret ${name}: give it one, and the group a revision with it`
    default:
      return reference.kind satisfies never
  }
}

const controlCharacter = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

function whyUnfit(value: string, nested: boolean): string | undefined {
  if (controlCharacter.test(value)) return 'has control characters'
  if (!value.isWellFormed()) return 'is not valid Unicode'
  return nested && /[${}\r\n]/.test(value) ? 'has $, {, } or a line end, which cannot stand inside of another reference' : undefined
}

const lineBreak = /[\r\n\u0085\u2028\u2029]/

function fillSlot({ style, value, written, isLine, maxKeyLength }: Slot, valueFor: ValueOf): { readonly text: string; readonly written: string } {
  const values = value.map((part) => (typeof part === 'string' ? part : (valueFor(part) ?? asWritten(part))))
  const text = values.join('')
  if (written !== null) {
    const found = value.flatMap((part, index) => (typeof part === 'string' ? [] : [values[index] ?? '']))
    const inPlace = found.map((one) => writeInPlace(one, style))
    let next = 0
    if (inPlace.every((one) => one !== undefined))
      return { text, written: written.map((part) => (typeof part === 'string' ? part : (inPlace[next++] ?? ''))).join('') }
  }
  const writePlain = maxKeyLength === null ? writePlainScalar : writePlainKey
  return { text, written: `${style === 'plain' ? writePlain(text) : writeQuotedScalar(text)}${isLine ? '\n' : ''}` }
}

function asWritten(part: Exclude<Part, string>): string {
  return 'malformed' in part ? part.malformed : writeReference(part)
}

/** Undefined: the whole has to be written anew. */
function writeInPlace(value: string, style: ScalarStyle): string | undefined {
  switch (style) {
    case 'double':
      return escapeInQuotes(value)
    case 'single':
      return isUnusual(value) || value.includes('\t') ? undefined : value.replaceAll("'", "''")
    case 'block':
      // Spaces and nothing at the begin of a line mean something in a block.
      return isUnusual(value) || value === '' || value !== value.trim() ? undefined : value
    case 'plain':
      return undefined
    default:
      return style satisfies never
  }
}

/** What only double quotes can hold on one line. */
function isUnusual(value: string): boolean {
  return lineBreak.test(value) || unprintable.test(value) || value.includes('\ufeff')
}

/** For a single text that is no YAML, such as a header: references filled in, everything else as it is; `$${` becomes `${`. */
export function fillText(text: string, place: string, resolve: Resolve): Filled {
  const unresolved: Unresolved[] = []
  const body = cutText(text).map(({ text: piece, reference }) => {
    if (reference === undefined) return piece.replaceAll('$${drover:', '${drover:')
    const written = isReference(reference) ? writeReference(reference) : reference.malformed
    const value = isReference(reference) ? resolve(reference.kind, reference.name) : undefined
    const at = { reference: written, file: place, line: 1, column: 1 }
    if (!isReference(reference)) unresolved.push({ ...at, problem: 'malformed', message: malformedMessage(written) })
    else if (value === undefined) unresolved.push({ ...at, problem: 'missing', message: missingMessage(reference) })
    else if (controlCharacter.test(value) || lineBreak.test(value))
      unresolved.push({ ...at, problem: 'unfit', message: `the value of ${written} has line ends or control characters` })
    return value ?? written
  })
  return { body: body.join(''), unresolved }
}
