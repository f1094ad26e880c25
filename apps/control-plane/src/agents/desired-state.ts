/** What people decided, as of one moment: which revisions there are, and what each makes of an agent. Rendered and serialised once for all agents with equal values. */
import { byteLength, defaultLimits } from '@drover/agent-config'
import { createAssigner, fillTemplate, hashFiles, nothingDesired, renderDesired } from '@drover/fleet'
import type {
  AssignedRef,
  Assigner,
  Assignment,
  DesiredConfig,
  DesiredFile,
  Given,
  Lookup,
  ReferenceKind,
  Resolve,
  Selection,
  Template,
  Unresolved,
} from '@drover/fleet'
import { fromHex } from '@drover/protocol'
import { prepareRemoteConfig } from '@drover/server'
import type { PreparedRemoteConfig } from '@drover/server'
import type { GroupRevisions, RevisionRule, Sealer } from '../seams.ts'

/** A reference that has no value, and in which config it stands. */
export interface UnresolvedPlace extends Unresolved {
  /** `base@3 collector.yaml`. */
  readonly place: string
}

export interface Rendered {
  /** Lower-case hex; null: nothing is desired, or it cannot be rendered. */
  readonly hash: string | null
  /** As they are offered. */
  readonly files: readonly DesiredFile[]
  /** Whether values of secrets are in the files. */
  readonly hasSecrets: boolean
  /** For people: as the files are, but with secrets as the references that they are written as. */
  readonly shown: DesiredConfig
  /** For people: `base@3 (group all), edge@1 (group edge)`. */
  readonly source: string
  /** Undefined when nothing is desired. */
  readonly prepared: PreparedRemoteConfig | undefined
  /** With any of these it cannot be rendered. */
  readonly unresolved: readonly UnresolvedPlace[]
}

export interface DesiredStateParts {
  readonly groups: readonly GroupRevisions[]
  /** By `config@version`. */
  readonly templates: ReadonlyMap<string, readonly Template[]>
  /** By `name@version`. */
  readonly secrets: ReadonlyMap<string, string>
  readonly sealer: Pick<Sealer, 'mac'>
}

const nothing: Rendered = { hash: null, files: [], hasSecrets: false, shown: nothingDesired, source: '', prepared: undefined, unresolved: [] }

/** What an assignment needs of an agent to be rendered. */
interface Mold {
  readonly assignment: Assignment
  /** Attributes and labels that its files name. */
  readonly needs: readonly { readonly kind: ReferenceKind; readonly name: string }[]
  readonly hasSecrets: boolean
}

/** Characters of rendered files that are kept for the next agent; where each agent has values of its own they cannot all be. */
const MAX_KEPT = 16 * 1024 * 1024

export class DesiredState {
  readonly groups: readonly GroupRevisions[]
  readonly templates: DesiredStateParts['templates']
  readonly secrets: DesiredStateParts['secrets']
  readonly #sealer: Pick<Sealer, 'mac'>
  readonly #byName: ReadonlyMap<string, GroupRevisions>
  readonly #assigner: Assigner
  readonly #molds = new Map<string, Mold>()
  readonly #rendered = new Map<string, Rendered>()
  #kept = 0
  /** How often something was rendered and not found. */
  renderings = 0

  constructor({ groups, templates, secrets, sealer }: DesiredStateParts) {
    this.groups = groups
    this.templates = templates
    this.secrets = secrets
    this.#sealer = sealer
    this.#byName = new Map(groups.map((group) => [group.name, group]))
    this.#assigner = createAssigner(groups)
  }

  group(name: string): GroupRevisions | undefined {
    return this.#byName.get(name)
  }

  revision(group: string, number: number): RevisionRule | undefined {
    return this.#byName.get(group)?.revisions.get(number)
  }

  select(lookup: Lookup): Selection {
    return this.#assigner.select(lookup)
  }

  assign(selection: Selection, given: Given): Assignment {
    return this.#assigner.assignSelected(selection, given)
  }

  render(assignment: Assignment, lookup: Lookup): Rendered {
    if (assignment.refs.length === 0) return nothing
    const mold = this.#mold(assignment)
    const values = mold.needs.map(({ kind, name }) => lookup(keyOf(kind, name)) ?? null)
    const key = mold.needs.length === 0 ? assignment.key : `${assignment.key}\n${JSON.stringify(values)}`
    const known = this.#rendered.get(key)
    if (known !== undefined) return known
    const rendered = this.#render(mold, lookup)
    this.renderings += 1
    this.#keep(key, rendered)
    return rendered
  }

  #mold(assignment: Assignment): Mold {
    const known = this.#molds.get(assignment.key)
    if (known !== undefined) return known
    const references = assignment.refs.flatMap((ref) => this.#templatesOf(ref).flatMap((template) => template.references))
    const needs = references.filter(({ kind }) => kind === 'agent' || kind === 'label')
    const distinct = new Map(needs.map(({ kind, name }) => [keyOf(kind, name), { kind, name }]))
    const mold = { assignment, needs: [...distinct.values()], hasSecrets: references.some(({ kind }) => kind === 'secret') }
    this.#molds.set(assignment.key, mold)
    return mold
  }

