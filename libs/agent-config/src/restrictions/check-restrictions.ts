/** Holds what a Server offers against what the administrator of a host lets it touch. An allow list: what cannot be told is refused. */
import type { ComponentKind } from '../components.ts'
import { componentKinds, definedIds, parseComponentId, sections } from '../components.ts'
import type { Finding, Path } from '../finding.ts'
import { formatPath } from '../finding.ts'
import { pipelinesOf } from '../pipelines.ts'
import { redactDocument } from '../redact.ts'
import type { ConfigMap, ConfigValue } from '../value.ts'
import { createMap, isMap } from '../value.ts'
import type { AllowedFiles } from './file-names.ts'
import { judgePath, judgeText } from './file-names.ts'
import { isIdPosition, placeOf } from './harmless.ts'
import { expansionsOf, referencesIn } from './references.ts'

/** Set on the host, out of reach of what is offered. An absent part restricts nothing, an empty one allows nothing. */
export interface Restrictions {
  /** Types, so that `otlp` allows `otlp/2`. */
  readonly components: Readonly<Partial<Record<ComponentKind, readonly string[]>>>
  /** Files, and folders with all that is in them: absolute, without `..` and wildcards. */
  readonly paths?: readonly string[]
  /** Schemes of `${scheme:…}`. */
  readonly references?: readonly string[]
}

export interface RestrictedOffer {
  /** Exactly the documents that are merged. What only merging makes cannot be a violation: merging takes keys and texts over as they are. */
  readonly offered: readonly { readonly file: string; readonly document: ConfigMap }[]
  /** With what the host has itself, whose components may be referred to. */
  readonly merged: ConfigMap
  /** The environment of the Collector. */
  readonly valueOf: (name: string) => string | undefined
}

const maxReported = 5
const maxShownLength = 120
const topLevelKeys: ReadonlySet<string> = new Set([...Object.values(sections), 'service'])
/** With `paths`, where no file can be meant. Others have to be named in `references`. */
const harmlessSchemes: ReadonlySet<string> = new Set(['env', 'yaml', 'http', 'https'])

/** The first violations, and how many there are in all. No secrets in them. */
export function checkRestrictions(offer: RestrictedOffer, restrictions: Restrictions): { readonly findings: readonly Finding[]; readonly count: number } {
  const findings: Finding[] = []
  let count = 0
  const allowed = restrictions.paths === undefined ? undefined : { paths: restrictions.paths, ids: idsOf(offer.merged) }
  for (const { file, document } of offer.offered) {
    const report = (path: Path, message: () => string): void => {
      count++
      if (findings.length < maxReported) findings.push({ severity: 'error', code: 'restricted', message: message(), file, path: shorten(formatPath(path)) })
    }
    const check = new Check(restrictions, allowed, offer.valueOf, report)
    check.components(document)
    check.value(document, [])
  }
  return { findings, count }
}

function idsOf(config: ConfigMap): ReadonlySet<string> {
  return new Set([...componentKinds.flatMap((kind) => definedIds(config, kind)), ...pipelinesOf(config).map(({ id }) => id)])
}

type Report = (path: Path, message: () => string) => void

class Check {
  readonly #restrictions: Restrictions
  readonly #allowed: AllowedFiles | undefined
  readonly #valueOf: (name: string) => string | undefined
  readonly #report: Report

  constructor(restrictions: Restrictions, allowed: AllowedFiles | undefined, valueOf: (name: string) => string | undefined, report: Report) {
    this.#restrictions = restrictions
    this.#allowed = allowed
    this.#valueOf = valueOf
    this.#report = report
  }

  components(document: ConfigMap): void {
    const limited = componentKinds.filter((kind) => this.#restrictions.components[kind] !== undefined)
    if (limited.length === 0) return
    for (const key of Object.keys(document))
      if (!topLevelKeys.has(key)) this.#report([key], () => `is no section of a Collector's configuration, and components are restricted here`)
    for (const kind of componentKinds) {
      const name = sections[kind]
      this.#section(kind, document[name], [name])
      for (const [id, settings] of isMap(document[name]) ? Object.entries(document[name]) : []) {
        if (settings !== null && !isMap(settings)) this.#report([name, id], () => 'is not written out as a map, and components are restricted here')
        this.#nested(settings, [name, id])
      }
    }
  }

  #section(kind: ComponentKind, section: ConfigValue | undefined, path: Path): void {
    const types = this.#restrictions.components[kind]
    if (types === undefined || section === undefined || section === null) return
    const only = types.length === 0 ? `no ${sections[kind]} are allowed here` : `of ${sections[kind]} only ${types.join(', ')} are allowed here`
    if (!isMap(section)) this.#report(path, () => `is not written out as a map, and ${only}`)
    else
      for (const id of Object.keys(section)) {
        const type = parseComponentId(id)?.type
        if (type === undefined || !types.includes(type)) this.#report([...path, id], () => `the ${kind} ${quote(id)} is refused: ${only}`)
      }
  }

