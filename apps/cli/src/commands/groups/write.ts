/** `drover groups create|set|delete|preview`. */
import type { Group, GroupPreview } from '@drover/api'
import { clientCommand } from '../../command/command.ts'
import type { ClientContext } from '../../command/command.ts'
import { argument, flag, integer, optionalArgument, text, texts } from '../../command/spec.ts'
import type { ValuesOf } from '../../command/spec.ts'
import { CliError, UsageError } from '../../errors.ts'
import { countOf } from '../../output/text.ts'
import { findingLine } from '../configs/findings.ts'
import { parseConfigRef, resolveConfigRef } from '../configs/refs.ts'
import { confirm, yesOption } from '../confirm.ts'
import { configList } from './read.ts'

const groupOptions = {
  selector: text('--selector <selector>', 'which agents, e.g. "service.name = otelcol"; * for all'),
  config: texts('--config <config>', 'name, or name@version (default: the latest); may be repeated, a later one wins over an earlier one', {
    completes: 'config',
  }),
  priority: integer('--priority <number>', 'where groups overlap, the higher one wins (default 0)', { min: -1000, max: 1000 }),
  description: text('--description <text>', 'what it is for'),
  message: text('-m, --message <text>', 'what changed and why'),
} as const

const changeOptions = {
  ...groupOptions,
  noConfigs: flag('--without-configs', 'take all configs away'),
  upgrade: texts('--upgrade <config>', 'use the latest version of this config, which the group already has; may be repeated', { completes: 'config' }),
  ifRevision: integer('--if-revision <number>', 'only if this is still the revision', { min: 1, max: 999_999_999 }),
} as const

export const createGroup = clientCommand({
  name: 'create',
  description: 'Create a group; its configs go to the agents it selects at once',
  args: { name: argument('lower-case letters, digits, dots, dashes') },
  options: groupOptions,
  examples: [{ run: "groups create gateways --selector 'service.name = otelcol' --config gateway", what: 'the latest version of gateway for all of them' }],
  async run(context, args, given) {
    const { api, output } = context
    if (given.selector === undefined) throw new UsageError('say which agents with --selector (* for all)')
    const body = { name: args.name, selector: given.selector, ...optional(given), configs: await resolveAll(context, given.config) }
    const { data } = await api.createGroup({ body, idempotencyKey: crypto.randomUUID() })
    output.result(data, () => `${data.name} (revision ${data.revision.number})\n`)
    output.note('Its configs go to the agents that it selects. Follow them with: drover agents watch')
  },
})

export const setGroup = clientCommand({
  name: 'set',
  description: 'Change a group; what is not given stays. Other configs go to its members at once',
  args: { group: argument('name of the group', { completes: 'group' }) },
  options: changeOptions,
  examples: [
    { run: 'groups set gateways --upgrade gateway', what: 'send the latest version' },
    { run: 'groups set gateways --config base@4 --config gateway@3 --if-revision 7', what: 'refused when somebody else was faster' },
  ],
  async run(context, args, given) {
    const { api, output } = context
    const params = { name: args.group }
    const { data: group, etag } = await api.getGroup({ params })
    if (given.ifRevision !== undefined && group.revision.number !== given.ifRevision) {
      throw new CliError(
        `group "${group.name}" is at revision ${group.revision.number}, not ${given.ifRevision} (by ${group.revision.author}); look at it with: drover groups show ${group.name}`,
      )
    }
    const body = await changedGroup(context, group, given)
    const { data } = await api.setGroup({ params, body, ...(etag === null ? {} : { ifMatch: etag }) })
    output.result(data, () => `${data.name} (revision ${data.revision.number})\n`)
    output.note(
      data.revision.number === group.revision.number
        ? 'Its configs are as before.'
        : `${configList(data.revision.configs) || 'No config'} goes to ${countOf(data.counts.total, 'agent')}. Follow them with: drover agents watch`,
    )
  },
})

type Change = ValuesOf<typeof changeOptions>

