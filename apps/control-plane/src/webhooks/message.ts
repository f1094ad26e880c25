/** What a receiver gets, in the form of Standard Webhooks, and how its answer is understood. */
import { createHash } from 'node:crypto'
import type { Event } from '@drover/api'
import { OutgoingError, signedHeaders } from '../outgoing/index.ts'
import type { Outgoing } from '../outgoing/index.ts'
import { parseRetryAfter } from './schedule.ts'
import type { WebhookRow } from './store.ts'

export interface Destination {
  readonly url: string
  readonly secret: string
}

export interface Message {
  /** The same for every try, so that a receiver can drop what it has. */
  readonly id: string
  readonly type: string
  readonly at: string
  readonly data: unknown
}

export interface TryResult {
  readonly delivered: boolean
  /** Null: there was no answer. */
  readonly status: number | null
  /** What went wrong, for a person; empty: nothing. */
  readonly detail: string
  readonly retryAfterMs?: number
}

/** The same event has another id for another webhook, also for one of the same name that was made anew. */
export function messageOf(event: Event, { name, created_at }: Pick<WebhookRow, 'name' | 'created_at'>): Message {
  const webhook = createHash('sha256').update(`${name}\n${created_at}`).digest('hex').slice(0, 12)
  return { id: `evt_${webhook}_${event.id}`, type: event.kind, at: event.at, data: event }
}

/** Never rejects: whatever goes wrong is a result. */
export async function sendMessage(outgoing: Pick<Outgoing, 'send'>, { url, secret }: Destination, message: Message, sentAt: number): Promise<TryResult> {
  const body = JSON.stringify({ type: message.type, timestamp: message.at, data: message.data })
  try {
    const { status, headers } = await outgoing.send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', ...signedHeaders(secret, { id: message.id, sentAt, body }) },
      body,
    })
    if (status >= 200 && status < 300) return { delivered: true, status, detail: '' }
    const retryAfterMs = parseRetryAfter(headers['retry-after'], sentAt)
    return { delivered: false, status, detail: `the receiver answered with status ${status}`, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  } catch (error) {
    if (error instanceof OutgoingError) return { delivered: false, status: error.status, detail: error.message }
    throw error
  }
}
