/** `drover groups list|show`. */
import type { Group } from '@drover/api'
import { clientCommand } from '../../command/command.ts'
import { argument, flag } from '../../command/spec.ts'
import { readPages } from '../../live/pages.ts'
import type { Column } from '../../output/table.ts'
import { formatAgo, formatTime } from '../../output/time.ts'
import { stateText } from '../rollouts/describe.ts'
import { describeCounts } from '../status.ts'

export const configList = (configs: Group['revision']['configs']) => configs.map(({ config, version }) => `${config}@${version}`).join(' ')

export const listGroups = clientCommand({
  name: 'list',
  description: 'List groups, highest priority first',
  args: {},
  options: {},
  examples: [{ run: 'groups list', what: 'who gets what' }],
  async run({ api, output }) {
    const page = await readPages(0, (query) => api.listGroups({ query }))
    output.result(page, () => (page.items.length === 0 ? '' : output.table(columns, page.items)))
    if (page.items.length === 0) output.note('There are no groups. Make one with: drover groups create NAME --selector SELECTOR --config CONFIG')
  },
})

const columns: readonly Column<Group>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'PRIORITY', value: ({ priority }) => String(priority), align: 'right' },
  { title: 'SELECTOR', value: ({ selector }) => selector, flexible: true },
  { title: 'CONFIGS', value: ({ revision }) => configList(revision.configs), flexible: true },
  { title: 'REVISION', value: ({ revision }) => String(revision.number), align: 'right' },
  { title: 'ROLLOUT', value: ({ rollout }) => (rollout === null || rollout.state === 'completed' ? '' : stateText(rollout)) },
  { title: 'AGENTS', value: ({ counts }) => String(counts.total), align: 'right' },
  { title: 'APPLIED', value: ({ counts }) => String(counts.applied), align: 'right' },
  { title: 'FAILED', value: ({ counts }) => String(counts.failed), align: 'right', paint: ({ counts }) => (counts.failed > 0 ? 'bad' : undefined) },
]

export const showGroup = clientCommand({
  name: 'show',
  description: 'Show a group, or its revisions',
  args: { group: argument('name of the group', { completes: 'group' }) },
  options: { revisions: flag('--revisions', 'list its revisions instead') },
  examples: [{ run: 'groups show gateways --revisions', what: 'who sent what when' }],
  async run({ api, io, output }, args, { revisions }) {
    const params = { name: args.group }
    if (revisions) {
      const page = await readPages(0, (query) => api.listRevisions({ params, query }))
      output.result(page, () => output.table(revisionColumns(io.now()), page.items))
      return
    }
    const { data } = await api.getGroup({ params })
    output.result(data, () =>
      output.facts([
        ['Name', data.name],
        ['Description', data.description],
        ['Selector', data.revision.selector],
        ['Priority', String(data.revision.priority)],
        ['Configs', configList(data.revision.configs) || 'none'],
        ['Variables', namesAndValues(data.revision.variables)],
        ['Secrets', namesAndValues(data.revision.secrets, '@')],
        ['Own telemetry', describeOwnTelemetry(data.revision.ownTelemetry)],
        [
          'Revision',
          `${data.revision.number}, by ${data.revision.author} at ${formatTime(data.revision.createdAt)}${data.revision.message === '' ? '' : `: ${data.revision.message}`}`,
        ],
        ['Given to all', data.current === null ? 'nothing yet' : `revision ${data.current}`],
        ['Rollout', data.rollout === null ? undefined : `${data.rollout.id} to revision ${data.rollout.to}: ${stateText(data.rollout)}`],
        ['Plan', data.plan === null ? 'standard' : 'its own'],
        ['Agents', describeCounts(data.counts)],
      ]),
    )
  },
})

function namesAndValues(values: Readonly<Record<string, string | number>>, between = '='): string | undefined {
  const parts = Object.entries(values).map(([name, value]) => `${name}${between}${value}`)
  return parts.length === 0 ? undefined : parts.join(', ')
}

function describeOwnTelemetry(given: Group['revision']['ownTelemetry']): string {
  const parts = Object.entries(given ?? {}).flatMap(([signal, to]) => (to === null ? [] : [`${signal} to ${to.kind === 'drover' ? 'Drover' : to.endpoint}`]))
  return parts.length === 0 ? 'left as it is' : parts.join(', ')
}

const revisionColumns = (now: number): readonly Column<Group['revision']>[] => [
  { title: 'REVISION', value: ({ number }) => String(number), align: 'right' },
  { title: 'CONFIGS', value: ({ configs }) => configList(configs), flexible: true },
  { title: 'CREATED', value: ({ createdAt }) => formatAgo(createdAt, now) },
  { title: 'BY', value: ({ author }) => author, flexible: true },
  { title: 'MESSAGE', value: ({ message }) => message, flexible: true },
]