/** The group as it is, with what was given. */
async function changedGroup(context: ClientContext, group: Group, given: Change) {
  return {
    description: given.description ?? group.description,
    selector: given.selector ?? group.selector,
    priority: given.priority ?? group.priority,
    message: given.message ?? '',
    configs: await changedConfigs(context, group, given),
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

function optional({ priority, description, message }: Pick<Change, 'priority' | 'description' | 'message'>) {
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(description === undefined ? {} : { description }),
    ...(message === undefined ? {} : { message }),
  }
}

export const deleteGroup = clientCommand({
  name: 'delete',
  description: 'Delete a group; its members lose what it gave them',
  args: { group: argument('name of the group', { completes: 'group' }) },
  options: yesOption,
  examples: [{ run: 'groups delete gateways --yes', what: 'without being asked' }],
  async run({ api, io, output }, args, options) {
    const params = { name: args.group }
    const { data, etag } = await api.getGroup({ params })
    await confirm(
      io,
      `Delete group "${data.name}", which gives ${countOf(data.counts.total, 'agent')} ${configList(data.revision.configs) || 'no config'}?`,
      options,
    )
    await api.deleteGroup({ params, ...(etag === null ? {} : { ifMatch: etag }) })
    output.note(`Group "${data.name}" is deleted.`)
  },
})

export const previewGroup = clientCommand({
  name: 'preview',
  description: 'Show what a group, or a change of it, would do before it is done',
  args: { group: optionalArgument('an existing group that is to be changed', { completes: 'group' }) },
  options: changeOptions,
  examples: [
    { run: "groups preview --selector 'service.name = otelcol' --config gateway", what: 'a new group' },
    { run: 'groups preview gateways --upgrade gateway', what: 'a change of an existing one' },
  ],
  async run(context, args, given) {
    const { api, output } = context
    const { data } = await api.previewGroup({
      body: args.group === undefined ? await newGroup(context, given) : await existingGroup(context, args.group, given),
    })
    output.result(data, () => describePreview(context, data))
  },
})

async function newGroup(context: ClientContext, given: Change) {
  if (given.selector === undefined) throw new UsageError('say which agents with --selector, or name an existing group')
  return { selector: given.selector, ...optional(given), configs: await resolveAll(context, given.config) }
}

async function existingGroup(context: ClientContext, name: string, given: Change) {
  const { data } = await context.api.getGroup({ params: { name } })
  return { name, ...(await changedGroup(context, data, given)) }
}

function describePreview({ output }: ClientContext, preview: GroupPreview): string {
  const missing = preview.missing.map(({ kind, type, lacking }) => `  ${countOf(lacking, 'agent')} without ${kind} "${type}"\n`)
  const findings = preview.findings.map((finding) => `  ${findingLine(finding, output.paint)}\n`)
  const overlaps = preview.combinations
    .filter(({ groups }) => groups.length > 1)
    .map(
      ({ groups, agents, overrides }) =>
        `  ${countOf(agents, 'agent')} in ${groups.join(', ')}${overrides.length > 0 ? `; set more than once: ${overrides.map(({ path }) => path).join(', ')}` : ''}\n`,
    )
  const section = (title: string, lines: readonly string[]) => (lines.length === 0 ? '' : output.heading(title) + lines.join(''))
  const facts = output.facts([
    [
      'Matching',
      `${countOf(preview.matching, 'agent')}${
        preview.sample.length > 0
          ? `, e.g. ${preview.sample
              .slice(0, 3)
              .map(({ name }) => name)
              .join(', ')}`
          : ''
      }`,
    ],
    ['Changing', `${countOf(preview.changing, 'agent')} to get another configuration`],
    ['Joining', preview.joining > 0 ? String(preview.joining) : undefined],
    ['Leaving', preview.leaving > 0 ? String(preview.leaving) : undefined],
    ['Not accepting', preview.notAccepting > 0 ? `${countOf(preview.notAccepting, 'agent')} without remote configuration` : undefined],
  ])
  return facts + section('Findings', findings) + section('Lacking components', missing) + section('Mixing with other groups', overlaps)
}
