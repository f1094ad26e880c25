/** Says why an agent has, or does not get, what it has: its groups, the rollouts that it is in, and what became of offers. */
import { explain } from '@drover/fleet'
import type { GivenRevision, RolloutStateName } from '@drover/fleet'
import type { RolloutProgress, RolloutsForAgents } from '../seams.ts'
import type { AgentRecord } from './agent-record.ts'
import type { DesiredConfigs } from './desired-configs.ts'
import type { Offers } from './offers.ts'
import type { OwnTelemetryOffers } from './own-telemetry.ts'

export interface ReasonsOptions {
  readonly desired: DesiredConfigs
  readonly offers: Pick<Offers, 'explain'>
  readonly ownTelemetry: OwnTelemetryOffers
  readonly rollouts: Pick<RolloutsForAgents, 'revisionFor' | 'progressOf'>
}

export class Reasons {
  readonly #options: ReasonsOptions

  constructor(options: ReasonsOptions) {
    this.#options = options
  }

  of(record: AgentRecord): string {
    const { offers } = this.#options
    const { assignment, selection } = record
    if (assignment === undefined || selection === undefined) return ''
    const groups = selection.selection.groups.flatMap((group) => this.#rolloutReason(record, group) ?? [])
    return [explain(assignment, offers.explain(record)), ...groups, ...this.#telemetryReason(record)].join(' ')
  }

  #rolloutReason(record: AgentRecord, group: string): string | undefined {
    const { desired, rollouts } = this.#options
    const current = desired.current.group(group)?.current ?? null
    return rolloutSentence(group, rollouts.revisionFor(group, current, record.id), rollouts.progressOf(group, record.id))
  }

  #telemetryReason(record: AgentRecord): readonly string[] {
    const { unresolved } = this.#options.ownTelemetry.wanted(record)
    const [first] = unresolved
    if (first !== undefined) return [`It is not told where to send its own telemetry: ${first.file} uses ${first.reference}, but ${first.message}.`]
    const { status } = record.settings
    return status?.status === 'failed' ? [`It refused where to send its own telemetry: ${status.errorMessage || 'it does not say why'}.`] : []
  }
}

/** Undefined: nothing is under way that this agent would have to know of. */
export function rolloutSentence(group: string, { revision, because }: GivenRevision, progress: RolloutProgress | undefined): string | undefined {
  const gets = revision === null ? 'nothing' : `revision ${revision}`
  if (because === 'back') {
    const what = progress === undefined ? 'its last change' : `revision ${progress.to}`
    return `Group ${group} took ${what} back and gives it ${gets}.`
  }
  if (progress === undefined || revision === progress.to) {
    return progress === undefined || !underWay.has(progress.state)
      ? undefined
      : `Group ${group} gives it revision ${progress.to}, which is on its way to the others${waveOf(progress)}.`
  }
  if (underWay.has(progress.state)) {
    const own = progress.ownWave === null ? '' : `, and it is in wave ${progress.ownWave}`
    return `Group ${group} gives it ${gets}; revision ${progress.to} is on its way${waveOf(progress)}${own}.`
  }
  return progress.state === 'stopped' ? `Group ${group} gives it ${gets}; the rollout of revision ${progress.to} was stopped before it came here.` : undefined
}

const underWay: ReadonlySet<RolloutStateName> = new Set(['waiting', 'running', 'soaking', 'paused'])

function waveOf({ state, wave, waves }: RolloutProgress): string {
  const paused = state === 'paused' ? ' and paused' : ''
  return wave === 0 ? paused : `${paused}: wave ${wave} of ${waves}`
}
