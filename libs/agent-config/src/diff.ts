/** What changed between two configurations: by path of the merged values, and line by line of the files. */
import { structuredPatch } from 'diff'
import type { ConfigFile } from './config-file.ts'
import { compareFileNames } from './config-file.ts'
import type { Path } from './finding.ts'
import { formatPath } from './finding.ts'
import type { ConfigMap, ConfigValue } from './value.ts'
import { isEqual, isMap, toJson } from './value.ts'

export interface ValueChange {
  readonly path: string
  readonly kind: 'added' | 'removed' | 'changed'
  /** As JSON can carry it. */
  readonly from?: unknown
  readonly to?: unknown
}

/** Edits per file that the line diff looks for; beyond, the whole file is shown as replaced. Its time grows with the square of this. */
const maxLineEdits = 1000

/** Changes in the order of the paths. Maps are compared key by key, lists item by item when they are equally long, else as a whole. */
export function diffValues(from: ConfigMap, to: ConfigMap): ValueChange[] {
  const changes: ValueChange[] = []
  compareMaps(from, to, [], changes)
  return changes
}

function compareMaps(from: ConfigMap, to: ConfigMap, path: Path, changes: ValueChange[]): void {
  const keys = new Set([...Object.keys(from), ...Object.keys(to)])
  for (const key of [...keys].toSorted()) {
    compare(Object.hasOwn(from, key) ? from[key] : undefined, Object.hasOwn(to, key) ? to[key] : undefined, [...path, key], changes)
  }
}

function compare(from: ConfigValue | undefined, to: ConfigValue | undefined, path: Path, changes: ValueChange[]): void {
  if (isEqual(from, to)) return
  if (from === undefined) changes.push({ path: formatPath(path), kind: 'added', to: toJson(to ?? null) })
  else if (to === undefined) changes.push({ path: formatPath(path), kind: 'removed', from: toJson(from) })
  else if (isMap(from) && isMap(to)) compareMaps(from, to, path, changes)
  else if (Array.isArray(from) && Array.isArray(to) && from.length === to.length)
    from.forEach((item, index) => compare(item, to[index], [...path, index], changes))
  else changes.push({ path: formatPath(path), kind: 'changed', from: toJson(from), to: toJson(to) })
}

/** Unified diff of all files with three lines around each change; empty text when nothing changed. A new or removed file is against `/dev/null`. */
export function unifiedDiff(from: readonly ConfigFile[], to: readonly ConfigFile[]): string {
  const before = new Map(from.map((file) => [file.name, file.body]))
  const after = new Map(to.map((file) => [file.name, file.body]))
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted(compareFileNames)
  return names.map((name) => diffFile(name, before.get(name), after.get(name))).join('')
}

function diffFile(name: string, from: string | undefined, to: string | undefined): string {
  if (from === to) return ''
  const label = name === '' ? '(unnamed)' : name
  const header = `--- ${from === undefined ? '/dev/null' : `a/${label}`}\n+++ ${to === undefined ? '/dev/null' : `b/${label}`}\n`
  const patch = structuredPatch(label, label, from ?? '', to ?? '', undefined, undefined, { context: 3, maxEditLength: maxLineEdits })
  if (patch === undefined) return header + replaceAll(from ?? '', to ?? '')
  return (
    header +
    patch.hunks.map((hunk) => `@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@\n${hunk.lines.join('\n')}\n`).join('')
  )
}

/** The unified format counts from the line before when there are none. */
function range(start: number, lines: number): string {
  if (lines === 1) return String(start)
  return `${lines === 0 ? start - 1 : start},${lines}`
}

function replaceAll(from: string, to: string): string {
  const removed = splitLines(from)
  const added = splitLines(to)
  const body = [...removed.map((line) => `-${line}`), ...added.map((line) => `+${line}`)]
  return `@@ -${range(1, removed.length)} +${range(1, added.length)} @@\n${body.join('\n')}\n`
}

function splitLines(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}
