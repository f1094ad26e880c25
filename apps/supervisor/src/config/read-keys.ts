/** Reads the values of all keys out of a supervisor's file, and names what is no key. */
import type { Path } from '@drover/agent-config'
import type { Key, Keys, ValuesOf } from './key.ts'
import { knownMistakes } from './keys-without-effect.ts'
import { nearestName } from './nearest-name.ts'
import { Expanded, isRawMap, nameOf, plain } from './raw-value.ts'
import type { RawMap, RawValue } from './raw-value.ts'

export type Report = (severity: 'error' | 'warning' | 'note', path: Path, message: string) => undefined

export interface ReadKeys<K extends Keys> {
  readonly values: ValuesOf<K>
  /** Names of the keys that the file has. */
  readonly given: ReadonlySet<string>
}

/** A key, or the keys below it. */
interface Section {
  readonly name: string
  readonly key?: Key
  readonly below: Map<string, Section>
}

export function readKeys<K extends Keys>(keys: K, document: RawMap, report: Report): ReadKeys<K> {
  const values: Record<string, unknown> = Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, key.fallback]))
  const given = new Set<string>()
  const root = sectionsOf(keys)
  const readSection = (section: Section, map: RawMap, path: Path) => {
    for (const [name, value] of Object.entries(map)) {
      const here = [...path, name]
      const [first = '', ...rest] = name.split('::')
      const next = section.below.get(first)
      // The stock supervisor also takes `agent::executable: …` for a key within a section.
      if (next !== undefined && rest.length > 0 && next.key === undefined) readSection(next, { [rest.join('::')]: value }, here)
      else if (rest.length > 0 || next === undefined) report('error', here, unknownKey(root, section, name))
      else if (next.key === undefined) readBelow(next, value, here)
      else readKey(next.name, next.key, value, here)
    }
  }
  const readBelow = (section: Section, value: RawValue, path: Path) => {
    const bare = plain(value)
    if (isRawMap(bare)) readSection(section, bare, path)
    else if (bare !== null || needsKeys(section)) report('error', path, `takes keys of its own, and this is ${nameOf(value)}`)
  }
  const readKey = (name: string, key: Key, value: RawValue, path: Path) => {
    // A key without a value is no key, as for the stock supervisor; an empty reference is an empty value.
    if (
      (value === null && key.type.seesEmpty === undefined) ||
      (value instanceof Expanded && value.value === null && key.fallback === undefined && value.text === '')
    )
      return
    const read = key.type.read(value, (message, inside = []) => {
      report('error', [...path, ...inside], message)
      return undefined
    })
    if (read === undefined) return
    values[name] = read
    given.add(name)
    if (key.withoutEffect !== undefined) report('note', path, `has no effect: ${key.withoutEffect}`)
  }
  readSection(root, document, [])
  return { values: values as ValuesOf<K>, given } // as: each value was read by the type of its key, or is its fallback
}

function sectionsOf(keys: Keys): Section {
  const root: Section = { name: '', below: new Map() }
  for (const [name, key] of Object.entries(keys)) {
    let section = root
    const segments = name.split('.')
    for (const [depth, segment] of segments.entries()) {
      const next: Section = section.below.get(segment) ?? {
        name: segments.slice(0, depth + 1).join('.'),
        below: new Map(),
        ...(depth === segments.length - 1 ? { key } : {}),
      }
      section.below.set(segment, next)
      section = next
    }
  }
  return root
}

function needsKeys(section: Section): boolean {
  return section.key?.type.seesEmpty === true || section.below.values().some(needsKeys)
}

function unknownKey(root: Section, section: Section, name: string): string {
  const full = section.name === '' ? name : `${section.name}.${name}`
  const mistake = Object.hasOwn(knownMistakes, full) ? knownMistakes[full] : undefined
  if (mistake !== undefined) return `there is no such key: ${mistake}`
  const elsewhere = findElsewhere(root, name)
  if (elsewhere !== undefined) return `there is no such key here: did you mean ${elsewhere}?`
  const near = name.length > 64 ? undefined : nearestName(name, section.below.keys())
  return near === undefined ? 'there is no such key' : `there is no such key: did you mean ${near}?`
}

/** The only key or section of exactly this name, where there is one. Short words stand in many places. */
function findElsewhere(section: Section, name: string): string | undefined {
  const found: string[] = []
  const look = (at: Section) => {
    for (const [segment, next] of at.below) {
      if (segment === name) found.push(next.name)
      look(next)
    }
  }
  look(section)
  return found.length === 1 ? found[0] : undefined
}

/** As in findings: `agent.env.PORT`. */
export function pathOf(keyName: string, ...inside: Path): Path {
  return [...keyName.split('.'), ...inside]
}
