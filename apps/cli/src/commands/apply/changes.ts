/** What documents would change on the server: found first, shown, and then made. */
import { realpath } from 'node:fs/promises'
import { basename, resolve, sep } from 'node:path'
import { unifiedDiff } from '@drover/agent-config'
import { ApiError } from '@drover/api'
import type { ConfigFile, Group, OwnTelemetry, RolloutPlan } from '@drover/api'
import type { ClientContext } from '../../command/command.ts'
import { CliError } from '../../errors.ts'
import { findingLine } from '../configs/findings.ts'
import { parseConfigRef } from '../configs/refs.ts'
import { readPages } from '../../live/pages.ts'
import { readTextFile } from '../files.ts'
import { completePlan, everyoneIsNoPlan, presetPlan, stagedPresets } from '../rollouts/plan-file.ts'
import { isSameSelector } from './same-selector.ts'
import type { ConfigDocument, Documents, GroupDocument, PlanDocument } from './documents.ts'

export interface ConfigChange {
  readonly kind: 'config'
  readonly name: string
  readonly action: 'create' | 'change' | 'none'
  /** Of the version that it is, or becomes. */
  readonly version: number
  readonly unified: string
  readonly files: readonly ConfigFile[]
  readonly document: ConfigDocument
  readonly etag: string | null
}

export interface GroupChange {
  readonly kind: 'group'
  readonly name: string
  readonly action: 'create' | 'change' | 'none'
  /** What is another, e.g. `selector: a = b → a = c`. */
  readonly details: readonly string[]
  readonly input: GroupInput
  /** Who is in its rollout. */
  readonly agents: number
  readonly etag: string | null
}

interface GroupInput {
  readonly description: string
  readonly selector: string
  readonly priority: number
  readonly configs: Group['revision']['configs']
  readonly variables: Record<string, string>
  readonly secrets: 'keep' | 'latest'
  readonly ownTelemetry: OwnTelemetry | null
  readonly plan: RolloutPlan | null
}

export interface Changes {
  readonly configs: readonly ConfigChange[]
  readonly groups: readonly GroupChange[]
}

export async function findChanges(context: ClientContext, documents: Documents): Promise<Changes> {
  const configs: ConfigChange[] = []
  for (const document of documents.configs) configs.push(await findConfigChange(context, document))
  const groups: GroupChange[] = []
  for (const document of documents.groups) groups.push(await findGroupChange(context, document, configs, documents.plans))
  return { configs, groups }
}

async function findConfigChange(context: ClientContext, document: ConfigDocument): Promise<ConfigChange> {
  const { api } = context
  const { name } = document
  const files = await filesOf(context, document)
  const before = await unlessMissing(api.getConfig({ params: { name } }))
  const common = { kind: 'config' as const, name, files, document }
  if (before === undefined) {
    await check(context, document, files)
    return { ...common, action: 'create', version: 1, unified: unifiedDiff([], files), etag: null }
  }
  const { data: version } = await api.getVersion({ params: { name, version: before.data.latest.version } })
  const unified = unifiedDiff(version.files, files)
  if (unified === '') return { ...common, action: 'none', version: version.version, unified, etag: before.etag }
  await check(context, document, files)
  return { ...common, action: 'change', version: version.version + 1, unified, etag: before.etag }
}

async function filesOf({ io }: ClientContext, { files, content, folder, root, name, where }: ConfigDocument): Promise<ConfigFile[]> {
  if (content !== undefined) return [{ name: `${name}.yaml`, contentType: 'text/yaml', body: content }]
  const names = (files ?? []).map((path) => basename(path))
  const twice = names.find((one, place) => names.indexOf(one) !== place)
  if (twice !== undefined) throw new CliError(`${where}: files: two are named ${twice}; files of one config need different names`)
  const read = async (path: string) => ({
    name: basename(path),
    contentType: 'text/yaml',
    body: await readTextFile(io, await within(root, resolve(folder, path), path)),
  })
  return Promise.all((files ?? []).map(read)).catch((cause: unknown) => {
    throw cause instanceof CliError ? new CliError(`${where}: files: ${cause.message}`, { cause }) : cause
  })
}

