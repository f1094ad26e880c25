/** A rollout in one sentence: what it does or waits for, or why it ended. */
import { memberTraits } from '@drover/fleet'
import type { Counters, Hindrance, MemberState, Rollout } from '@drover/fleet'
import { agentsText, durationText, listText, numberText } from './words.ts'

export function countAll({ waves }: Pick<Rollout, 'waves'>): Counters {
  const counts: Partial<Record<MemberState, number>> = {}
  for (const { counters } of waves)
    for (const [state, count] of Object.entries(counters) as [MemberState, number][]) counts[state] = (counts[state] ?? 0) + count // as: the keys of counters
  return counts
}

export function totalOf(counts: Counters): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

export function summarize(rollout: Rollout, now: number): string {
  switch (rollout.state) {
    case 'draft':
      return 'Prepared, not started.'
    case 'waiting':
      return rollout.hindrance === null
        ? `About to open ${waveText(rollout)}.`
        : `Waits ${hindranceText(rollout.hindrance, now)} before it opens ${waveText(rollout)}.`
    case 'running':
      return `${capital(waveText(rollout))} is open: ${underWay(rollout)}; ${have(rollout)}.`
    case 'soaking': {
      const left = rollout.soak.until - now
      return `${left > 0 ? `Watching ${waveText(rollout)} for another ${durationText(left)}` : `Waiting for the gates of ${waveText(rollout)}`}; ${have(rollout)}.`
    }
    case 'paused':
      return `Paused in ${waveText(rollout)}${because(rollout)}; ${have(rollout)}.`
    case 'stopped':
      return `Stopped in ${waveText(rollout)}${because(rollout)}; ${have(rollout)} and keep it.`
    case 'rollingBack':
      return `Taking revision ${rollout.to} back${because(rollout)}; ${goingBack(rollout)}.`
    case 'rolledBack':
      return `Rolled back${because(rollout)}; ${areBack(rollout)}.`
    case 'completed':
      return `Completed: ${have(rollout)}${laterText(rollout)}.`
    case 'superseded':
      return `Replaced by a newer rollout; ${have(rollout)} by then.`
    default:
      return rollout satisfies never
  }
}

function waveText({ wave, waves }: Rollout): string {
  return `wave ${wave + 1} of ${waves.length}`
}

function have(rollout: Rollout): string {
  const counts = countAll(rollout)
  return `${numberText(counts.applied ?? 0)} of ${agentsText(totalOf(counts))} have revision ${rollout.to}`
}

function underWay(rollout: Rollout): string {
  const counts = rollout.waves[rollout.wave]?.counters ?? {}
  const parts = (['offered', 'applying', 'retrying', 'released', 'pending'] as const).filter((state) => (counts[state] ?? 0) > 0)
  if (parts.length === 0) return 'all its agents have an outcome'
  return listText(parts.map((state) => `${numberText(counts[state] ?? 0)} ${memberTraits[state].words}`))
}

function because(rollout: Extract<Rollout, { readonly reason: string }>): string {
  if (rollout.reason !== '') return `: ${rollout.reason.replace(/\s+/g, ' ').trim().replace(/\.$/, '')}`
  return rollout.cause === 'person' ? ' by a person' : ''
}

function goingBack(rollout: Rollout): string {
  const counts = countAll(rollout)
  const target = (Object.keys(counts) as MemberState[]).filter((state) => memberTraits[state].side === 'target' && state !== 'unheard') // as: the keys of counters
  const left = [...target, 'restoring' as const, 'restoreRetrying' as const].reduce((sum, state) => sum + (counts[state] ?? 0), 0)
  return `${agentsText(left)} still to go, ${numberText(counts.restored ?? 0)} are back`
}

function areBack(rollout: Rollout): string {
  const counts = countAll(rollout)
  const isOne = counts.restored === 1
  const back = rollout.from === null ? `back at what ${isOne ? 'it' : 'they'} had before` : `back at revision ${rollout.from}`
  const more = (['restoring', 'restoreRetrying', 'restoringAway', 'restoreFailed'] as const).filter((state) => (counts[state] ?? 0) > 0)
  return listText([
    `${agentsText(counts.restored ?? 0)} ${isOne ? 'is' : 'are'} ${back}`,
    ...more.map((state) => `${numberText(counts[state] ?? 0)} ${memberTraits[state].words}`),
  ])
}

function laterText(rollout: Rollout): string {
  const counts = countAll(rollout)
  const later = (counts.away ?? 0) + (counts.busy ?? 0) + (counts.pending ?? 0)
  const bad = (counts.failed ?? 0) + (counts.timedOut ?? 0) + (counts.lost ?? 0)
  return [
    ...(later === 0 ? [] : [`, ${numberText(later)} get it when they return or are free`]),
    ...(bad === 0 ? [] : [`, ${numberText(bad)} could not work with it`]),
  ].join('')
}

function hindranceText(hindrance: Hindrance, now: number): string {
  switch (hindrance.kind) {
    case 'approval':
      return hindrance.byAnother ? 'for another person to approve' : 'for approval'
    case 'rollouts':
      return `for ${listText(hindrance.names)} to end, which has some of the same agents,`
    case 'time':
      return `${durationText(hindrance.at - now)} until the time that its plan names`
    case 'window':
      return hindrance.opensAt === null ? 'for a maintenance window' : `for the maintenance window that opens in ${durationText(hindrance.opensAt - now)}`
    default:
      return hindrance satisfies never
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
