/** `drover rollouts show`: one rollout with its waves, gates and what was decided; or its agents. */
import { MemberState } from '@drover/api'
import type { GateResult, Rollout, RolloutDecision, RolloutMember } from '@drover/api'
import { clientCommand } from '../../command/command.ts'
import type { ClientContext } from '../../command/command.ts'
import { choice, flag, integer } from '../../command/spec.ts'
import { readPages } from '../../live/pages.ts'
import type { Column } from '../../output/table.ts'
import { countOf, printable } from '../../output/text.ts'
import { formatAgo, formatTime } from '../../output/time.ts'
import { countsText, possibleCommands, revisionsText, statePaint, stateText, waveColumns } from './describe.ts'
import { findRolloutId, rolloutArgument } from './find-rollout.ts'

const shownDecisions = 10
const shownMembers = 100

export const showRollout = clientCommand({
  name: 'show',
  description: 'Show a rollout: waves, gates, what was decided and why',
  args: { rollout: rolloutArgument },
  options: {
    decisions: flag('--decisions', 'all that was decided instead, oldest first'),
    members: flag('--members', 'its agents instead'),
    wave: integer('--wave <number>', 'with --members: only of this wave', { min: 1, max: 10_000 }),
    state: choice('--state <state>', 'with --members: only in this state', MemberState.options),
    limit: integer('--limit <count>', `with --members: at most so many (default ${shownMembers}; 0 for all)`, { min: 0, max: 1_000_000 }),
  },
  examples: [
    { run: 'rollouts show gateways', what: 'the newest of a group' },
    { run: 'rollouts show gateways --members --state failed', what: 'who failed, and in which words' },
  ],
  async run(context, args, options) {
    const { api, output } = context
    const params = { rolloutId: await findRolloutId(context, args.rollout) }
    if (options.members) return showMembers(context, params, options)
    if (options.decisions) return showDecisions(context, params)
    const { data } = await api.getRollout({ params })
    const { data: decisions } = await api.listRolloutDecisions({ params, query: { limit: shownDecisions } })
    output.result(data, () => describeRollout(context, data, decisions.items))
  },
})

interface RolloutParams {
  readonly rolloutId: string
}

async function showMembers(
  { api, io, output }: ClientContext,
  params: RolloutParams,
  {
    wave,
    state,
    limit = shownMembers,
  }: { readonly wave: number | undefined; readonly state: RolloutMember['state'] | undefined; readonly limit: number | undefined },
): Promise<void> {
  const filter = { ...(wave === undefined ? {} : { wave: wave - 1 }), ...(state === undefined ? {} : { state }) }
  const page = await readPages(limit, (query) => api.listRolloutMembers({ params, query: { ...filter, ...query } }))
  output.result(page, () => (page.items.length === 0 ? '' : output.table(memberColumns(io.now()), page.items)))
  if (page.items.length === 0) output.note('There are no such agents.')
  else if (page.items.length < page.total) output.note(`${page.items.length} of ${countOf(page.total, 'agent')}; --limit 0 lists all.`)
}

const memberColumns = (now: number): readonly Column<RolloutMember>[] => [
  { title: 'WAVE', value: ({ wave }) => String(wave + 1), align: 'right' },
  { title: 'AGENT', value: ({ agentName }) => agentName, flexible: true },
  { title: 'ID', value: ({ agentId }) => agentId },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'SINCE', value: ({ since }) => formatAgo(since, now) },
  { title: 'CONNECTED', value: ({ connected }) => (connected ? 'yes' : 'no') },
  { title: 'ERROR', value: ({ error }) => error ?? '', flexible: true },
]

async function showDecisions({ api, output }: ClientContext, params: RolloutParams): Promise<void> {
  const page = await readPages(0, (query) => api.listRolloutDecisions({ params, query }))
  const oldestFirst = page.items.toReversed()
  output.result({ ...page, items: oldestFirst }, () => oldestFirst.map(decisionLine).join(''))
}

/** `2026-11-21 13:40:12  Drover opened wave 2.` */
export const decisionLine = ({ at, sentence }: RolloutDecision): string => `${formatTime(at)}  ${printable(sentence)}\n`

function describeRollout({ io, output }: ClientContext, rollout: Rollout, newest: readonly RolloutDecision[]): string {
  const facts = output.facts([
    ['Rollout', rollout.id],
    ['Group', `${rollout.group}, ${revisionsText(rollout)}`],
    ['State', output.paint(statePaint(rollout), stateText(rollout))],
    ['Now', rollout.summary],
    ['Plan', rollout.preset ?? 'its own'],
    ['Reason', rollout.reason === '' ? undefined : rollout.reason],
    ['Started', rollout.startedAt === null ? undefined : `${formatTime(rollout.startedAt)}${rollout.startedBy === null ? '' : ` by ${rollout.startedBy}`}`],
    ['Ended', rollout.endedAt === null ? undefined : formatTime(rollout.endedAt)],
    ['Deadline', rollout.deadlineAt === null ? undefined : formatAgo(rollout.deadlineAt, io.now())],
    ['Agents', `${rollout.agents}: ${countsText(rollout.counts)}`],
    ['Waits for', rollout.blockers.length === 0 ? undefined : rollout.blockers.map(({ id, group }) => `${id} (${group})`).join(', ')],
    ['Superseded by', rollout.supersededBy ?? undefined],
  ])
  const waves = rollout.waves.map((wave, index) => ({ ...wave, number: index + 1 }))
  const can = possibleCommands(rollout)
  return [
    facts,
    waves.length === 0 ? '' : output.heading('Waves') + output.table(waveColumns(rollout), waves),
    rollout.gates.length === 0 ? '' : output.heading('Gates') + output.table(gateColumns, rollout.gates),
    newest.length === 0 ? '' : output.heading('Decided last') + newest.toReversed().map(decisionLine).join(''),
    can.length === 0 ? '' : `\n${output.paint('dim', `You can: ${can.join('; ')}`)}\n`,
  ].join('')
}

const gateColumns: readonly Column<GateResult>[] = [
  { title: 'GATE', value: ({ title }) => title, flexible: true },
  {
    title: 'VERDICT',
    value: ({ verdict }) => verdict ?? 'not judged yet',
    paint: ({ verdict }) => (verdict === 'pass' ? 'good' : verdict === 'fail' ? 'bad' : verdict === null ? 'dim' : 'busy'),
  },
  { title: 'FOUND', value: ({ text }) => text, flexible: true },
]