/** Also when a link leads there. */
async function within(root: string, full: string, path: string): Promise<string> {
  const [realRoot, real] = await Promise.all([realpath(root), realpath(full).catch(() => full)])
  if (real.startsWith(`${realRoot}${sep}`)) return full
  throw new CliError(`${path} is outside of ${root}: give that folder with --file, or copy the file`)
}

async function check({ api, io, output }: ClientContext, { name, where, fragment }: ConfigDocument, files: readonly ConfigFile[]): Promise<void> {
  const { data } = await api.validateConfig({ body: { files: [...files], ...(fragment === undefined ? {} : { fragment }) } })
  for (const finding of data.findings) io.stderr.write(`${findingLine(finding, output.paint)}\n`)
  if (!data.valid) throw new CliError(`${where}: config "${name}" has errors; nothing was changed`)
}

async function findGroupChange(
  context: ClientContext,
  document: GroupDocument,
  configs: readonly ConfigChange[],
  plans: readonly PlanDocument[],
): Promise<GroupChange> {
  const { name } = document
  const before = await unlessMissing(context.api.getGroup({ params: { name } }))
  const input = await groupInput(context, document, configs, plans)
  const details = described(before?.data, input)
  if (before !== undefined) details.push(...(await newerSecrets(context, before.data, input)))
  const action = before === undefined ? 'create' : details.length === 0 ? 'none' : 'change'
  const agents = action === 'none' ? 0 : await checkGroup(context, document, { ...input, ...(before === undefined ? {} : { group: name }) }, configs)
  return { kind: 'group', name, action, details, input, agents, etag: before?.etag ?? null }
}

/** What the server would refuse is known before anything is made, also of config versions that are not made yet. Gives the agents of its rollout. */
async function checkGroup(
  { api, io, output }: ClientContext,
  { name, where }: GroupDocument,
  change: GroupInput & { readonly group?: string },
  configs: readonly ConfigChange[],
): Promise<number> {
  const isNamed = (made: ConfigChange) => change.configs.some(({ config, version }) => config === made.name && version === made.version)
  const newVersions = configs
    .filter((made) => made.action !== 'none' && isNamed(made))
    .map(({ name: config, version, files }) => ({ config, version, files: [...files] }))
  const { data } = await api.previewRollout({ body: { change: { ...change, ...(newVersions.length > 0 ? { newVersions } : {}) } } }).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error
    const { detail, errors = [] } = error.problem
    const lines = errors.map(({ field, message }) => `${where}: ${field.replace(/^(body\.(change\.)?|group\.)/, '')}: ${message}`)
    throw new CliError(lines.length > 0 ? lines.join('\n') : `${where}: ${detail}`, { cause: error })
  })
  for (const finding of data.findings) io.stderr.write(`${findingLine(finding, output.paint)}\n`)
  if (data.findings.some(({ severity }) => severity === 'error')) throw new CliError(`${where}: group "${name}" has errors; nothing was changed`)
  return data.agents
}

/** Those of which the members have an older value than there is, if the documents ask for the latest. */
async function newerSecrets({ api }: ClientContext, { revision }: Group, { secrets }: GroupInput): Promise<readonly string[]> {
  const given = Object.entries(revision.secrets)
  if (secrets !== 'latest' || given.length === 0) return []
  const { items } = await readPages(0, (query) => api.listSecrets({ query }))
  return given.flatMap(([name, version]) => {
    const latest = items.find((secret) => secret.name === name)?.version ?? version
    return latest === version ? [] : [`secret ${name}: version ${version} → ${latest}`]
  })
}

