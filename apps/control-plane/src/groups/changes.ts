/** A change of a group that somebody asks about before it is made: one of its revisions, or the group as it would be saved. */
import type { ConfigFile, Finding, rolloutRoutes } from '@drover/api'
import type { BodyOf } from '@drover/api'
import { InvalidInputError, NotFoundError } from '../http/errors.ts'
import type { RevisionRule } from '../seams.ts'
import type { ReadStore } from '../storage/store.ts'
import { checkInput } from './input.ts'
import type { InputOptions } from './input.ts'
import { checkFragments } from './preview.ts'
import { checkNames, namesIn } from './references.ts'
import type { ReadConfig } from './references.ts'
import { toRule } from './revision.ts'
import type { ConfigRef, StoredRevision } from './revision.ts'
import { findGroup } from './options.ts'
import type { GroupStore } from './store.ts'

export interface ChangesOptions extends InputOptions {
  readonly groups: GroupStore
  readonly hasSecret: (from: ReadStore, name: string, version: number) => Promise<boolean>
}

export type Change = BodyOf<typeof rolloutRoutes.previewRollout>['change']

export interface ReadChange {
  readonly group: string
  readonly revision: RevisionRule
  readonly findings: readonly Finding[]
}

/** Of a revision that is not stored. */
const NEXT = 0
/** Of a group that has no name yet. No group can have it. */
const NEW_GROUP = '(new group)'

/** @throws {NotFoundError} @throws {InvalidInputError} when it cannot be made like this, or not any more. */
export async function readChange(options: ChangesOptions, from: ReadStore, change: Change): Promise<ReadChange> {
  const { groups } = options
  const group = change.group === undefined ? undefined : await findGroup(groups, from, change.group)
  if ('revision' in change) {
    const revision = group && (await groups.findRevision(from, group, change.revision))
    if (group === undefined || revision === undefined) throw new NotFoundError('revision', `${change.group}@${change.revision}`)
    const files = await readStored(options, from, revision)
    return { group: group.name, revision: toRule(group.name, revision.number, revision), findings: checkFragments(files) }
  }
  const { values, configs, findings } = await checkInput(withNewVersions(options, change.newVersions), from, change, group?.revision)
  const name = group?.name ?? NEW_GROUP
  const stored = values.configs.filter((ref) => newVersionOf(change.newVersions, ref) === undefined)
  return { group: name, revision: toRule(name, NEXT, { ...values, configs: stored }), findings: [...findings, ...checkFragments(configs)] }
}

type NewVersions = Extract<Change, { readonly selector: string }>['newVersions']

function newVersionOf(versions: NewVersions, { config, version }: ConfigRef): readonly ConfigFile[] | undefined {
  return versions?.find((made) => made.config === config && made.version === version)?.files
}

function withNewVersions(options: InputOptions, versions: NewVersions): InputOptions {
  return { ...options, readFiles: async (from, ref) => newVersionOf(versions, ref) ?? options.readFiles(from, ref) }
}

/** What was fine when the revision was made may be gone by now. */
async function readStored({ readFiles, hasSecret }: ChangesOptions, from: ReadStore, revision: StoredRevision): Promise<readonly ReadConfig[]> {
  const errors: string[] = []
  const configs: ReadConfig[] = []
  for (const ref of revision.configs) {
    const files = await readFiles(from, ref)
    if (files === undefined) errors.push(`the config ${ref.config} was deleted since revision ${revision.number} was made: save the group without it`)
    else configs.push({ ...ref, files })
  }
  for (const [name, version] of Object.entries(revision.secrets)) {
    if (await hasSecret(from, name, version)) continue
    errors.push(`the secret ${name} was deleted since revision ${revision.number} was made: save the group with the latest secrets`)
  }
  const known = { variables: revision.variables, secrets: new Map(Object.entries(revision.secrets)) }
  errors.push(...checkNames(namesIn(configs, revision.ownTelemetry), known).errors.map(({ message }) => message))
  if (errors.length === 0) return configs
  const all = errors.map((message) => ({ field: 'body.change.revision', message }))
  throw new InvalidInputError(errors.join('; '), all)
}
