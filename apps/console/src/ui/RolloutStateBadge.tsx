/** The state of a rollout as a word with a mark. */
import type { RolloutState } from '@drover/api'
import { StateBadge } from './StateBadge.tsx'
import { rolloutStates } from './rollout-states.ts'

export function RolloutStateBadge({ state, plain = false }: { readonly state: RolloutState; readonly plain?: boolean }) {
  const look = rolloutStates[state]
  return (
    <StateBadge tone={look.tone} title={look.meaning} plain={plain} {...(state === 'waiting' || state === 'soaking' ? { mark: 'clock' as const } : {})}>
      {look.label}
    </StateBadge>
  )
}
