/** What each state of an agent is called, how it looks, and what it means. Pure; every table is total. */
import type { AgentSummary, Attempt, ConfigState } from '@drover/api'
import type { Tone } from './StateBadge.tsx'

export interface StateLook {
  readonly label: string
  readonly tone: Tone
  readonly meaning: string
}

export const configStates: Readonly<Record<ConfigState, StateLook>> = {
  unmanaged: { label: 'Unmanaged', tone: 'idle', meaning: 'No group gives it a configuration' },
  notAccepted: { label: 'Not accepted', tone: 'idle', meaning: 'The agent does not accept remote configuration' },
  pending: { label: 'Pending', tone: 'busy', meaning: 'It is offered its configuration when it is connected' },
  offered: { label: 'Offered', tone: 'busy', meaning: 'The configuration was sent, the agent has not answered yet' },
  applying: { label: 'Applying', tone: 'busy', meaning: 'The agent is applying the configuration' },
  applied: { label: 'Applied', tone: 'ok', meaning: 'The agent runs the configuration it should have' },
  failed: { label: 'Failed', tone: 'bad', meaning: 'The agent refused or could not run the configuration' },
  restored: { label: 'Restored', tone: 'warn', meaning: 'It failed the configuration and runs its last good one' },
  timedOut: { label: 'Timed out', tone: 'bad', meaning: 'The agent did not answer the offer in time' },
}

export const attemptStates: Readonly<Record<Attempt['state'], StateLook>> = {
  offered: { label: 'Offered', tone: 'busy', meaning: 'Sent, not answered yet' },
  applying: { label: 'Applying', tone: 'busy', meaning: 'The agent is applying it' },
  applied: { label: 'Applied', tone: 'ok', meaning: 'The agent reported that it runs' },
  failed: { label: 'Failed', tone: 'bad', meaning: 'The agent reported that it failed' },
  timedOut: { label: 'Timed out', tone: 'bad', meaning: 'No answer in time' },
  superseded: { label: 'Superseded', tone: 'idle', meaning: 'Another configuration was offered before it was answered' },
  rolledBack: { label: 'Rolled back', tone: 'warn', meaning: 'The last good configuration was given back' },
}

export const attemptReasons: Readonly<Record<Attempt['reason'], string>> = {
  desired: 'It should have it',
  restore: 'Last good one given back',
  retry: 'Asked for by a person',
}

/** Connected and stale are two facts: an open connection can have gone quiet. */
export function connectionLook(agent: Pick<AgentSummary, 'connected' | 'stale'>): StateLook {
  if (agent.connected && agent.stale)
    return { label: 'Stale', tone: 'warn', meaning: 'The connection is open, but nothing was heard for 2.5 heartbeat intervals' }
  if (agent.connected) return { label: 'Connected', tone: 'ok', meaning: 'A connection is open' }
  return { label: 'Disconnected', tone: 'idle', meaning: 'No connection; the agent keeps running its last configuration' }
}

export function healthLook(healthy: boolean | null): StateLook {
  if (healthy === null) return { label: 'Unknown', tone: 'idle', meaning: 'It never reported its health' }
  return healthy
    ? { label: 'Healthy', tone: 'ok', meaning: 'It reports that it is healthy' }
    : { label: 'Unhealthy', tone: 'bad', meaning: 'It reports that something is wrong' }
}
