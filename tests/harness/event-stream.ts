/** Follows the server's events (SSE) for a test. */
import type { Event } from '@drover/api'

/** What the stream brought: an event, or a comment that only says that it lives. */
export type StreamItem = { readonly kind: 'event'; readonly event: Event } | { readonly kind: 'alive' }

export interface StreamOptions {
  readonly baseUrl: string
  readonly token: string
  /** Events after this id; absent: from now on. */
  readonly after?: number
  /** Sent as `Last-Event-ID`, as a browser does when it comes back. */
  readonly lastEventId?: number
  readonly signal: AbortSignal
}

/** Yields once (`alive`) when the stream is open, so that what happens after that cannot be missed. */
export async function* followEvents(options: StreamOptions): AsyncGenerator<StreamItem, void> {
  const query = options.after === undefined ? '' : `?after=${options.after}`
  const response = await fetch(`${options.baseUrl}/api/v1/events/stream${query}`, {
    headers: {
      authorization: `Bearer ${options.token}`,
      accept: 'text/event-stream',
      ...(options.lastEventId === undefined ? {} : { 'last-event-id': String(options.lastEventId) }),
    },
    signal: options.signal,
  })
  if (!response.ok || response.body === null) throw new Error(`the event stream answered ${response.status}: ${await response.text()}`)
  yield { kind: 'alive' }
  let text = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      yield parseBlock(text.slice(0, end))
      text = text.slice(end + 2)
    }
  }
}

function parseBlock(block: string): StreamItem {
  const data = block
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5).trimStart())
    .join('\n')
  return data === '' ? { kind: 'alive' } : { kind: 'event', event: JSON.parse(data) as Event } // as: the API's own contract
}
