/** Follows the server's event log; resumes after the last event when the connection breaks. */
import { Event, routeUrl, routes } from '@drover/api'
import { followStream } from './server-sent-events.ts'
import type { StreamOptions } from './server-sent-events.ts'

export interface FollowOptions extends StreamOptions {
  /** Event id after which to start; undefined: from now. */
  readonly after: number | undefined
  readonly kind?: string | undefined
  readonly subject?: string | undefined
}

/** Ends when the signal is aborted; throws what trying again cannot put right, e.g. a revoked token. */
export async function* followEvents(options: FollowOptions): AsyncGenerator<Event> {
  const { kind, subject } = options
  let { after } = options
  for await (const message of followStream(options, () => routeUrl(routes.streamEvents, {}, { kind, subject, after }))) {
    const event = Event.parse(JSON.parse(message))
    after = event.id
    yield event
  }
}
