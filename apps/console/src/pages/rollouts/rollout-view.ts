/** What the page of a rollout says, worked out from the rollout. Pure. */
import type { MemberState, Rollout, RolloutActionName, RolloutDecision, RolloutSummary } from '@drover/api'
import type { Tone } from '../../ui/StateBadge.tsx'
import { type Counts, memberStates, rolloutStates, waveStates } from '../../ui/rollout-states.ts'

type Wave = Rollout['waves'][number]

/** e.g. `production: revision 4 → 5`. */
export function titleOf({ group, from, to }: Pick<RolloutSummary, 'group' | 'from' | 'to'>): string {
  return `${group}: ${changeOf({ from, to })}`
}

export function changeOf({ from, to }: Pick<RolloutSummary, 'from' | 'to'>): string {
  return from === null ? `first revision (${to})` : `revision ${from} → ${to}`
}

/** For a live region: changes with the state and the wave, not with every count. */
export function announcement({ state, wave }: Pick<Rollout, 'state' | 'wave'>): string {
  const look = rolloutStates[state]
  return `${look.label}${wave === null ? '' : `, wave ${wave.number} of ${wave.of}`}. ${look.meaning}.`
}

const untouched: ReadonlySet<MemberState> = new Set(['pending', 'busy', 'away'])
const entries = (counts: Counts) => Object.entries(counts) as [MemberState, number][] // as: Object.entries forgets the key type

const sumOf = (counts: Counts, holds: (state: MemberState) => boolean): number =>
  entries(counts).reduce((sum, [state, count]) => (holds(state) ? sum + count : sum), 0)

/** Agents that were given the change, whatever became of it. */
export const touchedOf = (counts: Counts): number => sumOf(counts, (state) => !untouched.has(state))

/** Where everybody stands, e.g. `7 have it, 2 under way, 89 wait`. */
export interface Progress {
  readonly have: number
  readonly back: number
  readonly bad: number
  readonly of: number
}

export function progressOf({ counts, agents }: Pick<RolloutSummary, 'counts' | 'agents'>): Progress {
  const inPart = (part: string) => sumOf(counts, (state) => memberStates[state]?.part === part)
  return { have: inPart('has'), back: inPart('back'), bad: inPart('bad'), of: agents }
}

export interface SoakView {
  readonly share: number
  readonly leftSeconds: number
}

/** How much of the watching is done; after its end gates may still be waited for. */
export function soakView(soak: NonNullable<Rollout['soak']>, nowMs: number): SoakView {
  const [since, until] = [Date.parse(soak.since), Date.parse(soak.until)]
  const left = Math.max(0, until - nowMs)
  return { share: until <= since ? 1 : Math.min(1, Math.max(0, (nowMs - since) / (until - since))), leftSeconds: Math.ceil(left / 1_000) }
}

/** e.g. `4:05`, `1:02:09`. */
export function countdown(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60)]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}

const over = new Set(['stopped', 'rolledBack', 'completed', 'superseded'])

export type WaveItem =
  | { readonly kind: 'wave'; readonly index: number; readonly wave: Wave }
  /** Neighbours in the same state as one. `last` counts as well. */
  | { readonly kind: 'fold'; readonly first: number; readonly last: number; readonly state: Wave['state']; readonly agents: number; readonly counts: Counts }

/** So many waves stand side by side; more are folded. */
export const SHOWN_WAVES = 12
const BEFORE = 2
const AFTER = 6

/** The waves around the one that matters each by itself; the rest before and after it folded, unless everything is wanted. */
export function foldWaves(waves: readonly Wave[], current: number, all: boolean): readonly WaveItem[] {
  const items = waves.map((wave, index): WaveItem => ({ kind: 'wave', index, wave }))
  if (all || waves.length <= SHOWN_WAVES) return items
  const first = Math.max(0, Math.min(current - BEFORE, waves.length - BEFORE - AFTER - 1))
  const last = Math.min(waves.length - 1, first + BEFORE + AFTER)
  // One wave alone is no shorter folded.
  const from = first === 1 ? 0 : first
  const to = last === waves.length - 2 ? waves.length - 1 : last
  return [...foldRuns(waves, 0, from - 1), ...items.slice(from, to + 1), ...foldRuns(waves, to + 1, waves.length - 1)]
}

