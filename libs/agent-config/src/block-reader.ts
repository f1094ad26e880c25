/** Reads the YAML that programs and people usually write, many times faster than the full parser. Whatever is unusual is left to that. */
import { readBlockScalar } from './block-scalar.ts'
import { InlineReader, plainContent } from './inline-reader.ts'
import type { ConfigLimits } from './limits.ts'
import { defaultLimits, hasMoreBreaksThan, isLongerThan } from './limits.ts'
import { Unusual, readPlain } from './plain-scalar.ts'
import type { ConfigMap, ConfigValue } from './value.ts'
import { createMap, isMap } from './value.ts'

/** Well below the limit of the full parser, which has the last word on what is too deep. */
const maxDepth = 32
/** Control characters but the line end, and others that a reader of YAML may take for a line end or leave out. */
const unusualCharacter = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/

/** What the full parser would give, when it has nothing to find; undefined when only that can tell. Linear in the length of the text. */
export function readBlockYaml(text: string, limits: ConfigLimits = defaultLimits): ConfigMap | undefined {
  if (isLongerThan(text, limits.maxFileBytes) || unusualCharacter.test(text) || !text.isWellFormed()) return undefined
  if (text.length > limits.maxBreaks && hasMoreBreaksThan(text, limits.maxBreaks)) return undefined
  try {
    return new BlockReader(text, limits.maxValues).document()
  } catch (error) {
    if (error instanceof Unusual) return undefined
    throw error
  }
}

class BlockReader {
  readonly #text: string
  readonly #inline: InlineReader
  readonly #isTerminated: boolean
  /** Of the line that is read next; -1 at the end. The dash of an item that is entered counts as a space. */
  #indentation = -1
  /** Where that line's content begins. */
  #at = 0
  #nextLine = 0

  constructor(text: string, maxValues: number) {
    this.#isTerminated = text.endsWith('\n')
    this.#text = this.#isTerminated ? text : `${text}\n`
    this.#inline = new InlineReader(this.#text, maxValues)
  }

  document(): ConfigMap {
    this.#advance()
    const value = this.#indentation === 0 && this.#code(this.#at) === 123 ? this.#value(-1, 0) : this.#map(0, 0)
    if (this.#indentation !== -1 || !isMap(value)) throw new Unusual()
    return value
  }

  #code(at: number): number {
    return this.#text.charCodeAt(at)
  }

  /** To the next line that is neither empty nor a comment. */
  #advance(): void {
    for (let start = this.#nextLine; start < this.#text.length; start = this.#nextLine) {
      let at = start
      while (this.#code(at) === 32) at++
      this.#nextLine = this.#text.indexOf('\n', at) + 1
      const code = this.#code(at)
      if (code === 10 || code === 35) continue
      this.#at = at
      this.#indentation = at - start
      return
    }
    this.#indentation = -1
  }

  #isItem(): boolean {
    return this.#code(this.#at) === 45 && (this.#code(this.#at + 1) === 32 || this.#code(this.#at + 1) === 10)
  }

  #map(indentation: number, depth: number): ConfigMap {
    if (depth > maxDepth || this.#indentation !== indentation) throw new Unusual()
    this.#inline.count()
    const map = createMap()
    while (this.#indentation >= indentation) {
      this.#inline.at = this.#at
      const key = this.#indentation === indentation ? this.#inline.key() : undefined
      if (key === undefined || Object.hasOwn(map, key)) throw new Unusual()
      map[key] = this.#isLineDone() ? this.#below(indentation, depth) : this.#value(indentation, depth)
    }
    return map
  }

  /** What belongs to a key with nothing behind it. A list may stand as far to the left as the key. */
  #below(indentation: number, depth: number): ConfigValue {
    this.#advance()
    if (this.#indentation >= indentation && this.#isItem()) return this.#list(this.#indentation, depth + 1)
    if (this.#indentation > indentation) return this.#map(this.#indentation, depth + 1)
    this.#inline.count()
    return null
  }

  #list(indentation: number, depth: number): ConfigValue[] {
    if (depth > maxDepth) throw new Unusual()
    this.#inline.count()
    const list: ConfigValue[] = []
    while (this.#indentation === indentation && this.#isItem()) {
      const dash = this.#at
      this.#inline.at = dash + 1
      if (this.#isLineDone()) {
        list.push(this.#belowDash(indentation, depth))
        continue
      }
      this.#at = this.#inline.at
      // The item's own lines stand where its first one begins, behind the dash.
      const inner = indentation + this.#at - dash
      list.push(this.#item(inner, indentation, depth))
    }
    if (this.#indentation > indentation) throw new Unusual()
    return list
  }

  #item(inner: number, indentation: number, depth: number): ConfigValue {
    if (this.#isItem()) {
      this.#indentation = inner
      return this.#list(inner, depth + 1)
    }
    const code = this.#code(this.#inline.at)
    // Brackets and keys that are not quite usual are told apart by what follows them.
    if (code !== 91 && code !== 123 && this.#inline.hasKey()) {
      this.#indentation = inner
      return this.#map(inner, depth + 1)
    }
    return this.#value(indentation, depth)
  }

  #belowDash(indentation: number, depth: number): ConfigValue {
    this.#advance()
    if (this.#indentation > indentation) return this.#isItem() ? this.#list(this.#indentation, depth + 1) : this.#map(this.#indentation, depth + 1)
    this.#inline.count()
    return null
  }

  /** Skips the spaces; whether the line has only a comment left. */
  #isLineDone(): boolean {
    const before = this.#inline.at
    this.#inline.spaces()
    const code = this.#code(this.#inline.at)
    return code === 10 || (code === 35 && this.#inline.at > before)
  }

  /** The value that begins in this line; goes on to the line after it. `parent`: indentation of the map or list that it belongs to. */
  #value(parent: number, depth: number): ConfigValue {
    if (parent === -1) this.#inline.at = this.#at
    const code = this.#code(this.#inline.at)
    if (code === 124 || code === 62) return this.#blockScalar(parent)
    const value = code === 91 || code === 123 ? this.#inline.flow(parent, depth + 1) : this.#scalar(code)
    if (!this.#isLineDone()) throw new Unusual()
    this.#nextLine = this.#text.indexOf('\n', this.#inline.at) + 1
    this.#advance()
    // A line further to the right would go on with this value.
    if (this.#indentation > parent) throw new Unusual()
    return value
  }

  #scalar(code: number): ConfigValue {
    this.#inline.count()
    if (code === 34 || code === 39) return this.#inline.quoted()
    const start = this.#inline.at
    const content = plainContent(this.#text.slice(start, this.#text.indexOf('\n', start)))
    this.#inline.at = start + content.length
    return readPlain(content)
  }

  #blockScalar(parent: number): ConfigValue {
    this.#inline.count()
    const { value, next } = readBlockScalar(this.#text, this.#inline.at, parent)
    // Whether its last line ends decides about its own end.
    if (!this.#isTerminated && next === this.#text.length) throw new Unusual()
    this.#nextLine = next
    this.#advance()
    if (this.#indentation > parent) throw new Unusual()
    return value
  }
}
