/** Reads the text of a selector. Every complaint names the place, and says what would be right. */
import type { Term } from './selector.ts'

export interface ParsedTerm {
  readonly term: Term
  readonly offset: number
  readonly valueOffset: number
}

/** Never returns; `offset` is the place in the text. */
export type Fail = (message: string, offset: number) => never

interface Token {
  readonly kind: 'word' | 'quoted' | 'operator' | 'open' | 'close' | 'comma' | 'star' | 'end'
  readonly text: string
  readonly offset: number
}

const operators = ['=~', '!~', '!=', '==', '='] as const
const wordCharacter = /[\p{L}\p{N}._/:@+-]/u
/** A pattern without quotes may have more, as long as nothing in it could end the term. */
const patternCharacter = /[^\s,()"']/u

export function readSelector(text: string, fail: Fail): readonly ParsedTerm[] {
  const reader = new Reader(text, fail)
  if (reader.peek().kind === 'end') fail('the selector is empty; * selects every agent', 0)
  if (reader.peek().kind === 'star') {
    reader.next()
    const after = reader.peek()
    if (after.kind !== 'end') fail('* selects every agent and stands alone', after.offset)
    return []
  }
  const terms = [readTerm(reader)]
  while (reader.peek().kind !== 'end') {
    const separator = reader.next()
    if (separator.kind !== 'comma' && !isWord(separator, 'and')) fail(`expected "and" or the end, found ${describe(separator)}`, separator.offset)
    terms.push(readTerm(reader))
  }
  return terms
}

function readTerm(reader: Reader): ParsedTerm {
  const first = reader.next()
  const { offset } = first
  if (isWord(first, 'not')) {
    const word = reader.next()
    if (!isWord(word, 'exists')) reader.fail('after "not" comes exists(key); for a value use !=', word.offset)
    return { term: { kind: 'exists', key: readExists(reader), negated: true }, offset, valueOffset: offset }
  }
  if (isWord(first, 'exists') && reader.peek().kind === 'open') {
    return { term: { kind: 'exists', key: readExists(reader), negated: false }, offset, valueOffset: offset }
  }
  if (first.kind !== 'word' && first.kind !== 'quoted') reader.fail(`expected the name of an attribute or label, found ${describe(first)}`, offset)
  if (first.text === '') reader.fail('the name of an attribute is not empty', offset)
  const key = first.text
  const operator = reader.next()
  if (isWord(operator, 'in')) {
    const valueOffset = reader.peek().offset
    return { term: { kind: 'in', key, values: readList(reader) }, offset, valueOffset }
  }
  if (operator.kind !== 'operator') reader.fail(`expected =, !=, =~, !~ or in after ${key}, found ${describe(operator)}`, operator.offset)
  if (operator.text === '==') reader.fail('write = with one equals sign', operator.offset)
  const isPattern = operator.text.endsWith('~')
  const value = isPattern ? reader.nextPattern() : reader.next()
  if (value.kind !== 'word' && value.kind !== 'quoted')
    reader.fail(`expected a value after ${operator.text}, found ${describe(value)}; quote values with spaces or signs`, value.offset)
  const negated = operator.text.startsWith('!')
  const term: Term = isPattern ? { kind: 'matches', key, pattern: value.text, negated } : { kind: 'equals', key, value: value.text, negated }
  return { term, offset, valueOffset: value.offset }
}

function readExists(reader: Reader): string {
  reader.expect('open', '(')
  const key = reader.next()
  if ((key.kind !== 'word' && key.kind !== 'quoted') || key.text === '')
    reader.fail(`expected the name of an attribute or label, found ${describe(key)}`, key.offset)
  reader.expect('close', ')')
  return key.text
}

function readList(reader: Reader): readonly string[] {
  reader.expect('open', '(')
  const values: string[] = []
  for (;;) {
    const value = reader.next()
    if (value.kind !== 'word' && value.kind !== 'quoted') reader.fail(`expected a value in the list, found ${describe(value)}`, value.offset)
    values.push(value.text)
    const after = reader.next()
    if (after.kind === 'close') return values
    if (after.kind !== 'comma') reader.fail(`expected a comma or ) in the list, found ${describe(after)}`, after.offset)
  }
}

function isWord(token: Token, word: string): boolean {
  return token.kind === 'word' && token.text.toLowerCase() === word
}

function describe(token: Token): string {
  return token.kind === 'end' ? 'the end' : JSON.stringify(token.text.slice(0, 64))
}

class Reader {
  readonly #text: string
  readonly #fail: Fail
  #offset = 0
  #ahead: Token | undefined

  constructor(text: string, fail: Fail) {
    this.#text = text
    this.#fail = fail
  }

  fail(message: string, offset: number): never {
    return this.#fail(message, offset)
  }

  peek(): Token {
    this.#ahead ??= this.#read(wordCharacter)
    return this.#ahead
  }

  next(): Token {
    const token = this.peek()
    this.#ahead = undefined
    return token
  }

  /** Call only when nothing was peeked: words of a pattern have other characters. */
  nextPattern(): Token {
    return this.#read(patternCharacter)
  }

  expect(kind: Token['kind'], text: string): void {
    const token = this.next()
    if (token.kind !== kind) this.fail(`expected ${text}, found ${describe(token)}`, token.offset)
  }

  #read(allowed: RegExp): Token {
    while (/\s/.test(this.#text[this.#offset] ?? '')) this.#offset++
    const offset = this.#offset
    const character = this.#text[offset]
    if (character === undefined) return { kind: 'end', text: '', offset }
    if (character === '"' || character === "'") return this.#quoted(character, offset)
    const word = allowed === patternCharacter ? this.#word(allowed, offset) : undefined
    if (word !== undefined) return word
    const single = { '(': 'open', ')': 'close', ',': 'comma', '*': 'star' } as const
    for (const [text, kind] of Object.entries(single)) {
      if (character !== text) continue
      this.#offset++
      return { kind, text, offset }
    }
    for (const text of operators) {
      if (!this.#text.startsWith(text, offset)) continue
      this.#offset += text.length
      return { kind: 'operator', text, offset }
    }
    return (
      this.#word(allowed, offset) ??
      this.fail(`${JSON.stringify(String.fromCodePoint(this.#text.codePointAt(offset) ?? 0))} has no meaning here; quote names and values that hold it`, offset)
    )
  }

  #word(allowed: RegExp, offset: number): Token | undefined {
    let end = offset
    while (end < this.#text.length) {
      const character = String.fromCodePoint(this.#text.codePointAt(end) ?? 0)
      if (!allowed.test(character)) break
      end += character.length
    }
    if (end === offset) return undefined
    this.#offset = end
    return { kind: 'word', text: this.#text.slice(offset, end), offset }
  }

  /** A backslash before a quote or a backslash stands for that character; before anything else it is itself, as in `"\d+"`. */
  #quoted(mark: string, offset: number): Token {
    let text = ''
    for (let index = offset + 1; index < this.#text.length; index++) {
      const character = this.#text[index] ?? ''
      if (character === mark) {
        this.#offset = index + 1
        return { kind: 'quoted', text, offset }
      }
      const following = this.#text[index + 1]
      if (character === '\\' && (following === '\\' || following === '"' || following === "'")) {
        text += following
        index++
      } else {
        text += character
      }
    }
    return this.fail('the quote is not closed', offset)
  }
}