/** Waves from `first` to `last` as runs of equal state, so that one in trouble is not hidden among those that passed. */
function foldRuns(waves: readonly Wave[], first: number, last: number): readonly WaveItem[] {
  const runs: WaveItem[] = []
  let start = first
  for (let index = first; index <= last; index++) {
    const state = waves[index]?.state
    if (state === undefined || (index < last && waves[index + 1]?.state === state)) continue
    const run = waves.slice(start, index + 1)
    runs.push({ kind: 'fold', first: start, last: index, state, agents: run.reduce((sum, { agents }) => sum + agents, 0), counts: addCounts(run) })
    start = index + 1
  }
  return runs
}

function addCounts(waves: readonly Pick<Wave, 'counts'>[]): Counts {
  const sums: Partial<Record<MemberState, number>> = {}
  for (const { counts } of waves) for (const [state, count] of entries(counts)) sums[state] = (sums[state] ?? 0) + count
  return sums
}

export interface WaveLook {
  readonly label: string
  readonly tone: Tone
  readonly meaning: string
  readonly mark: 'ahead' | 'open' | 'soaking' | 'passed' | 'paused' | 'back' | 'ended'
}

/** How a wave stands, seen with what became of its rollout: one that was open when the change was taken back is open no more. */
export function waveLook({ state, counts }: Pick<Wave, 'state' | 'counts'>, rollout: Rollout['state']): WaveLook {
  const isUnderWay = state === 'open' || state === 'soaking'
  if ((rollout === 'rollingBack' || rollout === 'rolledBack') && touchedOf(counts) > 0)
    return rollout === 'rolledBack'
      ? { label: 'taken back', tone: 'warn', meaning: 'Its agents have again what they had before', mark: 'back' }
      : { label: 'going back', tone: 'warn', meaning: 'Its agents are given back what they had before', mark: 'back' }
  if (state === 'ahead' && over.has(rollout)) return { label: 'not opened', tone: 'idle', meaning: 'The rollout ended before its turn', mark: 'ahead' }
  if (isUnderWay && rollout === 'paused') return { label: 'paused', tone: 'warn', meaning: 'No further agent of it gets the change', mark: 'paused' }
  if (isUnderWay && over.has(rollout) && rollout !== 'completed')
    return { label: 'ended here', tone: 'idle', meaning: 'The rollout ended in this wave', mark: 'ended' }
  return { ...waveStates[state], mark: state }
}

/** The wave that is open or comes next; the last one when all are done. */
export function currentWave(rollout: Pick<Rollout, 'wave' | 'waves'>): number {
  if (rollout.wave !== null) return Math.max(0, Math.min(rollout.wave.number - 1, rollout.waves.length - 1))
  const ahead = rollout.waves.findIndex(({ state }) => state !== 'passed')
  return ahead === -1 ? Math.max(0, rollout.waves.length - 1) : ahead
}

/** Buttons in their order. What cannot fit the state at all is left out; what fits but is not possible now stays, with its reason. */
export function shownActions({ state, actions }: Pick<Rollout, 'state' | 'actions'>): Rollout['actions'] {
  const fitting = namesFor(state)
  const named = fitting.flatMap((name) => actions.filter(({ action }) => action === name))
  return [...named, ...actions.filter(({ action, allowed }) => allowed && !fitting.includes(action))]
}

function namesFor(state: Rollout['state']): readonly RolloutActionName[] {
  if (state === 'draft') return ['start']
  if (over.has(state)) return state === 'superseded' ? [] : ['retry', 'rollBack']
  if (state === 'rollingBack') return ['stop']
  return [...(state === 'waiting' ? (['approve'] as const) : []), state === 'paused' ? 'resume' : 'pause', 'promote', 'retry', 'stop', 'rollBack']
}

/** Which decisions explain a state, the best first. */
const explaining: Readonly<Partial<Record<Rollout['state'], readonly string[]>>> = {
  paused: ['paused'],
  stopped: ['stopped'],
  rollingBack: ['rollingBack'],
  rolledBack: ['rollingBack', 'rolledBack'],
}

/** The decision that explains the state that a rollout is in. `decisions`: newest first. */
export function decisionBehind(state: Rollout['state'], decisions: readonly RolloutDecision[]): RolloutDecision | undefined {
  for (const wanted of explaining[state] ?? []) {
    const found = decisions.find(({ kind }) => kind === wanted)
    if (found !== undefined) return found
  }
  return undefined
}

/** A name of a number as words: `badPercent` -> `bad percent`. */
export const wordsOf = (name: string): string => name.replaceAll(/([a-z0-9])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)

/** As many digits as say something. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  return Number.isInteger(value) ? value.toLocaleString('en') : value.toLocaleString('en', { maximumSignificantDigits: 4 })
}
