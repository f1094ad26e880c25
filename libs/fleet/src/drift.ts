/** Where the effective configuration of an Agent lacks, or has otherwise, what was desired. What the Agent adds is no drift. */
import { type ConfigMap, type ConfigValue, formatPath, hasPlaceholder, isMap, mergeFiles, type Path, toJson } from '@drover/agent-config'
import type { DesiredFile } from './desired.ts'
import { parseDuration } from './duration.ts'

export interface DriftEntry {
  readonly path: string
  readonly kind: 'missing' | 'changed'
  readonly desired: unknown
  readonly effective?: unknown
}

/** More would say nothing new. */
const maxEntries = 500

/**
 * Both sides may be redacted. `undefined` when one side cannot be read, so that nothing can be said.
 * Equal are: what either side has redacted; a reference such as `${env:HOST}` and what it could have become; a number and
 * the same number as text; durations of the same length, however written.
 */
export function drift(desiredMerged: string, effective: readonly DesiredFile[]): readonly DriftEntry[] | undefined {
  const desired = read([{ name: '', contentType: 'text/yaml', body: desiredMerged }])
  const actual = read(effective)
  return desired === undefined || actual === undefined ? undefined : driftOfValues(desired, actual)
}

function read(files: readonly DesiredFile[]): ConfigMap | undefined {
  const { merged, findings } = mergeFiles(files)
  return findings.some(({ severity }) => severity === 'error') ? undefined : merged
}

export function driftOfValues(desired: ConfigMap, effective: ConfigMap): readonly DriftEntry[] {
  const entries: DriftEntry[] = []
  compareMaps(desired, effective, [], entries)
  return entries.slice(0, maxEntries)
}

function compareMaps(desired: ConfigMap, effective: ConfigMap, path: Path, entries: DriftEntry[]): void {
  for (const [key, value] of Object.entries(desired)) {
    // A key that the Agent fills in cannot be looked up.
    if (hasPlaceholder(key) || entries.length > maxEntries) continue
    const at = [...path, key]
    if (!Object.hasOwn(effective, key)) entries.push({ path: formatPath(at), kind: 'missing', desired: toJson(value) })
    else compare(value, effective[key] ?? null, at, entries)
  }
}

function compare(desired: ConfigValue, effective: ConfigValue, path: Path, entries: DriftEntry[]): void {
  if (isMap(desired) && isMap(effective)) compareMaps(desired, effective, path, entries)
  else if (!isEquivalent(desired, effective, path))
    entries.push({ path: formatPath(path), kind: 'changed', desired: toJson(desired), effective: toJson(effective) })
}

function isEquivalent(desired: ConfigValue, effective: ConfigValue, path: Path): boolean {
  if (isRedacted(desired) || isRedacted(effective)) return true
  if (typeof desired === 'string' && hasPlaceholder(desired)) return couldBecome(desired, effective)
  // `otlp:` and `otlp: {}` say the same.
  if (isEmpty(desired)) return isEmpty(effective) || isMap(effective)
  if (Array.isArray(desired)) return Array.isArray(effective) && listsAgree(desired, effective, path)
  if (isMap(desired)) return isMap(effective) && mapsAgree(desired, effective)
  if (effective === null || typeof effective === 'object') return false
  return scalarsAgree(desired, effective)
}

function isEmpty(value: ConfigValue): boolean {
  return value === null || (isMap(value) && Object.keys(value).length === 0)
}

function listsAgree(desired: readonly ConfigValue[], effective: readonly ConfigValue[], path: Path): boolean {
  // The supervisor adds its own extension to ours.
  if (formatPath(path) === 'service.extensions') return desired.every((item) => effective.some((other) => isEquivalent(item, other, [])))
  return desired.length === effective.length && desired.every((item, index) => isEquivalent(item, effective[index] ?? null, []))
}

function mapsAgree(desired: ConfigMap, effective: ConfigMap): boolean {
  const entries: DriftEntry[] = []
  compareMaps(desired, effective, [], entries)
  return entries.length === 0
}

function scalarsAgree(desired: ConfigValue, effective: ConfigValue): boolean {
  if (desired === effective) return true
  const [left, right] = [String(desired).trim(), String(effective).trim()]
  if (left === right) return true
  if (left !== '' && right !== '' && Number(left) === Number(right)) return true
  const [a, b] = [parseDuration(left), parseDuration(right)]
  return a !== undefined && a === b
}

function isRedacted(value: ConfigValue): boolean {
  return typeof value === 'string' && value.includes('[REDACTED]')
}

/** Whether filling in the references could have given this value: what stands around them has to be there, in order. */
function couldBecome(template: string, value: ConfigValue): boolean {
  const literals = template.split(/\$\{[^}]{0,512}\}/)
  if (value !== null && typeof value === 'object') return literals.every((literal) => literal.trim() === '')
  const text = value === null ? '' : String(value)
  if (text === template) return true
  const [first = '', last = ''] = [literals[0], literals.at(-1)]
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false
  let offset = first.length
  const end = text.length - last.length
  for (const literal of literals.slice(1, -1)) {
    const found = text.indexOf(literal, offset)
    if (found === -1 || found + literal.length > end) return false
    offset = found + literal.length
  }
  return true
}
