/** `drover apply`: configs, groups and plans as files in a repository. */
import type { RolloutStart } from '@drover/api'
import { clientCommand } from '../../command/command.ts'
import type { ClientContext } from '../../command/command.ts'
import { flag, text, texts } from '../../command/spec.ts'
import { CliError, UsageError } from '../../errors.ts'
import { countOf, printable } from '../../output/text.ts'
import { diffText } from '../configs/diff-text.ts'
import { confirm, yesOption } from '../confirm.ts'
import { planOptions, readRolloutStart } from '../rollouts/plan-options.ts'
import { findChanges } from './changes.ts'
import type { Changes, ConfigChange, GroupChange } from './changes.ts'
import { readDocuments } from './documents.ts'

export const applyCommand = clientCommand({
  name: 'apply',
  description: 'Make configs and groups as documents say, and show the difference first; changes for agents go out in waves',
  args: {},
  options: {
    file: texts('-f, --file <path>', 'file, folder (its .drover.yaml files) or - for stdin; may be repeated', { completes: 'file' }),
    message: text('-m, --message <text>', 'what changed and why, e.g. the commit'),
    dryRun: flag('--dry-run', 'show the difference and change nothing; exit code 1 when something is wrong'),
    ...planOptions,
    ...yesOption,
  },
  examples: [
    { run: 'apply -f fleet/ --dry-run', what: 'for a pull request' },
    { run: 'apply -f fleet/ --yes -m "$(git log -1 --format=%s)"', what: 'after the merge' },
  ],
  async run(context, _args, options) {
    const { io, output } = context
    if (options.file.length === 0) throw new UsageError('say which documents with --file (- for stdin)')
    const documents = await readDocuments(io, options.file)
    if (documents.configs.length + documents.groups.length === 0) throw new CliError('there is no Config and no Group in these documents')
    const rollout = await readRolloutStart(context, options)
    const changes = await findChanges(context, documents)
    const open = [...changes.configs, ...changes.groups].filter(({ action }) => action !== 'none')
    output.result(forPrograms(changes, options.dryRun), () => describeChanges(context, changes))
    if (open.length === 0) output.note('Everything is as the documents say.')
    if (open.length === 0 || options.dryRun) return
    await confirm(io, question(open.length, changes, options), options)
    await make(context, changes, { message: options.message ?? '', rollout })
  },
})

function question(count: number, { groups }: Changes, { allAtOnce, draft }: { readonly allAtOnce: boolean; readonly draft: boolean }): string {
  const make = `Make ${countOf(count, 'change')}`
  const changed = groups.filter(({ action }) => action !== 'none')
  if (!allAtOnce || draft || changed.length === 0) return `${make}?`
  const who = changed.map(({ name, agents }) => `all ${countOf(agents, 'agent')} of "${name}"`).join(', ')
  return `${make}, and give them to ${who} at the same time, without waves?`
}

function forPrograms({ configs, groups }: Changes, dryRun: boolean) {
  return {
    dryRun,
    configs: configs.map(({ name, action, version, unified }) => ({ name, action, version, unified })),
    groups: groups.map(({ name, action, details }) => ({ name, action, details })),
  }
}

const verbs = { create: 'new', change: 'changed', none: 'as it is' } as const

function describeChanges({ output }: ClientContext, { configs, groups }: Changes): string {
  const title = (kind: string, { name, action }: ConfigChange | GroupChange, more = '') => {
    const line = `${kind} ${name}: ${verbs[action]}${more}`
    return `${output.paint(action === 'none' ? 'dim' : 'bold', line)}\n`
  }
  return [
    ...configs.map(
      (change) => title('config', change, change.action === 'change' ? `, version ${change.version}` : '') + diffText(change.unified, output.paint),
    ),
    ...groups.map((change) => title('group', change) + change.details.map((line) => `  ${printable(line)}\n`).join('')),
  ].join('')
}

interface How {
  readonly message: string
  readonly rollout: RolloutStart | undefined
}

/** Configs first, as groups name their versions. What fails in the middle leaves whole changes behind; applying again goes on. */
async function make(context: ClientContext, { configs, groups }: Changes, how: How): Promise<void> {
  for (const change of configs) if (change.action !== 'none') await makeConfig(context, change, how)
  for (const change of groups) if (change.action !== 'none') await makeGroup(context, change, how)
}

async function makeConfig({ api, output }: ClientContext, { name, action, version, files, document, etag }: ConfigChange, { message }: How): Promise<void> {
  const body = { message, files: [...files], ...(document.fragment === undefined ? {} : { fragment: document.fragment }) }
  const idempotencyKey = crypto.randomUUID()
  if (action === 'create') {
    const { data } = await api.createConfig({ body: { ...body, name, description: document.description }, idempotencyKey })
    // Numbers are never used twice, so a config that was deleted once goes on counting.
    if (data.latest.version !== version) throw new CliError(`config "${name}" had versions before and is at ${data.latest.version} now; apply once more`)
  } else await api.createVersion({ params: { name }, body, idempotencyKey, ...(etag === null ? {} : { ifMatch: etag }) })
  output.note(`config ${name}@${version} is made`)
}

async function makeGroup({ api, output }: ClientContext, { name, action, input, etag }: GroupChange, { message, rollout }: How): Promise<void> {
  const body = { ...input, message, ...(rollout === undefined ? {} : { rollout }) }
  const { data } =
    action === 'create'
      ? await api.createGroup({ body: { ...body, name }, idempotencyKey: crypto.randomUUID() })
      : await api.setGroup({ params: { name }, body, ...(etag === null ? {} : { ifMatch: etag }) })
  const follow =
    data.rollout === null
      ? ''
      : data.rollout.state === 'draft'
        ? `; start it with: drover rollouts start ${data.rollout.id}`
        : `; follow it with: drover rollouts watch ${data.rollout.id}`
  output.note(`group ${name} is at revision ${data.revision.number}${follow}`)
}
