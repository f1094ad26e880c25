/** YAML texts brought into one order and form, so that a diff shows values that differ and not how they were written. Pure. */
import { formatPath, type Path } from '@drover/agent-config'
import type { DesiredConfig } from '@drover/api'
import { parseDocument, stringify } from 'yaml'

/** The same values with sorted keys; a text that cannot be read is returned as it is. */
export function comparableYaml(text: string): string {
  if (text.trim() === '') return ''
  const value = valueOf(text)
  return value === undefined ? text : writeSorted(value)
}

type Drift = DesiredConfig['drift']

/**
 * The effective configuration written as the desired one is: a value that did not drift stands as it was desired, because an agent
 * reports `1m0s` for `60s`. What the agent added is left out, or kept with `additions`.
 */
export function effectiveAsDesired(desired: string, effective: string, drift: Drift, additions: boolean): string {
  const [wanted, actual] = [valueOf(desired), valueOf(effective)]
  if (!isMap(wanted) || !isMap(actual)) return comparableYaml(effective)
  const drifted = new Map(drift.map((entry) => [entry.path, entry]))
  return writeSorted(follow(wanted, actual, [], { drifted, additions }))
}

interface Following {
  readonly drifted: ReadonlyMap<string, Drift[number]>
  readonly additions: boolean
}

function follow(desired: unknown, effective: unknown, path: Path, following: Following): unknown {
  if (isMap(desired) && (isMap(effective) || effective === null)) return followMap(desired, effective ?? {}, path, following)
  const added = following.additions && Array.isArray(desired) && Array.isArray(effective) && effective.length > desired.length
  return added || (following.additions && desired === null) ? effective : desired
}

function followMap(desired: YamlMap, effective: YamlMap, path: Path, following: Following): YamlMap {
  const entries: [string, unknown][] = []
  for (const [key, value] of Object.entries(desired)) {
    const at = [...path, key]
    const drifted = following.drifted.get(formatPath(at))
    if (drifted === undefined) entries.push([key, follow(value, effective[key], at, following)])
    else if (drifted.kind === 'changed') entries.push([key, effective[key]])
  }
  if (following.additions) entries.push(...Object.entries(effective).filter(([key]) => !Object.hasOwn(desired, key)))
  return Object.fromEntries(entries)
}

type YamlMap = Readonly<Record<string, unknown>>

const isMap = (value: unknown): value is YamlMap => typeof value === 'object' && value !== null && !Array.isArray(value)

function valueOf(text: string): unknown {
  const document = parseDocument(text, { merge: true, uniqueKeys: false })
  // `maxAliasCount` stops texts that would grow without end.
  return document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: 100 })
}

const writeSorted = (value: unknown) => stringify(value, { sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false })

/** Several files as one text, each under its name; a single file stands alone. */
export function joinFiles(files: readonly { readonly name: string; readonly body: string }[]): string {
  if (files.length === 1) return files[0]?.body ?? ''
  return files.map((file) => `# ${file.name === '' ? '(unnamed file)' : file.name}\n${file.body.trimEnd()}\n`).join('\n')
}
