/** Reads the YAML that programs write: block style, one value to a line. Whatever is unusual is left to the full parser. */
import type { ConfigMap, ConfigValue } from './value.ts'
import { createMap } from './value.ts'

/** Well below the limits of the full parser, which has the last word on what is too much. */
const maxLength = 512 * 1024
const maxLines = 20_000
const maxDepth = 32

interface Line {
  readonly indentation: number
  /** Without the indentation, and without the `- ` of items once they are entered. */
  readonly text: string
}

/** Printable ASCII in lines that are neither empty nor end in a space. */
const usual = /^(?:[ -~]*[!-~]\n)+$/
const keyed = /^([A-Za-z][\w./-]{0,127}):(?: (.+))?$/
/** As keys or plain values, YAML 1.1 or 1.2 takes these for something else than text. */
export const reserved = /^(?:true|false|yes|no|on|off|y|n|null|nan|inf|infinity)$/i
const wholeNumber = /^(?:0|-?[1-9][0-9]{0,14})$/
const doubleQuoted = /^"[^"\\]*"$/
const singleQuoted = /^'(?:[^']|'')*'$/
/** Starts like no other kind of value, and holds neither a comment nor a key. */
const plain = /^[A-Za-z/^$(](?:(?!: | #)[ -~])*$/
/** An address, a duration, a size, a UUID: it starts with a digit and yet is no number to any reader of YAML. */
export const plainWithDigits = /^(?:[0-9]+(?:(?:\.[0-9]+){3}(?::[0-9]+)?|ms|[smh]|[KMGT]i?B|%)|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

class Unusual extends Error {}

/** What the full parser would give; undefined when only that can tell. Linear in the length of the text. */
export function readBlockYaml(text: string): ConfigMap | undefined {
  if (text.length > maxLength || !usual.test(text)) return undefined
  const lines = text.split('\n')
  lines.pop()
  if (lines.length > maxLines) return undefined
  try {
    return new BlockReader(lines).document()
  } catch (error) {
    if (error instanceof Unusual) return undefined
    throw error
  }
}

class BlockReader {
  readonly #lines: Line[]
  #at = 0

  constructor(lines: readonly string[]) {
    this.#lines = lines.map((line) => {
      const text = line.trimStart()
      return { indentation: line.length - text.length, text }
    })
  }

  document(): ConfigMap {
    const map = this.#map(0, 0)
    if (this.#at < this.#lines.length) throw new Unusual()
    return map
  }

  #map(indentation: number, depth: number): ConfigMap {
    if (depth > maxDepth) throw new Unusual()
    const map = createMap()
    for (let line = this.#lines[this.#at]; line !== undefined && line.indentation >= indentation; line = this.#lines[this.#at]) {
      const [, key, value] = line.indentation === indentation ? (keyed.exec(line.text) ?? []) : []
      if (key === undefined || reserved.test(key) || Object.hasOwn(map, key)) throw new Unusual()
      this.#at += 1
      map[key] = value === undefined ? this.#below(indentation, depth) : readScalar(value)
    }
    return map
  }

  /** What belongs to a key with nothing behind it. A list may stand as far to the left as the key. */
  #below(indentation: number, depth: number): ConfigValue {
    const line = this.#lines[this.#at]
    if (line === undefined || line.indentation < indentation) return null
    if (line.text.startsWith('- ')) return this.#list(line.indentation, depth + 1)
    return line.indentation === indentation ? null : this.#map(line.indentation, depth + 1)
  }

  #list(indentation: number, depth: number): ConfigValue[] {
    if (depth > maxDepth) throw new Unusual()
    const list: ConfigValue[] = []
    for (let line = this.#lines[this.#at]; line?.indentation === indentation && line.text.startsWith('- '); line = this.#lines[this.#at]) {
      const item = line.text.slice(2)
      if (keyed.test(item)) {
        this.#lines[this.#at] = { indentation: indentation + 2, text: item }
        list.push(this.#map(indentation + 2, depth + 1))
      } else {
        this.#at += 1
        list.push(readScalar(item))
      }
    }
    return list
  }
}

function readScalar(text: string): ConfigValue {
  if (wholeNumber.test(text)) return Number(text)
  if (plainWithDigits.test(text)) return text
  if (doubleQuoted.test(text)) return text.slice(1, -1)
  if (singleQuoted.test(text)) return text.slice(1, -1).replaceAll("''", "'")
  if (plain.test(text) && !text.endsWith(':')) {
    if (text === 'true' || text === 'false') return text === 'true'
    if (text === 'null') return null
    if (!reserved.test(text)) return text
  }
  if (text === '{}') return createMap()
  if (text === '[]') return []
  throw new Unusual()
}
