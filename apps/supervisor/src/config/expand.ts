/** Fills in `${env:NAME}`, `${NAME}`, `${env:NAME:-default}`, `${file:PATH}` and `${yaml:TEXT}`, as the Collector's own configuration does. */
import { resolve } from 'node:path'
import { parseDocument } from 'yaml'
import type { ConfigMap, ConfigValue, Path } from '@drover/agent-config'
import { FileProblem } from './host.ts'
import type { Host } from './host.ts'
import { Expanded, isRawList, isRawMap } from './raw-value.ts'
import type { RawMap, RawValue } from './raw-value.ts'

/** References in what references bring are filled in as well; more rounds than this are a circle. */
const maxRounds = 1_000
const maxRetrievals = 1_000
const maxTextLength = 1 << 20
const variableName = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const reference = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s

export type ReportAt = (severity: 'error' | 'warning', path: Path, message: string) => void

/** A value that cannot be filled in is reported and left out. */
export function expandDocument(document: ConfigMap, host: Host, report: ReportAt): RawMap {
  return expandMap(document, [], host, report)
}

function expandMap(map: ConfigMap, path: Path, host: Host, report: ReportAt): RawMap {
  const expanded: Record<string, RawValue> = Object.create(null) as Record<string, RawValue> // Object.create returns any
  for (const [key, value] of Object.entries(map)) {
    const result = expandLeaf(value, [...path, key], host, report)
    if (result !== undefined) expanded[key] = result
  }
  return expanded
}

function expandLeaf(value: ConfigValue, path: Path, host: Host, report: ReportAt): RawValue | undefined {
  if (Array.isArray(value)) return value.flatMap((item, index) => expandLeaf(item, [...path, index], host, report) ?? [])
  if (typeof value === 'object' && value !== null) return expandMap(value, path, host, report)
  if (typeof value !== 'string') return value
  try {
    const expansion = new Expansion(value, host, (message) => report('warning', path, message))
    return unescape(expansion.run())
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error
    report('error', path, error.message)
    return undefined
  }
}

class ExpansionError extends Error {}
const circle = 'its references lead back to themselves'

/** What one written value becomes. */
class Expansion {
  readonly #written: string
  readonly #host: Host
  readonly #warn: (message: string) => void
  #retrievals = 0

  constructor(written: string, host: Host, warn: (message: string) => void) {
    this.#written = written
    this.#host = host
    this.#warn = warn
  }

  run(): RawValue {
    let value: RawValue = this.#written
    for (let round = 0; round < maxRounds; round++) {
      const next = this.#expand(value)
      if (next === undefined) return value
      value = next
    }
    throw new ExpansionError(circle)
  }

  /** One round; `undefined` when nothing was left to do. */
  #expand(value: RawValue): RawValue | undefined {
    if (typeof value === 'string') return this.#expandText(value)
    if (value instanceof Expanded) return this.#expandExpanded(value)
    if (isRawList(value)) {
      const items = value.map((item) => this.#expand(item))
      return items.every((item) => item === undefined) ? undefined : items.map((item, index) => item ?? value[index] ?? null)
    }
    if (isRawMap(value)) {
      const entries = Object.entries(value).map(([key, item]) => [key, item, this.#expand(item)] as const)
      if (entries.every(([, , next]) => next === undefined)) return undefined
      return Object.fromEntries(entries.map(([key, item, next]) => [key, next ?? item]))
    }
    return undefined
  }

  #expandExpanded({ value, text }: Expanded): RawValue | undefined {
    const next = this.#expand(value)
    if (next === undefined) return undefined
    if (typeof next === 'string' || next instanceof Expanded) return next
    const nextText = this.#expandText(text) ?? text
    return typeof nextText === 'string' ? new Expanded(next, nextText) : next
  }

  #expandText(text: string): RawValue | undefined {
    const found = findReference(text)
    if (found === undefined) return undefined
    const retrieved = this.#retrieve(found)
    if (found === text) return readYaml(retrieved)
    const replaced = text.replaceAll(found, () => retrieved)
    if (replaced.length > maxTextLength) throw new ExpansionError('it becomes too long when its references are filled in')
    return replaced
  }

  #retrieve(found: string): string {
    if (++this.#retrievals > maxRetrievals) throw new ExpansionError(circle)
    const inside = found.slice(2, -1)
    const [, scheme, rest = ''] = reference.exec(inside.includes(':') ? inside : `env:${inside}`) ?? []
    const shown = this.#shown(found)
    if (scheme === undefined) throw new ExpansionError(`${shown} is not a reference such as \${env:NAME}`)
    if (rest.includes('$')) throw new ExpansionError(`${shown} has a $ inside, which a reference cannot have`)
    if (scheme === 'env') return this.#variable(rest, shown)
    if (scheme === 'file') return this.#file(rest)
    if (scheme === 'yaml') return rest
    throw new ExpansionError(`${shown} cannot be filled in: env, file and yaml are known, ${scheme} is not; a $ that is meant as such is written $$`)
  }

  #variable(rest: string, shown: string): string {
    const [name = '', ...more] = rest.split(':-')
    if (!variableName.test(name)) throw new ExpansionError(`${shown} does not name an environment variable: letters, digits and _ only`)
    const value = this.#host.env[name]
    if (value !== undefined) return value
    if (more.length === 0) this.#warn(`the environment variable ${name} is not set, so ${shown} is empty`)
    return more.join(':-')
  }

  #file(path: string): string {
    try {
      return this.#host.readText(resolve(this.#host.cwd, path))
    } catch (error) {
      if (error instanceof FileProblem) throw new ExpansionError(error.message, { cause: error })
      throw error
    }
  }

  /** A reference may have been put together from values that are secrets: shown only when somebody wrote it so. */
  #shown(found: string): string {
    return this.#written.includes(found) ? found : 'a reference inside it'
  }
}

/** The innermost reference that is closed first. */
function findReference(text: string): string | undefined {
  let rest = text
  for (;;) {
    const close = rest.indexOf('}')
    if (close === -1) return undefined
    const open = rest.lastIndexOf('${', close)
    if (open === -1) {
      rest = rest.slice(close + 1)
      continue
    }
    let dollars = 0
    while (rest[open - 1 - dollars] === '$') dollars++
    // An odd number before it escapes it; nothing after it is filled in either, which is what the Collector does.
    return dollars % 2 === 1 ? undefined : rest.slice(open, close + 1)
  }
}

/** A value that is a reference and nothing else may be of any kind. What is a text, or no YAML, is taken as it is. */
function readYaml(text: string): RawValue {
  const document = parseDocument(text, { schema: 'core', logLevel: 'silent' })
  if (document.errors.length > 0) return text
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 100 })
  } catch {
    return text
  }
  return typeof value === 'string' ? text : new Expanded(value as RawValue, text) // as: plain YAML values are raw values
}

function unescape(value: RawValue): RawValue {
  if (typeof value === 'string') return value.replaceAll('$$', () => '$')
  if (value instanceof Expanded)
    return new Expanded(
      unescape(value.value),
      value.text.replaceAll('$$', () => '$'),
    )
  if (isRawList(value)) return value.map(unescape)
  if (isRawMap(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unescape(item)]))
  return value
}
