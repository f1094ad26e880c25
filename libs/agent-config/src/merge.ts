/**
 * Merges named files exactly as the stock supervisor does: in the order of their names with the empty name last; maps merge
 * key by key; anything else, also an empty value, replaces what was there; `service.extensions` is a union.
 * The content type plays no part. Files with errors are left out and reported: an agent would refuse the whole.
 */
import type { ConfigFile } from './config-file.ts'
import { compareFileNames } from './config-file.ts'
import type { Finding, Path, Position } from './finding.ts'
import { formatPath } from './finding.ts'
import type { ConfigLimits } from './limits.ts'
import { byteLength, defaultLimits } from './limits.ts'
import type { ParsedYaml } from './parse.ts'
import { uniteExtensions } from './merge-values.ts'
import { parseYaml } from './parse.ts'
import type { ConfigMap, ConfigValue } from './value.ts'
import { copyMap, createMap, isMap } from './value.ts'

/** A value that several files set. Indices into the files as they were given. */
export interface FileOverride {
  readonly path: string
  readonly winner: number
  /** Lowest precedence first. */
  readonly losers: readonly number[]
}

export interface Located extends Position {
  /** Index into the files as they were given. */
  readonly fileIndex: number
  readonly file: string
}

export interface Merged {
  readonly merged: ConfigMap
  readonly findings: readonly Finding[]
  readonly overrides: readonly FileOverride[]
  /** Files that set a path or something below it, lowest precedence first: the last one wins. */
  readonly origin: (path: Path) => readonly number[]
  /** Where the value that won is written; for a path that no file has, its nearest ancestor. */
  readonly locate: (path: Path) => Located | undefined
}

/** Who set what is in a map: the shape of the merged document with file indices at its leaves. */
interface OriginNode {
  /** Files that set this very value, lowest precedence first. Empty for a map that was only ever a map. */
  setBy: number[]
  /** `service.extensions`: every file in `setBy` has its part in the value. */
  union: boolean
  children: Map<string, OriginNode>
}

const extensionsPath: Path = ['service', 'extensions']

export function mergeFiles(files: readonly ConfigFile[], limits: ConfigLimits = defaultLimits): Merged {
  const findings: Finding[] = [...checkFiles(files, limits)]
  const root = emptyNode()
  const parsed: (ParsedYaml | undefined)[] = files.map(() => undefined)
  const order = files.map((_, index) => index).toSorted((a, b) => compareFileNames(files[a]?.name ?? '', files[b]?.name ?? ''))
  let merged = createMap()
  if (!findings.some((finding) => finding.severity === 'error')) {
    for (const index of order) {
      const file = files[index]
      if (file === undefined) continue
      const result = parseYaml(file.body, file.name, limits)
      parsed[index] = result
      findings.push(...result.findings)
      if (result.document !== undefined) merged = mergeDocument(merged, result.document, root, index)
    }
  }
  const precedence = new Map(order.map((index, rank) => [index, rank]))
  const origin = (path: Path): readonly number[] => collectOrigins(findNode(root, path), precedence)
  return { merged, findings, overrides: collectOverrides(root, precedence), origin, locate: (path) => locate(path, origin, files, parsed) }
}

export function checkFiles(files: readonly ConfigFile[], limits: ConfigLimits = defaultLimits): Finding[] {
  const findings: Finding[] = []
  const report = (code: string, message: string, file?: string): void => {
    findings.push({ severity: 'error', code, message, ...(file === undefined ? {} : { file }) })
  }
  if (files.length > limits.maxFiles) {
    report('too-many-files', `there are ${files.length} files, at most ${limits.maxFiles} are allowed`)
    return findings
  }
  const names = new Set<string>()
  for (const { name } of files) {
    const problem = checkFileName(name, limits)
    if (problem !== undefined) report('bad-file-name', problem, name.slice(0, limits.maxFileNameLength))
    else if (names.has(name)) report('duplicate-file', `two files are named ${JSON.stringify(name)}`, name)
    names.add(name)
  }
  const characters = files.reduce((sum, { body }) => sum + body.length, 0)
  if (characters > limits.maxTotalBytes || files.reduce((sum, { body }) => sum + byteLength(body), 0) > limits.maxTotalBytes) {
    report('too-large', `the files are larger than ${limits.maxTotalBytes} bytes together`)
  }
  return findings
}

// Names end up as keys of a map on the wire, in file names of exports and on terminals.
const forbiddenInName = /[\u0000-\u001f\u007f\\]/