  #templatesOf({ config, version }: AssignedRef): readonly Template[] {
    return this.templates.get(versionKey(config, version)) ?? []
  }

  #render({ assignment, hasSecrets }: Mold, lookup: Lookup): Rendered {
    const unresolved: UnresolvedPlace[] = []
    const bodies = (ref: AssignedRef, keep?: ReferenceKind): DesiredFile[] =>
      this.#templatesOf(ref).map((template) => {
        const filled = fillTemplate(template, this.#resolve(ref, lookup), keep)
        const place = `${versionKey(ref.config, ref.version)}${template.file.name === '' ? '' : ` ${template.file.name}`}`
        if (keep === undefined) unresolved.push(...filled.unresolved.map((one) => ({ ...one, place })))
        return { ...template.file, body: filled.body }
      })
    const hash = (files: readonly DesiredFile[]): string => (hasSecrets ? this.#sealer.mac(hashFiles(files), 'rendered config') : hashFiles(files))
    const config = renderDesired(assignment, (ref) => bodies(ref), hash)
    const source = assignment.refs.map((ref) => `${ref.config}@${ref.version} (group ${ref.group})`).join(', ')
    if (config.hash === null) return { ...nothing, source }
    if (unresolved.length === 0 && isTooLarge(config.files)) unresolved.push(tooLarge(source))
    const shown = (): DesiredConfig => {
      if (!hasSecrets && unresolved.length === 0) return config
      return renderDesired(
        assignment,
        (ref) => bodies(ref, 'secret'),
        () => config.hash ?? '',
      )
    }
    return new RenderedOnce(config.hash, config.files, hasSecrets, source, unresolved, shown)
  }

  #resolve({ group, revision }: AssignedRef, lookup: Lookup): Resolve {
    const rule = this.revision(group, revision)
    return (kind, name) => this.resolve(rule, lookup, kind, name)
  }

  /** The value of a reference in what a revision gives. */
  resolve(rule: RevisionRule | undefined, lookup: Lookup, kind: ReferenceKind, name: string): string | undefined {
    switch (kind) {
      case 'agent':
      case 'label':
        return lookup(keyOf(kind, name))
      case 'var':
        return rule !== undefined && Object.hasOwn(rule.variables, name) ? rule.variables[name] : undefined
      case 'secret': {
        const version = rule !== undefined && Object.hasOwn(rule.secrets, name) ? rule.secrets[name] : undefined
        return version === undefined ? undefined : this.secrets.get(versionKey(name, version))
      }
      default:
        return kind satisfies never
    }
  }

  #keep(key: string, rendered: Rendered): void {
    this.#rendered.set(key, rendered)
    this.#kept += sizeOf(rendered)
    for (const [oldest, { files }] of this.#rendered) {
      if (this.#kept <= MAX_KEPT || oldest === key) return
      this.#rendered.delete(oldest)
      this.#kept -= sizeOf({ files })
    }
  }
}

function isTooLarge(files: readonly DesiredFile[]): boolean {
  const characters = files.reduce((sum, { body }) => sum + body.length, 0)
  // A character is up to three bytes.
  return characters * 3 > defaultLimits.maxTotalBytes && files.reduce((sum, { body }) => sum + byteLength(body), 0) > defaultLimits.maxTotalBytes
}

function tooLarge(place: string): UnresolvedPlace {
  const message = `together the files are larger than ${defaultLimits.maxTotalBytes} bytes`
  return { reference: '', file: '', line: 1, column: 1, problem: 'unfit', message, place }
}

function sizeOf({ files }: Pick<Rendered, 'files'>): number {
  return files.reduce((sum, { body }) => sum + body.length + 100, 100)
}

/** The rest is made when it is asked for: most agents of a fleet only need the hash. */
class RenderedOnce implements Rendered {
  readonly hash: string | null
  readonly files: readonly DesiredFile[]
  readonly hasSecrets: boolean
  readonly source: string
  readonly unresolved: readonly UnresolvedPlace[]
  readonly #show: () => DesiredConfig
  #shown: DesiredConfig | undefined
  #prepared: PreparedRemoteConfig | undefined

  constructor(
    hash: string,
    files: readonly DesiredFile[],
    hasSecrets: boolean,
    source: string,
    unresolved: readonly UnresolvedPlace[],
    show: () => DesiredConfig,
  ) {
    this.hash = unresolved.length === 0 ? hash : null
    this.files = unresolved.length === 0 ? files : []
    this.hasSecrets = hasSecrets
    this.source = source
    this.unresolved = unresolved
    this.#show = show
  }

  get shown(): DesiredConfig {
    this.#shown ??= this.#show()
    return this.#shown
  }

  get prepared(): PreparedRemoteConfig | undefined {
    if (this.hash !== null) this.#prepared ??= prepare(this.hash, this.files)
    return this.#prepared
  }
}

export function prepare(hash: string, files: readonly DesiredFile[]): PreparedRemoteConfig {
  const encoder = new TextEncoder()
  return prepareRemoteConfig(
    files.map((file) => ({ name: file.name, contentType: file.contentType, body: encoder.encode(file.body) })),
    fromHex(hash),
  )
}

/** As `lookup` of an agent names it. */
function keyOf(kind: ReferenceKind, name: string): string {
  return kind === 'label' ? `label.${name}` : name
}

export function versionKey(name: string, version: number): string {
  return `${name}@${version}`
}

/** What keeps an agent from being offered anything, as a sentence; null: nothing. */
export function problemOf(unresolved: readonly UnresolvedPlace[]): string | null {
  const [first] = unresolved
  if (first === undefined) return null
  const more = unresolved.length === 1 ? '' : ` (and ${unresolved.length - 1} more)`
  const at = first.line > 1 || first.column > 1 ? ` line ${first.line}` : ''
  const what = first.reference === '' ? `: ${first.message}` : ` uses ${first.reference}, but ${first.message}`
  return `Its configuration cannot be filled in: ${first.place}${at}${what}${more}.`
}
