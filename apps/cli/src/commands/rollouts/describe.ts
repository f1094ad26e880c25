/** A rollout in words and tables, as list, show and watch have it. */
import type { MemberState, Rollout, RolloutSummary } from '@drover/api'
import type { Paint } from '../../output/colour.ts'
import type { Column } from '../../output/table.ts'
import { countOf } from '../../output/text.ts'

const stateWords: Readonly<Record<RolloutSummary['state'], string>> = {
  draft: 'draft',
  waiting: 'waiting',
  running: 'running',
  soaking: 'soaking',
  paused: 'paused',
  stopped: 'stopped',
  rollingBack: 'rolling back',
  rolledBack: 'rolled back',
  completed: 'completed',
  superseded: 'superseded',
}
export const stateText = ({ state }: Pick<RolloutSummary, 'state'>): string => stateWords[state]

const paints: Readonly<Record<RolloutSummary['state'], Paint>> = {
  draft: 'dim',
  waiting: 'busy',
  running: 'busy',
  soaking: 'busy',
  paused: 'bad',
  stopped: 'bad',
  rollingBack: 'bad',
  rolledBack: 'bad',
  completed: 'good',
  superseded: 'dim',
}
export const statePaint = ({ state }: Pick<RolloutSummary, 'state'>): Paint => paints[state]

/** Nothing more happens by itself. */
export const isOver = ({ state }: Pick<RolloutSummary, 'state'>): boolean =>
  state === 'stopped' || state === 'rolledBack' || state === 'completed' || state === 'superseded'

const backStates: readonly MemberState[] = ['restoring', 'restoringAway', 'restoreRetrying', 'restored', 'restoreFailed']
const badStates: readonly MemberState[] = ['failed', 'timedOut', 'lost', 'restoreFailed']

export const sumOf = (counts: RolloutSummary['counts'], states: readonly MemberState[]): number => states.reduce((sum, state) => sum + (counts[state] ?? 0), 0)
export const badOf = (counts: RolloutSummary['counts']): number => sumOf(counts, badStates)

/** `revision 4 → 5`, or `revision 1` for the first. */
export const revisionsText = ({ from, to }: Pick<RolloutSummary, 'from' | 'to'>): string => (from === null ? `revision ${to}` : `revision ${from} → ${to}`)

/** `96 applied, 3 pending, 1 failed`; states with nobody are left out. */
export function countsText(counts: RolloutSummary['counts']): string {
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`)
  return parts.length === 0 ? 'nobody' : parts.join(', ')
}

/** How a wave stands, seen with what became of its rollout: one that was open when the change was taken back is open no more. */
export function waveText({ state, counts }: Pick<Rollout['waves'][number], 'state' | 'counts'>, rollout: Pick<RolloutSummary, 'state'>): string {
  const isBack = sumOf(counts, backStates) > 0
  if (rollout.state === 'rollingBack' && isBack) return 'going back'
  if (rollout.state === 'rolledBack' && isBack) return 'taken back'
  if (!isOver(rollout) || state === 'passed') return state
  return state === 'ahead' ? 'not opened' : 'ended here'
}

export const waveColumns = (rollout: Pick<RolloutSummary, 'state'>): readonly Column<Rollout['waves'][number] & { readonly number: number }>[] => [
  { title: 'WAVE', value: ({ number }) => String(number), align: 'right' },
  { title: 'WHO', value: ({ label }) => label, flexible: true },
  { title: 'STATE', value: (wave) => waveText(wave, rollout), paint: ({ state }) => (state === 'passed' ? 'good' : state === 'ahead' ? 'dim' : 'busy') },
  { title: 'AGENTS', value: ({ agents }) => String(agents), align: 'right' },
  { title: 'APPLIED', value: ({ counts }) => String(counts.applied ?? 0), align: 'right' },
  { title: 'BAD', value: ({ counts }) => String(badOf(counts)), align: 'right', paint: ({ counts }) => (badOf(counts) > 0 ? 'bad' : undefined) },
  { title: 'OTHERS', value: ({ counts }) => countsText({ ...counts, applied: 0 }).replace('nobody', ''), flexible: true },
]

/** `wave 2 of 5: 118 of 1,200 agents applied, 1 bad`. */
export function progressText({ wave, counts, agents }: Pick<RolloutSummary, 'wave' | 'counts' | 'agents'>): string {
  const where = wave === null ? '' : `wave ${wave.number} of ${wave.of}: `
  const bad = badOf(counts)
  return `${where}${counts.applied ?? 0} of ${countOf(agents, 'agent')} applied${bad > 0 ? `, ${bad} bad` : ''}`
}

const actionWords: Readonly<Record<Rollout['actions'][number]['action'], string>> = {
  start: 'start',
  approve: 'approve',
  pause: 'pause',
  resume: 'resume',
  promote: 'promote',
  retry: 'retry',
  stop: 'stop',
  rollBack: 'rollback',
}

/** What a person may do about it now, as commands. */
export function possibleCommands({ id, actions }: Pick<Rollout, 'id' | 'actions'>): string[] {
  return actions.filter(({ allowed }) => allowed).map(({ action }) => `drover rollouts ${actionWords[action]} ${id}`)
}
