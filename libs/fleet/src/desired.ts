/** Renders what an Agent should run: the files as they are offered, their hash, and who wins where. */
import { compareFileNames, defaultLimits, type Finding, mergeFiles, toYaml } from '@drover/agent-config'
import { configHash, toHex } from '@drover/protocol'
import type { AssignedRef, Assignment } from './assignment.ts'

/** A file as a config version has it, or as it is offered. */
export interface DesiredFile {
  readonly name: string
  readonly contentType: string
  readonly body: string
}

/** One file of an Agent's desired configuration, and where it comes from. */
export interface Fragment {
  readonly group: string
  readonly priority: number
  readonly revision: number
  readonly config: string
  readonly version: number
  /** Name under which it is offered. */
  readonly file: string
  readonly contentType: string
  readonly body: string
}

/** A value that several fragments set. Indices into `fragments`, lowest precedence first. */
export interface Override {
  readonly path: string
  readonly winner: number
  readonly losers: readonly number[]
}

export interface DesiredConfig {
  /** Lower-case hex; null: no group gives this Agent a configuration, which is not the same as an empty one. */
  readonly hash: string | null
  readonly files: readonly DesiredFile[]
  /** Lowest precedence first, one for each file. */
  readonly fragments: readonly Fragment[]
  /** The files merged as the supervisor will merge them, as YAML. */
  readonly merged: string
  readonly overrides: readonly Override[]
  /** Of the merge. Versions are checked before they are stored, so errors here are unusual. */
  readonly findings: readonly Finding[]
}

/** What to call a set of files: for files that hold secrets it should be keyed, since a plain hash lets people try guesses. */
export type HashFiles = (files: readonly DesiredFile[]) => string

export const nothingDesired: DesiredConfig = { hash: null, files: [], fragments: [], merged: '', overrides: [], findings: [] }

/**
 * One file alone keeps its name. Several are named `NNN-<group>-<config>-<name>`, so that the supervisor, which merges
 * in the order of names, follows our precedence. `bodies`: with all references filled in. What takes a merge is found out
 * when it is asked for.
 */
export function renderDesired(assignment: Assignment, bodies: (ref: AssignedRef) => readonly DesiredFile[], hash: HashFiles = hashFiles): DesiredConfig {
  const sources = assignment.refs.flatMap((ref) =>
    bodies(ref)
      .toSorted((a, b) => compareFileNames(a.name, b.name))
      .map((file) => ({ ref, file })),
  )
  if (sources.length === 0) return nothingDesired
  const digits = Math.max(3, String(sources.length - 1).length)
  const fragments = sources.map(({ ref, file }, index): Fragment => {
    const name = sources.length === 1 ? file.name : numberedName(String(index).padStart(digits, '0'), ref, file.name)
    const { group, priority, revision, config, version } = ref
    return { group, priority, revision, config, version, file: name, contentType: file.contentType, body: file.body }
  })
  const files = fragments.map(({ file, contentType, body }): DesiredFile => ({ name: file, contentType, body }))
  return new Rendered(hash(files), files, fragments)
}

class Rendered implements DesiredConfig {
  readonly hash: string
  readonly files: readonly DesiredFile[]
  readonly fragments: readonly Fragment[]
  #merge: Pick<DesiredConfig, 'merged' | 'overrides' | 'findings'> | undefined

  constructor(hash: string, files: readonly DesiredFile[], fragments: readonly Fragment[]) {
    this.hash = hash
    this.files = files
    this.fragments = fragments
  }

  get merged(): string {
    return this.#merged().merged
  }

  get overrides(): readonly Override[] {
    return this.#merged().overrides
  }

  get findings(): readonly Finding[] {
    return this.#merged().findings
  }

  #merged(): Pick<DesiredConfig, 'merged' | 'overrides' | 'findings'> {
    if (this.#merge === undefined) {
      const { merged, overrides, findings } = mergeFiles(this.files)
      this.#merge = { merged: toYaml(merged), overrides, findings }
    }
    return this.#merge
  }
}

/** Not longer than a file name may be: the number in front makes it unique. */
function numberedName(number: string, { group, config }: AssignedRef, name: string): string {
  const full = `${number}-${group}-${config}${name === '' ? '' : `-${name}`}`
  return full.slice(0, defaultLimits.maxFileNameLength).toWellFormed()
}

/** The hash that names these files to an Agent, as lower-case hex. */
export function hashFiles(files: readonly DesiredFile[]): string {
  const encoder = new TextEncoder()
  return toHex(configHash(files.map(({ name, contentType, body }) => ({ name, contentType, body: encoder.encode(body) }))))
}
