/** A group as options change it: what is not given stays. */
import type { Group, OwnTelemetry } from '@drover/api'
import type { ClientContext } from '../../command/command.ts'
import { choice, flag, integer, text, texts } from '../../command/spec.ts'
import type { ValuesOf } from '../../command/spec.ts'
import { CliError, UsageError } from '../../errors.ts'
import { parseConfigRef, resolveConfigRef } from '../configs/refs.ts'

export const groupOptions = {
  selector: text('--selector <selector>', 'which agents, e.g. "service.name = otelcol"; * for all'),
  config: texts('--config <config>', 'name, or name@version (default: the latest); may be repeated, a later one wins over an earlier one', {
    completes: 'config',
  }),
  priority: integer('--priority <number>', 'where groups overlap, the higher one wins (default 0)', { min: -1000, max: 1000 }),
  variable: texts('--variable <name=value>', 'value of ${drover:var.NAME} in its configs; may be repeated'),
  ownTelemetry: text(
    '--own-telemetry <where>',
    "drover, off (leave it as it is), or the base URL of an OTLP/HTTP backend for the agents' own metrics, logs and traces",
  ),
  description: text('--description <text>', 'what it is for'),
  message: text('-m, --message <text>', 'what changed and why'),
} as const

export const changeOptions = {
  ...groupOptions,
  noConfigs: flag('--without-configs', 'take all configs away'),
  upgrade: texts('--upgrade <config>', 'use the latest version of this config, which the group already has; may be repeated', { completes: 'config' }),
  unset: texts('--without-variable <name>', 'take a variable away; may be repeated'),
  secrets: choice('--secrets <which>', 'keep: the values that the members have (default); latest: the newest', ['keep', 'latest']),
} as const

type Given = ValuesOf<typeof groupOptions>
export type Change = ValuesOf<typeof changeOptions>

/** Of a new group. */
export async function newGroup(context: ClientContext, given: Given & { readonly selector: string }) {
  return {
    selector: given.selector,
    configs: await resolveAll(context, given.config),
    variables: Object.fromEntries(given.variable.map(parseVariable)),
    ...(given.ownTelemetry === undefined ? {} : { ownTelemetry: parseOwnTelemetry(given.ownTelemetry) }),
    ...(given.priority === undefined ? {} : { priority: given.priority }),
    ...(given.description === undefined ? {} : { description: given.description }),
    ...(given.message === undefined ? {} : { message: given.message }),
  }
}

/** The group as it is, with what was given. */
export async function changedGroup(context: ClientContext, group: Group, given: Change) {
  return {
    description: given.description ?? group.description,
    selector: given.selector ?? group.revision.selector,
    priority: given.priority ?? group.revision.priority,
    message: given.message ?? '',
    configs: await changedConfigs(context, group, given),
    variables: changedVariables(group, given),
    ownTelemetry: given.ownTelemetry === undefined ? group.revision.ownTelemetry : parseOwnTelemetry(given.ownTelemetry),
    ...(given.secrets === undefined ? {} : { secrets: given.secrets }),
  }
}

async function changedConfigs(context: ClientContext, group: Group, given: Change): Promise<Group['revision']['configs']> {
  if ([given.config.length > 0, given.upgrade.length > 0, given.noConfigs].filter(Boolean).length > 1)
    throw new UsageError('give one of --config, --upgrade and --without-configs')
  if (given.noConfigs) return []
  if (given.config.length > 0) return resolveAll(context, given.config)
  for (const name of given.upgrade) {
    const { name: config, version } = parseConfigRef(name)
    if (version !== undefined) throw new UsageError('--upgrade takes a name; give a version with --config')
    if (!group.revision.configs.some((ref) => ref.config === config)) throw new CliError(`group "${group.name}" does not use config "${config}"`)
  }
  return Promise.all(group.revision.configs.map(async (ref) => (given.upgrade.includes(ref.config) ? await resolveConfigRef(context, ref.config) : ref)))
}

const resolveAll = (context: ClientContext, refs: readonly string[]) => Promise.all(refs.map((ref) => resolveConfigRef(context, ref)))

function changedVariables(group: Group, given: Change): Record<string, string> {
  const variables = { ...group.revision.variables, ...Object.fromEntries(given.variable.map(parseVariable)) }
  for (const name of given.unset) {
    if (!(name in variables)) throw new CliError(`group "${group.name}" has no variable "${name}"`)
    delete variables[name]
  }
  return variables
}

function parseVariable(given: string): [string, string] {
  const at = given.indexOf('=')
  if (at < 1) throw new UsageError(`--variable: "${given}" is not name=value`)
  return [given.slice(0, at), given.slice(at + 1)]
}

const signals = ['metrics', 'logs', 'traces'] as const

function parseOwnTelemetry(given: string): OwnTelemetry | null {
  if (given === 'off') return null
  if (given === 'drover') return { metrics: { kind: 'drover' }, logs: { kind: 'drover' }, traces: { kind: 'drover' } }
  const url = URL.parse(given)
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new UsageError(`--own-telemetry: "${given}" is neither drover, off nor an http or https address`)
  const base = url.href.replace(/\/$/, '')
  const [metrics, logs, traces] = signals.map((signal) => ({ kind: 'otlp' as const, endpoint: `${base}/v1/${signal}`, headers: {} }))
  return { metrics: metrics ?? null, logs: logs ?? null, traces: traces ?? null }
}
