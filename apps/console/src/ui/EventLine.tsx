/** One event: when, what, about whom. */
import type { Event } from '@drover/api'
import { Link } from '@tanstack/react-router'
import { AgentText } from './AgentText.tsx'
import { RelativeTime } from './RelativeTime.tsx'
import type { Tone } from './StateBadge.tsx'

const badKinds = new Set<string>([
  'attempt.failed',
  'attempt.timedOut',
  'access.refused',
  'agent.duplicate',
  'rollout.trouble',
  'rollout.rollingBack',
  'webhook.givenUp',
])
const warnKinds = new Set<string>([
  'agent.disconnected',
  'attempt.restored',
  'token.revoked',
  'server.stopping',
  'agent.forgotten',
  'rollout.paused',
  'rollout.stopped',
  'rollout.rolledBack',
])
const goodKinds = new Set<string>(['agent.connected', 'agent.enrolled', 'attempt.applied', 'rollout.completed', 'rollout.wavePassed'])

export function eventTone(kind: string): Tone {
  if (badKinds.has(kind)) return 'bad'
  if (warnKinds.has(kind)) return 'warn'
  return goodKinds.has(kind) ? 'ok' : 'idle'
}

/** A link to the page of what the event is about, when that has one. */
export function EventSubject({ event, text }: { readonly event: Pick<Event, 'kind' | 'subject'>; readonly text?: string }) {
  const subject = <AgentText text={text ?? event.subject} />
  const area = event.kind.split('.')[0]
  if (area === 'agent' || area === 'attempt')
    return (
      <Link to="/agents/$agentId" params={{ agentId: event.subject }}>
        {subject}
      </Link>
    )
  if (area === 'config')
    return (
      <Link to="/configs/$name" params={{ name: event.subject }}>
        {subject}
      </Link>
    )
  if (area === 'group')
    return (
      <Link to="/groups/$name" params={{ name: event.subject }}>
        {subject}
      </Link>
    )
  if (area === 'rollout' && event.subject.startsWith('rol_'))
    return (
      <Link to="/rollouts/$rolloutId" params={{ rolloutId: event.subject }}>
        {subject}
      </Link>
    )
  return subject
}

export function EventList({ events }: { readonly events: readonly Event[] }) {
  return (
    <ol className="event-list">
      {events.map((event) => (
        <li key={event.id} data-tone={eventTone(event.kind)}>
          <span className="event-list-summary">
            <EventSubject event={event} text={event.summary} />
          </span>
          <span className="event-list-meta">
            {event.kind} · <RelativeTime at={event.at} />
          </span>
        </li>
      ))}
    </ol>
  )
}
