/** Selectors choose Agents by attributes and labels: `host.name =~ "web-.*" and label.site in (ber, ham)`. */
import { type AnchoredPattern, compilePattern } from './pattern.ts'
import { readSelector } from './selector-parser.ts'

/** The value of an attribute, `label.<name>` or `drover.<fact>` of one Agent. */
export type Lookup = (key: string) => string | undefined

export type Term =
  | { readonly kind: 'equals'; readonly key: string; readonly value: string; readonly negated: boolean }
  | { readonly kind: 'matches'; readonly key: string; readonly pattern: string; readonly negated: boolean }
  | { readonly kind: 'in'; readonly key: string; readonly values: readonly string[] }
  | { readonly kind: 'exists'; readonly key: string; readonly negated: boolean }

/** A plain value. All terms must hold; no terms (`*`) select every Agent. */
export interface Selector {
  readonly terms: readonly Term[]
}

/** The text is no selector. `column` counts characters from 1. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError'
  readonly column: number

  constructor(message: string, column: number) {
    super(message)
    this.column = column
  }
}

/** What Drover itself knows about an Agent: only for filters, since a group that depended on these would change its members by what it does to them. */
export const factKeys = ['drover.connected', 'drover.healthy', 'drover.config', 'drover.group'] as const

export const maxSelectorLength = 4096
export const maxTerms = 100

/** Throws SelectorError. `group`: facts are refused too. */
export function parseSelector(text: string, use: 'filter' | 'group' = 'filter'): Selector {
  const fail = (message: string, offset: number): never => {
    throw new SelectorError(message, Array.from(text.slice(0, offset)).length + 1)
  }
  if (text.length > maxSelectorLength) fail(`a selector has at most ${maxSelectorLength} characters`, maxSelectorLength)
  const terms = readSelector(text, fail)
  if (terms.length > maxTerms) fail(`a selector has at most ${maxTerms} terms`, terms[maxTerms]?.offset ?? 0)
  for (const { term, offset, valueOffset } of terms) {
    checkKey(term.key, use, (message) => fail(message, offset))
    if (term.kind === 'matches') compile(term, (message) => fail(message, valueOffset))
  }
  return { terms: terms.map(({ term }) => term) }
}

function checkKey(key: string, use: 'filter' | 'group', fail: (message: string) => never): void {
  if (key === 'label.') fail('a label has a name: label.<name>')
  if (!key.startsWith('drover.')) return
  if (use === 'group') fail(`${key} changes with what Drover does, so a group cannot select by it`)
  if (!factKeys.some((fact) => fact === key)) fail(`Drover knows no ${key}; there are ${factKeys.join(', ')}`)
}

const reserved: ReadonlySet<string> = new Set(['and', 'in', 'not', 'exists'])

/** Canonical text: parsing it gives an equal selector. */
export function formatSelector(selector: Selector): string {
  return selector.terms.length === 0 ? '*' : selector.terms.map(formatTerm).join(' and ')
}

function formatTerm(term: Term): string {
  const key = formatWord(term.key)
  switch (term.kind) {
    case 'equals':
      return `${key} ${term.negated ? '!=' : '='} ${formatWord(term.value)}`
    case 'matches':
      return `${key} ${term.negated ? '!~' : '=~'} ${quote(term.pattern)}`
    case 'in':
      return `${key} in (${term.values.map(formatWord).join(', ')})`
    case 'exists':
      return `${term.negated ? 'not ' : ''}exists(${key})`
    default:
      return term satisfies never
  }
}

function formatWord(word: string): string {
  return /^[\p{L}\p{N}._/:@+-]+$/u.test(word) && !reserved.has(word.toLowerCase()) ? word : quote(word)
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`
}

/**
 * Absent keys: `=`, `=~`, `in` and `exists` are false, `!=`, `!~` and `not exists` are true. The time is linear in the
 * length of the values.
 */
export function matches(selector: Selector, lookup: Lookup): boolean {
  return selector.terms.every((term) => holds(term, lookup(term.key)))
}

function holds(term: Term, value: string | undefined): boolean {
  switch (term.kind) {
    case 'equals':
      return (value === term.value) !== term.negated
    case 'matches':
      return (value !== undefined && compile(term).test(value)) !== term.negated
    case 'in':
      return value !== undefined && term.values.includes(value)
    case 'exists':
      return (value !== undefined) !== term.negated
    default:
      return term satisfies never
  }
}

/** Keys that the outcome depends on, each once: nothing else about an Agent can change whether it matches. */
export function selectorKeys(selector: Selector): readonly string[] {
  return [...new Set(selector.terms.map(({ key }) => key))]
}

// A selector stays a plain value; what is compiled from it is kept beside it.
const compiled = new WeakMap<Term, AnchoredPattern>()

function compile(term: Extract<Term, { kind: 'matches' }>, fail?: (message: string) => never): AnchoredPattern {
  const known = compiled.get(term)
  if (known !== undefined) return known
  const pattern = compilePattern(term.pattern, fail)
  compiled.set(term, pattern)
  return pattern
}
