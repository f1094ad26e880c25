/** Turns the events that a webhook wants into deliveries, in the transaction that moves its place in the log. */
import type { Event } from '@drover/api'
import type { Logger } from 'pino'
import type { EventLog } from '../events/event-log.ts'
import type { Store } from '../storage/store.ts'
import type { Clock } from '../seams.ts'
import { webhookLimits } from './limits.ts'
import { addDeliveries, countPending, moveCursor } from './store.ts'
import type { WebhookRow } from './store.ts'
import type { Timers } from './timers.ts'

export interface IntakeOptions {
  readonly store: Store
  readonly events: EventLog
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Pick<Logger, 'warn'>
  readonly maxPending?: number
}

export interface Intake {
  /** A delivery is done, so that there may be room for more. */
  onRoom(): void
  /** Up to which event everything was looked at. */
  position(): number
  /** Writes down how far it has read, if nobody wanted what lies between. */
  saveCursor(): Promise<void>
  stop(): Promise<void>
}

/** Reads on from the webhook's place in the log. `onAdded`: there are new deliveries. */
export function startIntake(webhook: WebhookRow, onAdded: () => void, options: IntakeOptions): Intake {
  const { store, events, clock, timers, log, maxPending = webhookLimits.maxPending } = options
  const stopping = new AbortController()
  const { signal } = stopping
  const kinds = JSON.parse(webhook.events_json) as string[] // as: only the routes write it
  let position = webhook.last_event_id
  let saved = position
  let room = Promise.withResolvers<void>()

  async function read(): Promise<void> {
    for await (const batch of events.follow({ after: position, filter: { kinds }, signal })) {
      const wanted = batch.events.filter((event) => !isOwn(webhook, event))
      if (wanted.length > 0 && !(await take(wanted, batch.lastId))) return
      position = batch.lastId
    }
  }

  async function take(wanted: readonly Event[], lastId: number): Promise<boolean> {
    for (;;) {
      room = Promise.withResolvers()
      if (signal.aborted) return false
      if ((await countPending(store.read, webhook.name)) < maxPending) break
      await Promise.race([room.promise, aborted(signal)])
    }
    const isTaken = await store.transaction((tx) => addDeliveries(tx, webhook, { events: wanted, lastId, now: clock.now() }))
    if (isTaken) {
      saved = lastId
      onAdded()
    }
    return isTaken
  }

  async function readAlways(): Promise<void> {
    while (!signal.aborted) {
      try {
        await read()
        return
      } catch (error) {
        log.warn({ err: error, webhook: webhook.name }, 'events cannot be handed to a webhook now')
        await timers.wait(webhookLimits.storeRetryMs, signal)
      }
    }
  }

  const reading = readAlways()
  return {
    onRoom: () => room.resolve(),
    position: () => position,
    async saveCursor() {
      const reached = position
      if (reached <= saved) return
      await store.transaction((tx) => moveCursor(tx, webhook, reached))
      saved = Math.max(saved, reached)
    },
    async stop() {
      stopping.abort()
      await reading
    },
  }
}

/** A webhook is not told about itself: what it is told would make more to tell. */
function isOwn({ name }: WebhookRow, { kind, subject }: Event): boolean {
  return kind.startsWith('webhook.') && subject === name
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
