/** Configs, groups and plans as files: YAML documents with a `kind`, several of them in a file, several files in a folder. */
import { readdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { OwnTelemetry, ResourceName, VariableName } from '@drover/api'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { CliError } from '../../errors.ts'
import type { Io } from '../../io.ts'
import { readTextFile } from '../files.ts'

const text = z.string().max(500)
const ConfigDocument = z
  .strictObject({
    kind: z.literal('Config'),
    name: ResourceName,
    description: text.default(''),
    fragment: z.boolean().optional(),
    /** Paths, relative to the file that names them. */
    files: z.array(z.string().min(1)).min(1).optional(),
    /** The configuration itself. */
    content: z.string().optional(),
  })
  .refine(({ files, content }) => (files === undefined) !== (content === undefined), 'give either files or content')

const GroupDocument = z.strictObject({
  kind: z.literal('Group'),
  name: ResourceName,
  description: text.default(''),
  selector: z.string().min(1),
  priority: z.number().int().default(0),
  /** `name` for the latest version, which is the one of the same files, or `name@version`. */
  configs: z.array(z.string()).default([]),
  variables: z.record(VariableName, z.coerce.string()).default({}),
  secrets: z.enum(['keep', 'latest']).default('keep'),
  ownTelemetry: z.enum(['drover', 'off']).or(OwnTelemetry).default('drover'),
  /** A preset, the name of a Plan document, or a plan. */
  plan: z.string().or(z.record(z.string(), z.unknown())).optional(),
})

const PlanDocument = z.looseObject({ kind: z.literal('Plan'), name: z.string().min(1).max(63) })
const AnyDocument = z.discriminatedUnion('kind', [ConfigDocument, GroupDocument, PlanDocument])

/** Where it stands, for errors. */
interface Placed {
  /** E.g. `fleet/gateways.yaml, document 2`. */
  readonly where: string
  /** Folder that paths in it are relative to. */
  readonly folder: string
  /** Folder that they must not lead out of: a document from elsewhere must not read this machine's other files. */
  readonly root: string
}
export type ConfigDocument = z.output<typeof ConfigDocument> & Placed
export type GroupDocument = z.output<typeof GroupDocument> & Placed
export type PlanDocument = { readonly name: string; readonly plan: Readonly<Record<string, unknown>> } & Placed

export interface Documents {
  readonly configs: readonly ConfigDocument[]
  readonly groups: readonly GroupDocument[]
  readonly plans: readonly PlanDocument[]
}

const maxFiles = 2000
const maxDepth = 16

/** Throws CliError with every mistake that it found, not only the first. */
export async function readDocuments(io: Io, paths: readonly string[]): Promise<Documents> {
  const documents: Documents & { configs: ConfigDocument[]; groups: GroupDocument[]; plans: PlanDocument[] } = { configs: [], groups: [], plans: [] }
  const mistakes: string[] = []
  for (const { name, folder, root, body } of await readAll(io, paths)) {
    for (const { value, where } of parseDocuments(name, body, mistakes)) {
      const found = AnyDocument.safeParse(value)
      const placed = { where, folder, root }
      if (!found.success) mistakes.push(...found.error.issues.map(({ path, message }) => `${where}: ${path.length > 0 ? `${path.join('.')}: ` : ''}${message}`))
      else if (found.data.kind === 'Config') documents.configs.push({ ...found.data, ...placed })
      else if (found.data.kind === 'Group') documents.groups.push({ ...found.data, ...placed })
      else {
        const { kind: _, name: planName, ...plan } = found.data
        documents.plans.push({ name: planName, plan, ...placed })
      }
    }
  }
  for (const list of [documents.configs, documents.groups, documents.plans]) mistakes.push(...twice(list))
  if (mistakes.length > 0) throw new CliError(mistakes.join('\n'))
  return documents
}

function twice(documents: readonly (Placed & { readonly name: string })[]): string[] {
  const first = new Map<string, string>()
  return documents.flatMap(({ name, where }) => {
    const before = first.get(name)
    if (before === undefined) first.set(name, where)
    return before === undefined ? [] : [`${where}: ${name} is in ${before} already`]
  })
}

function parseDocuments(name: string, body: string, mistakes: string[]): { readonly value: unknown; readonly where: string }[] {
  const documents = parseAllDocuments(body)
  if (!Array.isArray(documents)) return []
  return documents.flatMap((document, index) => {
    const where = documents.length > 1 ? `${name}, document ${index + 1}` : name
    if (document.errors.length > 0) {
      mistakes.push(...document.errors.map(({ message }) => `${where}: ${message.split('\n')[0] ?? ''}`))
      return []
    }
    try {
      const value: unknown = document.toJS({ maxAliasCount: 100 })
      // `---` at the end makes an empty document.
      return value === null ? [] : [{ value, where }]
    } catch (error) {
      mistakes.push(`${where}: ${error instanceof Error ? error.message : String(error)}`)
      return []
    }
  })
}

interface Source {
  readonly name: string
  readonly folder: string
  readonly root: string
  readonly body: string
}

async function readAll(io: Io, paths: readonly string[]): Promise<readonly Source[]> {
  const sources: Source[] = []
  for (const path of paths) {
    if (path === '-') {
      sources.push({ name: 'stdin', folder: io.cwd, root: io.cwd, body: await io.readStdin() })
      continue
    }
    const given = resolve(io.cwd, path)
    const files = await filesBelow(given, path)
    if (files.length === 0) throw new CliError(`${path} has no .drover.yaml files`)
    for (const { full, shown } of files) {
      const root = full === given ? dirname(full) : given
      sources.push({ name: shown, folder: dirname(full), root, body: await readTextFile(io, full) })
    }
  }
  return sources
}

interface Found {
  readonly full: string
  readonly shown: string
}

/** A file itself; of a folder, what ends in `.drover.yaml`, so that the configurations that documents name may lie beside them. */
async function filesBelow(full: string, shown: string, depth = 0): Promise<readonly Found[]> {
  const info = await stat(full).catch((cause: unknown) => {
    throw new CliError(`cannot read ${shown}: ${(cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String(cause)}`, { cause })
  })
  if (!info.isDirectory()) return [{ full, shown }]
  if (depth > maxDepth) throw new CliError(`${shown} is nested too deeply`)
  const found: Found[] = []
  for (const entry of (await readdir(full, { withFileTypes: true })).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue
    if (entry.isDirectory()) found.push(...(await filesBelow(join(full, entry.name), join(shown, entry.name), depth + 1)))
    else if (/\.drover\.ya?ml$/.test(entry.name)) found.push({ full: join(full, entry.name), shown: join(shown, entry.name) })
    if (found.length > maxFiles) throw new CliError(`${shown} has more than ${maxFiles} documents`)
  }
  return found
}
