/** Events: what happened, in order, with a cursor. */
import { z } from 'zod'
import { Timestamp, pageOf } from '../common.ts'
import { defineRoute } from '../route.ts'

export const EventKind = z
  .enum([
    'agent.connected',
    'agent.disconnected',
    'agent.enrolled',
    'agent.changed',
    'agent.health',
    'agent.renamed',
    'agent.duplicate',
    'agent.forgotten',
    'agent.labelled',
    'agent.restartRequested',
    'attempt.offered',
    'attempt.applying',
    'attempt.applied',
    'attempt.failed',
    'attempt.timedOut',
    'attempt.restored',
    'attempt.retried',
    'config.created',
    'config.versioned',
    'config.deleted',
    'group.created',
    'group.changed',
    'group.deleted',
    'rollout.created',
    'rollout.started',
    'rollout.approved',
    'rollout.waiting',
    'rollout.waveOpened',
    'rollout.soaking',
    'rollout.wavePassed',
    'rollout.trouble',
    'rollout.paused',
    'rollout.resumed',
    'rollout.promoted',
    'rollout.retrying',
    'rollout.stopped',
    'rollout.rollingBack',
    'rollout.rolledBack',
    'rollout.completed',
    'rollout.superseded',
    'rollout.deleted',
    'secret.set',
    'secret.deleted',
    'webhook.created',
    'webhook.changed',
    'webhook.deleted',
    'webhook.givenUp',
    'token.created',
    'token.revoked',
    'session.created',
    'access.refused',
    'server.started',
    'server.stopping',
  ])
  .meta({ id: 'EventKind' })
export type EventKind = z.output<typeof EventKind>

export const Event = z
  .object({
    /** Strictly growing; the cursor of the log. */
    id: z.number().int(),
    at: Timestamp,
    kind: EventKind,
    /** Who caused it: `agent`, `system`, or the name of a token or session. */
    actor: z.string(),
    /** What it is about: an agent id, a config, group or token name. */
    subject: z.string(),
    /** One sentence for a person. */
    summary: z.string(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event' })
export type Event = z.output<typeof Event>

const EventFilter = z.object({
  kind: z.string().max(200).optional().meta({ description: 'Kinds or prefixes, comma-separated, e.g. `attempt,agent.health`' }),
  subject: z.string().max(64).optional(),
})

export const eventRoutes = {
  listEvents: defineRoute({
    id: 'listEvents',
    method: 'GET',
    path: '/events',
    tag: 'events',
    access: 'read',
    summary: 'Events: newest first with `before`, oldest first with `after`',
    query: EventFilter.extend({
      after: z.coerce.number().int().min(0).optional(),
      before: z.coerce.number().int().min(0).optional(),
      limit: z.coerce.number().int().min(1).max(500).default(50),
    }),
    response: pageOf(Event),
  }),
  /** Server-sent events: `id` is the event's id, `data` the Event as JSON; `Last-Event-ID` or `after` resumes; a comment every 15 s. Not a JSON answer. */
  streamEvents: defineRoute({
    id: 'streamEvents',
    method: 'GET',
    path: '/events/stream',
    tag: 'events',
    access: 'read',
    summary: 'Follow events as server-sent events',
    query: EventFilter.extend({ after: z.coerce.number().int().min(0).optional().meta({ description: 'Default: from now' }) }),
  }),
}