async function groupInput(
  context: ClientContext,
  document: GroupDocument,
  configs: readonly ConfigChange[],
  plans: readonly PlanDocument[],
): Promise<GroupInput> {
  const { description, selector, priority, variables, secrets } = document
  return {
    description,
    selector,
    priority,
    variables,
    secrets,
    configs: await Promise.all(document.configs.map((given) => resolveRef(context, document, given, configs))),
    ownTelemetry: ownTelemetryOf(document.ownTelemetry),
    plan: await planOf(context, document, plans),
  }
}

/** Without a version: the one that these documents make, or the latest. */
async function resolveRef(
  context: ClientContext,
  { where }: GroupDocument,
  given: string,
  configs: readonly ConfigChange[],
): Promise<{ config: string; version: number }> {
  const { name, version } = parseConfigRef(given)
  if (version !== undefined) return { config: name, version }
  const here = configs.find((change) => change.name === name)
  if (here !== undefined) return { config: name, version: here.version }
  const found = await unlessMissing(context.api.getConfig({ params: { name } }))
  if (found === undefined) throw new CliError(`${where}: there is no config "${name}", neither on the server nor in these documents`)
  return { config: name, version: found.data.latest.version }
}

function ownTelemetryOf(given: GroupDocument['ownTelemetry']): OwnTelemetry | null {
  if (given === 'off') return null
  return given === 'drover' ? { metrics: { kind: 'drover' }, logs: { kind: 'drover' }, traces: { kind: 'drover' } } : given
}

async function planOf(context: ClientContext, { plan, where }: GroupDocument, plans: readonly PlanDocument[]): Promise<RolloutPlan | null> {
  if (plan === undefined || plan === 'standard') return null
  if (typeof plan !== 'string') return completePlan(context, plan, where)
  const document = plans.find(({ name }) => name === plan)
  if (document !== undefined) return completePlan(context, document.plan, document.where)
  if (plan === 'everyone') throw new CliError(`${where}: ${everyoneIsNoPlan}`)
  const preset = stagedPresets.find((name) => name === plan)
  if (preset === undefined) throw new CliError(`${where}: there is no plan "${plan}": name a Plan document, or one of ${stagedPresets.join(', ')}`)
  return presetPlan(context, preset)
}

function described(before: Group | undefined, input: GroupInput): string[] {
  const was = before?.revision
  const refs = (configs: Group['revision']['configs'] | undefined) => configs?.map(({ config, version }) => `${config}@${version}`).join(' ')
  const differences: (readonly [string, string | undefined, string])[] = [
    ['selector', was?.selector, input.selector],
    ['priority', was === undefined ? undefined : String(was.priority), String(input.priority)],
    ['configs', refs(was?.configs), refs(input.configs) ?? ''],
    ['variables', sorted(was?.variables), sorted(input.variables) ?? ''],
    ['own telemetry', sorted(was?.ownTelemetry), sorted(input.ownTelemetry) ?? ''],
    ['description', before?.description, input.description],
    ['plan', sorted(before?.plan), sorted(input.plan) ?? ''],
  ]
  return differences.flatMap(([what, from, to]) => (sameText(what, from, to) ? [] : [changeLine(what, from, to)]))
}

function sameText(what: string, from: string | undefined, to: string): boolean {
  return what === 'selector' && from !== undefined ? isSameSelector(from, to) : (from ?? '') === to
}

function changeLine(what: string, from: string | undefined, to: string): string {
  const long = what === 'plan' || (from ?? '').length + to.length > 400
  if (long) return `${what}: another one`
  return from === undefined || from === '' ? `${what}: ${to}` : `${what}: ${from} → ${to === '' ? 'none' : to}`
}

/** JSON with its keys in order, so that equal values are equal texts; undefined and null: empty. */
function sorted(value: unknown): string | undefined {
  if (value === undefined || value === null) return ''
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  ).replace(/^\{\}$/, '')
}

async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (error instanceof ApiError && error.problem.status === 404) return undefined
    throw error
  }
}