function checkFileName(name: string, limits: ConfigLimits): string | undefined {
  if (name.length > limits.maxFileNameLength) return `a file name has at most ${limits.maxFileNameLength} characters`
  if (forbiddenInName.test(name)) return 'a file name has no control characters or backslashes'
  if (!name.isWellFormed()) return 'a file name is valid Unicode'
  if (name.startsWith('/')) return 'a file name does not start with a slash'
  if (name.split('/').includes('..')) return 'a file name has no .. in it'
  return undefined
}

function mergeDocument(target: ConfigMap, source: ConfigMap, root: OriginNode, file: number): ConfigMap {
  const beforeSetBy = findNode(root, extensionsPath)?.setBy ?? []
  const merged = mergeMaps(target, source, root, file)
  const united = uniteExtensions(target, source, merged)
  const node = findNode(root, extensionsPath)
  if (united !== merged && node !== undefined) {
    node.union = true
    node.setBy = [...beforeSetBy, file]
  }
  return united
}

function mergeMaps(target: ConfigMap, source: ConfigMap, origin: OriginNode, file: number): ConfigMap {
  const result = copyMap(target)
  for (const [key, value] of Object.entries(source)) {
    const existing = Object.hasOwn(target, key) ? target[key] : undefined
    const known = origin.children.get(key)
    if (isMap(value) && isMap(existing)) {
      const node = known ?? emptyNode()
      origin.children.set(key, node)
      result[key] = mergeMaps(existing, value, node, file)
    } else {
      origin.children.set(key, originOf(value, file, known === undefined ? [] : [...allOrigins(known)]))
      result[key] = value
    }
  }
  return result
}

/** `earlier`: files whose value here is replaced. */
function originOf(value: ConfigValue, file: number, earlier: readonly number[]): OriginNode {
  const children = new Map<string, OriginNode>()
  if (!isMap(value)) return { setBy: [...earlier.filter((index) => index !== file), file], union: false, children }
  const entries = Object.entries(value)
  for (const [key, item] of entries) children.set(key, originOf(item, file, []))
  return { setBy: entries.length === 0 || earlier.length > 0 ? [...earlier, file] : [], union: false, children }
}

function allOrigins(node: OriginNode): Set<number> {
  const found = new Set(node.setBy)
  for (const item of node.children.values()) for (const index of allOrigins(item)) found.add(index)
  return found
}

function emptyNode(): OriginNode {
  return { setBy: [], union: false, children: new Map() }
}

function findNode(root: OriginNode, path: Path): OriginNode | undefined {
  let node: OriginNode | undefined = root
  for (const segment of path) {
    // Lists have one origin as a whole.
    if (typeof segment === 'number') return node
    node = node?.children.get(segment)
  }
  return node
}

function collectOrigins(node: OriginNode | undefined, precedence: ReadonlyMap<number, number>): readonly number[] {
  if (node === undefined) return []
  return byPrecedence(allOrigins(node), precedence)
}

function byPrecedence(indices: Iterable<number>, precedence: ReadonlyMap<number, number>): number[] {
  return [...indices].toSorted((a, b) => (precedence.get(a) ?? 0) - (precedence.get(b) ?? 0))
}

function collectOverrides(root: OriginNode, precedence: ReadonlyMap<number, number>): FileOverride[] {
  const overrides: FileOverride[] = []
  const visit = (node: OriginNode, path: Path): void => {
    if (node.setBy.length > 1 && !node.union) {
      const ordered = byPrecedence(node.setBy, precedence)
      const winner = ordered.at(-1)
      if (winner !== undefined) overrides.push({ path: formatPath(path), winner, losers: ordered.slice(0, -1) })
    }
    for (const [key, item] of node.children) visit(item, [...path, key])
  }
  visit(root, [])
  return overrides
}

function locate(
  path: Path,
  origin: (path: Path) => readonly number[],
  files: readonly ConfigFile[],
  parsed: readonly (ParsedYaml | undefined)[],
): Located | undefined {
  for (let length = path.length; length >= 0; length--) {
    const fileIndex = origin(path.slice(0, length)).at(-1)
    const file = fileIndex === undefined ? undefined : files[fileIndex]
    if (fileIndex === undefined || file === undefined) continue
    const position = parsed[fileIndex]?.locate(path)
    if (position !== undefined) return { ...position, fileIndex, file: file.name }
  }
  return undefined
}
