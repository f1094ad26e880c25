/** Turns a parsed YAML document into plain values: aliases within limits, duplicate keys found, every path locatable. */
import { isAlias, isMap as isYamlMap, isPair, isScalar, isSeq } from 'yaml'
import type { Alias, Document, Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import type { Path } from './finding.ts'
import type { ConfigLimits } from './limits.ts'
import { readNumber, readNumberKey } from './number.ts'
import { isDate } from './plain-scalar.ts'
import type { ConfigMap, ConfigValue } from './value.ts'
import { createMap, isMap } from './value.ts'

export interface Converted {
  /** undefined when a limit stopped the conversion. */
  readonly value: ConfigValue | undefined
  /** Offset in the text of a path or of its nearest ancestor there. */
  readonly locate: (path: Path) => number | undefined
}

type ReportAt = (severity: 'error' | 'warning', code: string, message: string, offset: number) => void

/** A value, how many values it is when every alias is written out, and how deep it is. */
interface Measured {
  readonly value: ConfigValue
  readonly size: number
  readonly height: number
}

class LimitReached extends Error {}

export function convertDocument(document: Document.Parsed, limits: ConfigLimits, report: ReportAt): Converted {
  const conversion = new Conversion(limits, report)
  let value: ConfigValue | undefined
  try {
    value = document.contents === null ? null : conversion.convert(document.contents, 0).value
  } catch (error) {
    // Both say the same: nobody writes this by hand. The engine's own stack may end before our depth limit does.
    if (error instanceof RangeError) report('error', 'too-deep', 'the document is nested too deeply', 0)
    else if (!(error instanceof LimitReached)) throw error
  }
  return { value, locate: (path) => conversion.locate(document.contents, path) }
}

class Conversion {
  readonly #limits: ConfigLimits
  readonly #report: ReportAt
  /** Anchors seen so far; `null` while the anchored value itself is being converted. */
  readonly #anchors = new Map<string, { readonly node: Node; readonly measured: Measured } | null>()
  readonly #targets = new WeakMap<Alias, Node>()
  #total = 0

  constructor(limits: ConfigLimits, report: ReportAt) {
    this.#limits = limits
    this.#report = report
  }

  convert(node: unknown, depth: number): Measured {
    if (depth > this.#limits.maxDepth) this.#stop('too-deep', `the document is nested more than ${this.#limits.maxDepth} levels deep`, node)
    if (isAlias(node)) return this.#alias(node, depth)
    const anchor = isScalar(node) || isYamlMap(node) || isSeq(node) ? node.anchor : undefined
    if (anchor !== undefined) this.#anchors.set(anchor, null)
    const measured = this.#plain(node, depth)
    if (anchor !== undefined) this.#anchors.set(anchor, { node: node as Node, measured }) // one of the three kinds above
    return measured
  }

  #plain(node: unknown, depth: number): Measured {
    if (isYamlMap(node)) return this.#map(node, depth)
    if (isSeq(node)) return this.#list(node, depth)
    this.#count(1, node)
    if (isScalar(node) && node.type === 'PLAIN' && isDate(node.source ?? ''))
      this.#report(
        'warning',
        'unquoted-date',
        'without quotes a Collector reads this as a point in time, and refuses it where it wants a text',
        offsetOf(node) ?? 0,
      )
    return { value: isScalar(node) ? scalarValue(node) : null, size: 1, height: 0 }
  }

  #alias(alias: Alias, depth: number): Measured {
    const target = this.#anchors.get(alias.source)
    if (target === undefined) this.#stop('yaml-syntax', `the alias *${alias.source} has no anchor before it`, alias)
    if (target === null) this.#stop('recursive-alias', `the alias *${alias.source} is inside the value it stands for`, alias)
    this.#targets.set(alias, target.node)
    this.#count(target.measured.size, alias)
    if (depth + target.measured.height > this.#limits.maxDepth)
      this.#stop('too-deep', `the document is nested more than ${this.#limits.maxDepth} levels deep`, alias)
    return target.measured
  }

  #list(node: YAMLSeq, depth: number): Measured {
    this.#count(1, node)
    let size = 1
    let height = 0
    const value = node.items.map((item) => {
      // A pair inside a list is `- a: b` in flow style: `[a: b]`.
      const measured = isPair(item) ? this.#pairs([item], item, depth + 1) : this.convert(item, depth + 1)
      size += measured.size
      height = Math.max(height, measured.height + 1)
      return measured.value
    })
    return { value, size, height }
  }

  #map(node: YAMLMap, depth: number): Measured {
    return this.#pairs(node.items, node, depth)
  }

  #pairs(pairs: readonly Pair[], owner: unknown, depth: number): Measured {
    this.#count(1, owner)
    const value = createMap()
    let inherited: readonly ConfigMap[] | undefined
    let size = 1
    let height = 0
    for (const pair of pairs) {
      const key = isMergeKey(pair.key) ? undefined : this.#key(pair.key, depth)
      const measured = this.convert(pair.value, depth + 1)
      size += measured.size
      height = Math.max(height, measured.height + 1)
      if (key === undefined ? isMergeKey(pair.key) && inherited !== undefined : Object.hasOwn(value, key))
        this.#report('error', 'duplicate-key', `the key ${JSON.stringify(key ?? '<<')} is set twice in the same map`, offsetOf(pair.key) ?? 0)
      else if (key !== undefined) value[key] = measured.value
      else if (isMergeKey(pair.key)) inherited = this.#mergeSources(measured.value, pair)
    }
    for (const source of inherited ?? []) for (const key of Object.keys(source)) if (!Object.hasOwn(value, key)) value[key] = source[key] ?? null
    return { value, size, height }
  }

  /** What `<<` brings in: explicit keys win over it, and earlier maps of a list over later ones. */
  #mergeSources(value: ConfigValue, pair: Pair): ConfigMap[] {
    const sources = Array.isArray(value) ? value : [value]
    if (!sources.every(isMap)) {
      this.#report('error', 'yaml-syntax', 'the merge key << takes a map or a list of maps', offsetOf(pair.key) ?? 0)
      return []
    }
    return sources
  }

  #key(node: unknown, depth: number): string | undefined {
    this.#count(1, node)
    const value = isAlias(node) ? this.#alias(node, 0).value : isScalar(node) ? this.convert(node, 0).value : undefined
    if (value === undefined || value === null || typeof value === 'object') {
      this.#report('error', 'unsupported-key', 'a key is a text, not empty, a list or a map', offsetOf(node) ?? 0)
      return undefined
    }
    return isScalar(node) ? keyText(node, depth) : String(value)
  }

  #count(size: number, node: unknown): void {
    this.#total += size
    if (this.#total > this.#limits.maxValues)
      this.#stop('too-many-values', `the document has more than ${this.#limits.maxValues} values when its aliases are written out`, node)
  }

  #stop(code: string, message: string, node: unknown): never {
    this.#report('error', code, message, offsetOf(node) ?? 0)
    throw new LimitReached(code)
  }

  locate(root: unknown, path: Path): number | undefined {
    let node = root
    let offset = offsetOf(root)
    for (const segment of path) {
      const collection = isAlias(node) ? this.#targets.get(node) : node
      let next: unknown
      if (isYamlMap(collection)) {
        const pair = collection.items.find((item) => isScalar(item.key) && (String(item.key.value) === segment || item.key.source === segment))
        if (pair === undefined) return offset
        offset = offsetOf(pair.key) ?? offset
        next = pair.value
      } else if (isSeq(collection) && typeof segment === 'number') {
        next = collection.items[segment]
        offset = offsetOf(next) ?? offset
      }
      if (next === undefined || next === null) return offset
      node = next
    }
    return offset
  }
}

/** A key as text; `depth`: of its map, 0 for the whole document. */
export function keyText(key: Scalar, depth: number): string {
  if (key.type !== 'PLAIN' || key.source === undefined) return String(scalarValue(key))
  // The reader of Collector and supervisor knows only texts as keys of the whole document; further down it reads a key as a value first.
  return depth === 0 ? key.source : (readNumberKey(key.source) ?? String(scalarValue(key)))
}

function scalarValue(scalar: Scalar): ConfigValue {
  const value = scalar.value
  if (scalar.type === 'PLAIN' && scalar.tag === undefined && scalar.source !== undefined) {
    const number = readNumber(scalar.source)
    if (number !== undefined) return number
    if (typeof value === 'number' && !Number.isFinite(value) && /[0-9]/.test(scalar.source)) return scalar.source
  }
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return value
  // Whatever a tag made of it: configuration keeps the text.
  return scalar.source ?? String(value)
}

/** In quotes too: that is how the reader of Collector and supervisor has it. */
function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === '<<'
}

function offsetOf(node: unknown): number | undefined {
  if (isPair(node)) return offsetOf(node.key)
  return isScalar(node) || isYamlMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined
}
