/** Reading events page by page, and following them as server-sent events. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { eventRoutes } from '@drover/api'
import type { BindRoute, BindStream } from '../http/bind-route.ts'
import { ConflictError, InvalidInputError } from '../http/errors.ts'
import { consoleLimits } from '../http/limits.ts'
import type { EventBatch, EventFilter, EventLog } from './event-log.ts'

export interface EventRoutesOptions {
  readonly events: EventLog
  readonly limits?: { readonly maxEventStreams: number; readonly eventStreamStallMs: number; readonly eventStreamCommentMs: number }
}

export function bindEventRoutes(bind: BindRoute, bindStream: BindStream, { events, limits = consoleLimits }: EventRoutesOptions): void {
  bind(eventRoutes.listEvents, async ({ query }) => {
    const { after, before, limit } = query
    const page = await events.page({
      filter: parseFilter(query),
      limit,
      ...(after === undefined ? {} : { after }),
      ...(before === undefined ? {} : { before }),
    })
    const last = page.events.at(-1)
    return { data: { items: page.events, nextCursor: page.more && last ? String(last.id) : null, total: page.total } }
  })

  let open = 0
  const nextTurn = createTurns()
  bindStream(eventRoutes.streamEvents, (call) => {
    if (open >= limits.maxEventStreams) throw new ConflictError('too-many-streams', 'too many programs follow events: close some, or read /events page by page')
    const filter = parseFilter(call.query)
    const after = readCursor(call.header('last-event-id'), call.query.after) ?? events.lastId()
    return async (response) => {
      open++
      try {
        await sendEvents(events.follow({ after, filter, signal: call.signal }), response, call.signal, { ...limits, nextTurn })
      } finally {
        open--
        response.end()
      }
    }
  })
}

function parseFilter(query: { kind?: string | undefined; subject?: string | undefined }): EventFilter {
  const kinds = (query.kind ?? '')
    .split(',')
    .map((kind) => kind.trim())
    .filter((kind) => kind !== '')
  return { kinds, ...(query.subject === undefined ? {} : { subject: query.subject }) }
}

/** What the browser remembers after a lost connection counts more than what the address said at first. */
function readCursor(lastEventId: string | undefined, after: number | undefined): number | undefined {
  if (lastEventId === undefined || lastEventId === '') return after
  const id = Number(lastEventId)
  if (!Number.isSafeInteger(id) || id < 0)
    throw new InvalidInputError('Last-Event-ID is not an event id', [{ field: 'headers.last-event-id', message: 'has to be a whole number' }])
  return id
}

interface StreamLimits {
  readonly eventStreamStallMs: number
  readonly eventStreamCommentMs: number
  /** Resolves when this stream may read and write another batch. */
  readonly nextTurn: () => Promise<void>
}

/**
 * One batch of one stream per turn of the event loop. While the system takes what is written, nothing else makes a stream wait, and a few
 * readers of everything would keep the agents waiting for seconds.
 */
function createTurns(): () => Promise<void> {
  let last = Promise.resolve()
  return () => (last = last.then(() => setImmediate()))
}

/** Writes as fast as the reader takes it, and never holds more than one batch: the rest waits in the table. */
async function sendEvents(batches: AsyncIterable<EventBatch>, response: ServerResponse, signal: AbortSignal, limits: StreamLimits): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    // A stream that ends while the server stops would leave an idle connection behind, which the server would wait for.
    connection: 'close',
  })
  response.write('retry: 2000\n: following\n\n')
  const comment = setInterval(() => response.write(': alive\n\n'), limits.eventStreamCommentMs)
  try {
    for await (const { events, lastId } of batches) {
      const text = events.map((event) => `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`).join('')
      // An id without data moves a reader's cursor past what the filter held back, without an event.
      const cursor = events.at(-1)?.id === lastId ? '' : `id: ${lastId}\n\n`
      if (!response.write(text + cursor)) await drained(response, signal, limits.eventStreamStallMs)
      await limits.nextTurn()
    }
  } finally {
    clearInterval(comment)
  }
}

/** Waits until the reader has taken what was written; one that takes nothing is cut off and may resume by its cursor. */
async function drained(response: ServerResponse, signal: AbortSignal, stallMs: number): Promise<void> {
  try {
    await once(response, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(stallMs)]) })
  } catch {
    response.destroy()
  }
}