  /** Some components start others, such as `receiver_creator`. */
  #nested(value: ConfigValue, path: Path): void {
    if (Array.isArray(value)) value.forEach((item, index) => this.#nested(item, [...path, index]))
    if (!isMap(value)) return
    for (const [key, item] of Object.entries(value)) {
      const here = [...path, key]
      const kind = componentKinds.find((one) => sections[one] === key)
      if (kind !== undefined && (isMap(item) || (typeof item === 'string' && item.includes('$')))) this.#section(kind, item, here)
      this.#nested(item, here)
    }
  }

  value(value: ConfigValue, path: Path): void {
    if (typeof value === 'string') this.#text(value, path)
    else if (Array.isArray(value)) value.forEach((item, index) => this.value(item, [...path, index]))
    else if (isMap(value))
      for (const [key, item] of Object.entries(value)) {
        const here = [...path, key]
        this.#key(key, here)
        this.value(item, here)
      }
  }

  #key(key: string, path: Path): void {
    // To a Collector that is a path of keys, so what is meant would not be where it was looked for.
    if (key.includes('::')) this.#report(path, () => 'a key with :: in it is refused, since there are restrictions here')
    if (key.includes('${')) this.#report(path, () => 'a key with a reference in it is refused, since there are restrictions here')
    if (this.#allowed === undefined || isIdPosition(path) || placeOf(path) === 'text') return
    const problem = judgeText(key, 'any', this.#allowed)
    if (problem !== undefined) this.#report(path, () => `the key ${quote(key)} ${problem}: ${this.#onlyPaths()}`)
  }

  #text(text: string, path: Path): void {
    const { references } = this.#restrictions
    for (const { scheme } of references === undefined ? [] : referencesIn(text))
      if (scheme === undefined || !references?.includes(scheme))
        this.#report(
          path,
          () =>
            `${shown(text, path)} is refused: ${references?.length === 0 ? 'no references' : `only references to ${references?.join(', ')}`} are allowed here`,
        )
    if (this.#allowed === undefined) return
    const place = placeOf(path)
    const problem = place === 'text' ? this.#inText(text, this.#allowed) : this.#whereFilesAre(text, place, this.#allowed)
    if (problem !== undefined) this.#report(path, () => `${shown(text, path)} ${problem}: ${this.#onlyPaths()}`)
  }

  #inText(text: string, allowed: AllowedFiles): string | undefined {
    for (const { scheme, target } of referencesIn(text)) {
      if (scheme?.toLowerCase() === 'file') {
        if (judgePath(target, allowed) !== undefined) return 'reads a file that is outside'
      } else if (scheme === undefined || !(harmlessSchemes.has(scheme) || this.#restrictions.references?.includes(scheme))) return 'may read a file'
    }
    return undefined
  }

  #whereFilesAre(text: string, place: 'file' | 'any', allowed: AllowedFiles): string | undefined {
    const expansions = expansionsOf(text, this.#valueOf)
    if (expansions === undefined) return 'could become the name of a file when the Collector runs'
    for (const one of expansions) {
      const problem = judgeText(one, place, allowed)
      if (problem !== undefined) return problem
    }
    return undefined
  }

  #onlyPaths(): string {
    const paths = this.#allowed?.paths ?? []
    return paths.length === 0 ? 'no files are allowed here' : `only files in ${paths.join(', ')} are allowed here`
  }
}

function quote(text: string): string {
  return JSON.stringify(shorten(text))
}

function shorten(text: string): string {
  return text.length > maxShownLength ? `${text.slice(0, maxShownLength)}…` : text
}

/** Without what may be a secret, by its key and by its looks. */
function shown(text: string, path: Path): string {
  const map = createMap()
  map[path.findLast((segment) => typeof segment === 'string') ?? ''] = text
  const [redacted] = Object.values(redactDocument(map))
  return quote(typeof redacted === 'string' ? redacted : '')
}
