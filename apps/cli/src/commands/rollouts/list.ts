/** `drover rollouts list`. */
import type { RolloutSummary } from '@drover/api'
import { clientCommand } from '../../command/command.ts'
import { choice, integer, text } from '../../command/spec.ts'
import { readPages } from '../../live/pages.ts'
import type { Column } from '../../output/table.ts'
import { formatAgo } from '../../output/time.ts'
import { findAgentId } from '../agents/find-agent.ts'
import { badOf, revisionsText, statePaint, stateText } from './describe.ts'

const defaultLimit = 50

export const listRollouts = clientCommand({
  name: 'list',
  description: 'List rollouts, newest first',
  args: {},
  options: {
    group: text('--group <group>', 'only of this group', { completes: 'group' }),
    agent: text('--agent <agent>', 'only those that this agent is in', { completes: 'agent' }),
    state: choice('--state <state>', 'active: those that may still do something by themselves; over: the rest', [
      'active',
      'over',
      'draft',
      'waiting',
      'running',
      'soaking',
      'paused',
      'stopped',
      'rollingBack',
      'rolledBack',
      'completed',
      'superseded',
    ]),
    limit: integer('--limit <count>', `at most so many (default ${defaultLimit}; 0 for all)`, { min: 0, max: 1_000_000 }),
  },
  examples: [{ run: 'rollouts list --state active', what: 'what is under way' }],
  async run(context, _args, { group, agent, state, limit = defaultLimit }) {
    const { api, io, output } = context
    const filter = {
      ...(group === undefined ? {} : { group }),
      ...(agent === undefined ? {} : { agent: await findAgentId(context, agent) }),
      ...(state === undefined ? {} : { state }),
    }
    const page = await readPages(limit, (query) => api.listRollouts({ query: { ...filter, ...query } }))
    output.result(page, () => (page.items.length === 0 ? '' : output.table(columns(io.now()), page.items)))
    if (page.items.length === 0) output.note('There are no such rollouts. A change of a group makes one: drover groups set GROUP --upgrade CONFIG')
    else if (page.items.length < page.total) output.note(`${page.items.length} of ${page.total} rollouts; --limit 0 lists all.`)
  },
})

const columns = (now: number): readonly Column<RolloutSummary>[] => [
  { title: 'ID', value: ({ id }) => id },
  { title: 'GROUP', value: ({ group }) => group, flexible: true },
  { title: 'CHANGE', value: revisionsText },
  { title: 'STATE', value: stateText, paint: statePaint },
  { title: 'WAVE', value: ({ wave }) => (wave === null ? '' : `${wave.number}/${wave.of}`), align: 'right' },
  { title: 'AGENTS', value: ({ agents }) => String(agents), align: 'right' },
  { title: 'APPLIED', value: ({ counts }) => String(counts.applied ?? 0), align: 'right' },
  { title: 'BAD', value: ({ counts }) => String(badOf(counts)), align: 'right', paint: ({ counts }) => (badOf(counts) > 0 ? 'bad' : undefined) },
  { title: 'BY', value: ({ startedBy, createdBy }) => startedBy ?? createdBy, flexible: true },
  { title: 'STARTED', value: ({ startedAt }) => (startedAt === null ? '' : formatAgo(startedAt, now)) },
]
