/** `drover groups create|set|delete|preview`. */
import type { Group, GroupPreview } from '@drover/api'
import { clientCommand } from '../../command/command.ts'
import type { ClientContext } from '../../command/command.ts'
import { argument, flag, integer, optionalArgument, text } from '../../command/spec.ts'
import { CliError, UsageError } from '../../errors.ts'
import { countOf } from '../../output/text.ts'
import { findingLine } from '../configs/findings.ts'
import { confirm, confirmAllAtOnce, yesOption } from '../confirm.ts'
import { everyoneIsNoPlan, presetPlan, readPlanFile, stagedPresets } from '../rollouts/plan-file.ts'
import { planOptions, readRolloutStart } from '../rollouts/plan-options.ts'
import { changeOptions, changedGroup, groupOptions, newGroup } from './change.ts'
import type { Change } from './change.ts'
import { configList } from './read.ts'

const defaultPlanOption = {
  defaultPlan: text(
    '--default-plan <plan>',
    'how its changes go out from now on: careful, standard, quick or a YAML file; none for what the server takes (standard)',
    { completes: 'file' },
  ),
} as const

export const createGroup = clientCommand({
  name: 'create',
  description: 'Create a group; its configs go to the agents it selects, in waves',
  args: { name: argument('lower-case letters, digits, dots, dashes') },
  options: { ...groupOptions, ...defaultPlanOption, ...planOptions, ...yesOption },
  examples: [{ run: "groups create gateways --selector 'service.name = otelcol' --config gateway", what: 'the latest version of gateway for all of them' }],
  async run(context, args, given) {
    const { api, io, output } = context
    const { selector } = given
    if (selector === undefined) throw new UsageError('say which agents with --selector (* for all)')
    const rollout = await readRolloutStart(context, given)
    const group = await newGroup(context, { ...given, selector })
    await confirmAllAtOnce(io, given, async () => whoGetsIt(args.name, (await api.previewGroup({ body: group })).data))
    const body = {
      name: args.name,
      ...group,
      ...(await defaultPlan(context, given)),
      ...(rollout === undefined ? {} : { rollout }),
    }
    const { data } = await api.createGroup({ body, idempotencyKey: crypto.randomUUID() })
    output.result(data, () => `${data.name} (revision ${data.revision.number})\n`)
    output.note(whatHappens(data, given))
  },
})

export const setGroup = clientCommand({
  name: 'set',
  description: 'Change a group; what is not given stays. What changes for its members goes out in waves',
  args: { group: argument('name of the group', { completes: 'group' }) },
  options: {
    ...changeOptions,
    ...defaultPlanOption,
    ...planOptions,
    ...yesOption,
    ifRevision: integer('--if-revision <number>', 'only if this is still the revision', { min: 1, max: 999_999_999 }),
  },
  examples: [
    { run: 'groups set gateways --upgrade gateway', what: 'send the latest version' },
    { run: 'groups set gateways --config base@4 --config gateway@3 --if-revision 7', what: 'refused when somebody else was faster' },
    { run: 'groups set gateways --upgrade gateway --plan careful', what: 'more slowly, with more gates' },
  ],
  async run(context, args, given) {
    const { api, io, output } = context
    const params = { name: args.group }
    const { data: group, etag } = await api.getGroup({ params })
    if (given.ifRevision !== undefined && group.revision.number !== given.ifRevision) {
      throw new CliError(
        `group "${group.name}" is at revision ${group.revision.number}, not ${given.ifRevision} (by ${group.revision.author}); look at it with: drover groups show ${group.name}`,
      )
    }
    const rollout = await readRolloutStart(context, given)
    const changed = await changedGroup(context, group, given)
    await confirmAllAtOnce(io, given, async () => whoGetsIt(group.name, (await api.previewGroup({ body: { ...changed, name: group.name } })).data))
    const body = { ...changed, ...(await defaultPlan(context, given)), ...(rollout === undefined ? {} : { rollout }) }
    const { data } = await api.setGroup({ params, body, ...(etag === null ? {} : { ifMatch: etag }) })
    output.result(data, () => `${data.name} (revision ${data.revision.number})\n`)
    output.note(data.revision.number === group.revision.number ? 'Nothing changes for its members.' : whatHappens(data, given))
  },
})

async function defaultPlan(context: ClientContext, { defaultPlan: given }: { readonly defaultPlan: string | undefined }) {
  if (given === undefined) return {}
  if (given === 'none' || given === 'standard') return { plan: null }
  if (given === 'everyone') throw new UsageError(everyoneIsNoPlan)
  const preset = stagedPresets.find((name) => name === given)
  return { plan: preset === undefined ? await readPlanFile(context, given) : await presetPlan(context, preset) }
}

function whoGetsIt(name: string, { matching, changing }: GroupPreview): string {
  return `the change of "${name}" to all ${countOf(matching, 'agent')} that it selects (${changing} of the fleet get another configuration)`
}

function whatHappens({ revision, counts, rollout }: Group, { allAtOnce }: { readonly allAtOnce: boolean }): string {
  const what = `${configList(revision.configs) || 'No config'} goes to ${countOf(counts.total, 'agent')}`
  if (rollout === null) return `${what}.`
  return rollout.state === 'draft'
    ? `The rollout is prepared. Start it with: drover rollouts start ${rollout.id}`
    : `${what}, ${allAtOnce ? 'all at the same time' : 'in waves'}. Follow it with: drover rollouts watch ${rollout.id}`
}

export const deleteGroup = clientCommand({
  name: 'delete',
  description: 'Delete a group; refused while that would change what agents run',
  args: { group: argument('name of the group', { completes: 'group' }) },
  options: { ...yesOption, allAtOnce: flag('--all-at-once', 'although its members lose what it gave them, all at the same time') },
  examples: [{ run: 'groups delete gateways --yes', what: 'without being asked' }],
  async run({ api, io, output }, args, options) {
    const params = { name: args.group }
    const { data, etag } = await api.getGroup({ params })
    await confirm(
      io,
      `Delete group "${data.name}", which gives ${countOf(data.counts.total, 'agent')} ${configList(data.revision.configs) || 'no config'}?`,
      options,
    )
    await api.deleteGroup({ params, query: options.allAtOnce ? { allAtOnce: 'true' } : {}, ...(etag === null ? {} : { ifMatch: etag }) })
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
      body: args.group === undefined ? await previewNew(context, given) : await existingGroup(context, args.group, given),
    })
    output.result(data, () => describePreview(context, data))
  },
})

function previewNew(context: ClientContext, given: Change) {
  const { selector } = given
  if (selector === undefined) throw new UsageError('say which agents with --selector, or name an existing group')
  return newGroup(context, { ...given, selector })
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
