/** Reads what stands within a line, or in brackets over several: quoted text, `[…]` and `{…}`. A part of the fast reader. */
import { Unusual, maxWordLength, readPlain } from './plain-scalar.ts'
import type { ConfigMap, ConfigValue } from './value.ts'
import { createMap } from './value.ts'

const doubleQuoted = /"((?:[^"\\\n]|\\[\\"nt])*)"/y
const singleQuoted = /'((?:[^'\n]|'')*)'/y
/** Keys without quotes; whole numbers are their own text, others are not. */
const plainKey = /([A-Za-z_$/][\w./$-]{0,127}|0|[1-9][0-9]{0,14}) *:/y
const flowPlain = /[^,[\]{}\n]*/y
const negative = /^-[0-9]/
const maxDepth = 32
const maxKeyLength = 1024

const escapes: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n', '\\t': '\t' }

/** Without the comment behind it. Throws where it has more in it than one value. */
export function plainContent(line: string): string {
  const comment = line.indexOf(' #')
  const content = (comment === -1 ? line : line.slice(0, comment)).trimEnd()
  if (content.includes(': ') || content.endsWith(':')) throw new Unusual()
  return content
}

/** A position in the text. `text` ends with a line end and has no other control characters. */
export class InlineReader {
  readonly text: string
  at = 0
  readonly #maxValues: number
  #values = 0
  #behindKey = 0

  constructor(text: string, maxValues: number) {
    this.text = text
    this.#maxValues = maxValues
  }

  count(): void {
    this.#values += 1
    if (this.#values > this.#maxValues) throw new Unusual()
  }

  /** A key and its colon; undefined when there is none here. Leaves `at` behind the colon. */
  key(isInBrackets = false): string | undefined {
    const key = this.#findKey(isInBrackets)
    if (key === undefined) return undefined
    this.count()
    this.at = this.#behindKey
    return key
  }

  /** Whether a key stands here; `at` stays. */
  hasKey(): boolean {
    return this.#findKey(false) !== undefined
  }

  #findKey(isInBrackets: boolean): string | undefined {
    const code = this.text.charCodeAt(this.at)
    return code === 34 || code === 39 ? this.#quotedKey(isInBrackets) : this.#plainKey()
  }

  #plainKey(): string | undefined {
    plainKey.lastIndex = this.at
    const key = plainKey.exec(this.text)?.[1]
    if (key === undefined || !this.#isSpace(plainKey.lastIndex)) return undefined
    // Words such as `true` are values first, and texts only then.
    if (key.length <= maxWordLength && typeof readPlain(key) !== 'string' && !/^[0-9]/.test(key)) throw new Unusual()
    this.#behindKey = plainKey.lastIndex
    return key
  }

  /** In brackets a value may follow its colon at once, as in JSON. */
  #quotedKey(isInBrackets: boolean): string | undefined {
    const start = this.at
    const key = this.quoted()
    this.spaces()
    const colon = this.at
    this.at = start
    if (this.text.charCodeAt(colon) !== 58 || (!isInBrackets && !this.#isSpace(colon + 1))) return undefined
    if (key === '<<' || key.length > maxKeyLength) throw new Unusual()
    this.#behindKey = colon + 1
    return key
  }

  #isSpace(at: number): boolean {
    const code = this.text.charCodeAt(at)
    return code === 32 || code === 10
  }

  quoted(): string {
    const pattern = this.text.charCodeAt(this.at) === 34 ? doubleQuoted : singleQuoted
    pattern.lastIndex = this.at
    const content = pattern.exec(this.text)?.[1]
    if (content === undefined) throw new Unusual()
    this.at = pattern.lastIndex
    if (pattern === singleQuoted) return content.includes("'") ? content.replaceAll("''", "'") : content
    return content.includes('\\') ? content.replaceAll(/\\./g, (escape) => escapes[escape] ?? '') : content
  }

  spaces(): void {
    while (this.text.charCodeAt(this.at) === 32) this.at++
  }

  /** A list or map in brackets; `parentIndentation`: its lines must stand further to the right. */
  flow(parentIndentation: number, depth: number): ConfigValue {
    if (depth > maxDepth) throw new Unusual()
    this.count()
    return this.text.charCodeAt(this.at++) === 91 ? this.#flowList(parentIndentation, depth) : this.#flowMap(parentIndentation, depth)
  }

  #flowList(parentIndentation: number, depth: number): ConfigValue[] {
    const list: ConfigValue[] = []
    for (;;) {
      this.#flowSpace(parentIndentation)
      if (this.#skip(93)) return list
      list.push(this.#flowValue(parentIndentation, depth))
      this.#flowSpace(parentIndentation)
      if (!this.#skip(44) && this.text.charCodeAt(this.at) !== 93) throw new Unusual()
    }
  }

  #flowMap(parentIndentation: number, depth: number): ConfigMap {
    const map = createMap()
    for (;;) {
      this.#flowSpace(parentIndentation)
      if (this.#skip(125)) return map
      const key = this.key(true)
      if (key === undefined || Object.hasOwn(map, key)) throw new Unusual()
      this.#flowSpace(parentIndentation)
      const code = this.text.charCodeAt(this.at)
      if (code === 44 || code === 125) {
        this.count()
        map[key] = null
      } else map[key] = this.#flowValue(parentIndentation, depth)
      this.#flowSpace(parentIndentation)
      if (!this.#skip(44) && this.text.charCodeAt(this.at) !== 125) throw new Unusual()
    }
  }

  #flowValue(parentIndentation: number, depth: number): ConfigValue {
    const code = this.text.charCodeAt(this.at)
    if (code === 91 || code === 123) return this.flow(parentIndentation, depth + 1)
    this.count()
    if (code === 34 || code === 39) return this.quoted()
    flowPlain.lastIndex = this.at
    const content = plainContent(flowPlain.exec(this.text)?.[0] ?? '')
    if (content === '' || (code === 45 && !negative.test(content))) throw new Unusual()
    this.at += content.length
    return readPlain(content)
  }

  #skip(code: number): boolean {
    if (this.text.charCodeAt(this.at) !== code) return false
    this.at += 1
    return true
  }

  /** Spaces, line ends and comments between the parts of a list or map in brackets. */
  #flowSpace(parentIndentation: number): void {
    const start = this.at
    this.spaces()
    if (this.text.charCodeAt(this.at) === 35 && this.at > start) this.at = this.text.indexOf('\n', this.at)
    while (this.text.charCodeAt(this.at) === 10) {
      const line = this.at + 1
      this.at = line
      this.spaces()
      const code = this.text.charCodeAt(this.at)
      if (code === 35) this.at = this.text.indexOf('\n', this.at)
      else if (code !== 10 && this.at - line <= parentIndentation) throw new Unusual()
    }
  }
}
