/** Sends the deliveries of one webhook, a few at a time, and tries again what failed. A delivery waits in the store until the receiver took it. */
import type { Logger } from 'pino'
import type { EventLog } from '../events/event-log.ts'
import type { Outgoing } from '../outgoing/index.ts'
import type { Clock } from '../seams.ts'
import type { Store } from '../storage/store.ts'
import { webhookLimits } from './limits.ts'
import { messageOf, sendMessage } from './message.ts'
import type { Destination, TryResult } from './message.ts'
import type { WebhookMetrics } from './metrics.ts'
import { nextTryAt } from './schedule.ts'
import { readEvent, readNext, recordOutcome } from './store.ts'
import type { DeliveryOutcome, DeliveryRow, WebhookRow } from './store.ts'
import type { Timers } from './timers.ts'

export interface SenderOptions {
  readonly store: Store
  readonly events: EventLog
  readonly outgoing: Pick<Outgoing, 'send'>
  readonly clock: Clock
  readonly timers: Timers
  readonly random: () => number
  readonly metrics: WebhookMetrics
  readonly log: Pick<Logger, 'warn'>
  /** Whether an event may say that a delivery of this webhook was given up. */
  readonly mayTellGivenUp: () => boolean
  /** A delivery is done. */
  readonly onDone: () => void
}

const maxTimerMs = 3_600_000

export class Sender {
  readonly #webhook: WebhookRow
  readonly #destination: Destination
  readonly #options: SenderOptions
  readonly #running = new Map<number, Promise<void>>()
  #cancelTimer: (() => void) | undefined
  #looking: Promise<void> | undefined
  #lookAgain = false
  #failuresInRow = 0
  #heldUntil = 0
  #isStopped = false

  constructor(webhook: WebhookRow, destination: Destination, options: SenderOptions) {
    this.#webhook = webhook
    this.#destination = destination
    this.#options = options
  }

  /** There may be something to send. */
  wake(): void {
    if (this.#isStopped) return
    if (this.#looking !== undefined) {
      this.#lookAgain = true
      return
    }
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined
      if (!this.#lookAgain) return
      this.#lookAgain = false
      this.wake()
    })
  }

  /** Lets calls end that are under way, which takes seconds at most, so that what was taken is not sent again. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelTimer?.()
    await this.#looking
    await Promise.all(this.#running.values())
  }

  async #look(): Promise<void> {
    const { store, clock, log } = this.#options
    this.#cancelTimer?.()
    const free = (this.#failuresInRow > 0 ? 1 : webhookLimits.concurrency) - this.#running.size
    if (free <= 0) return
    const heldMs = this.#heldUntil - clock.now()
    if (heldMs > 0) return this.#wakeAfter(heldMs)
    let waiting: readonly DeliveryRow[]
    try {
      // Those under way are among the first.
      waiting = (await readNext(store.read, this.#webhook.name, free + this.#running.size + 1)).filter(({ id }) => !this.#running.has(id))
    } catch (error) {
      log.warn({ err: error, webhook: this.#webhook.name }, 'deliveries of a webhook cannot be read')
      return this.#wakeAfter(webhookLimits.storeRetryMs)
    }
    if (this.#isStopped) return
    const now = clock.now()
    for (const delivery of waiting.filter(({ next_try_at }) => (next_try_at ?? 0) <= now).slice(0, free)) this.#start(delivery)
    const next = waiting.find(({ id, next_try_at }) => !this.#running.has(id) && (next_try_at ?? 0) > now)
    if (next !== undefined) this.#wakeAfter((next.next_try_at ?? now) - now)
  }

  #wakeAfter(delayMs: number): void {
    this.#cancelTimer?.()
    if (!this.#isStopped) this.#cancelTimer = this.#options.timers.after(Math.min(delayMs, maxTimerMs), () => this.wake())
  }

  #start(delivery: DeliveryRow): void {
    const { clock, log } = this.#options
    const work = this.#deliver(delivery).then(
      () => {
        this.#running.delete(delivery.id)
        this.wake()
      },
      (error: unknown) => {
        this.#running.delete(delivery.id)
        // What became of it is not written down, so it will be sent again; not at once, or it would be sent without end.
        log.warn({ err: error, webhook: this.#webhook.name }, 'outcome of a delivery cannot be kept')
        this.#heldUntil = clock.now() + webhookLimits.storeRetryMs
        this.wake()
      },
    )
    this.#running.set(delivery.id, work)
  }

  async #deliver(delivery: DeliveryRow): Promise<void> {
    const { store, outgoing, clock, onDone } = this.#options
    if (this.#failuresInRow > 0 && clock.now() - delivery.created_at > webhookLimits.giveUpAfterMs) {
      await this.#record(delivery, this.#unsent(delivery, 'the receiver took nothing while this waited'))
      return onDone()
    }
    const event = await readEvent(store.read, delivery.event_id)
    if (event === undefined) {
      await this.#record(delivery, this.#unsent(delivery, 'the event is not in the log any more'))
      return onDone()
    }
    const result = await sendMessage(outgoing, this.#destination, messageOf(event, this.#webhook), clock.now())
    this.#note(result)
    const outcome = this.#outcomeOf(delivery, result)
    await this.#record(delivery, outcome)
    if (outcome.state !== 'pending') onDone()
  }

  /** A receiver that fails is asked less and less often, and one thing at a time. */
  #note({ delivered }: TryResult): void {
    const { firstHoldMs, maxHoldMs } = webhookLimits
    this.#failuresInRow = delivered ? 0 : this.#failuresInRow + 1
    this.#heldUntil = delivered ? 0 : this.#options.clock.now() + Math.min(firstHoldMs * 2 ** (this.#failuresInRow - 1), maxHoldMs)
  }

  #unsent({ tries }: DeliveryRow, detail: string): DeliveryOutcome {
    return { state: 'givenUp', tries, status: null, detail, updated_at: this.#options.clock.now(), next_try_at: null }
  }

  #outcomeOf({ tries: before, created_at }: DeliveryRow, { delivered, status, detail, retryAfterMs }: TryResult): DeliveryOutcome {
    const now = this.#options.clock.now()
    const tries = before + 1
    const next_try_at = delivered ? null : nextTryAt({ tries, createdAt: created_at, now, retryAfterMs, random: this.#options.random() })
    return { state: delivered ? 'delivered' : next_try_at === null ? 'givenUp' : 'pending', tries, status, detail, updated_at: now, next_try_at }
  }

  async #record(delivery: DeliveryRow, outcome: DeliveryOutcome): Promise<void> {
    const { store, events, metrics, mayTellGivenUp } = this.#options
    const { name } = this.#webhook
    await store.transaction(async (tx) => {
      const isRecorded = await recordOutcome(tx, delivery.id, outcome)
      if (isRecorded) tx.afterCommit(() => metrics.count(outcome.state, 1))
      // That such an event was not taken is no event: webhooks that tell each other of their failures would never end.
      if (!isRecorded || outcome.state !== 'givenUp' || delivery.event_kind === 'webhook.givenUp' || !mayTellGivenUp()) return
      await events.append(tx, {
        kind: 'webhook.givenUp',
        actor: 'system',
        subject: name,
        summary: `The webhook ${name} did not take event ${delivery.event_id} (${delivery.event_kind}), which is given up after ${outcome.tries} tries: ${outcome.detail}`,
        data: { deliveryId: delivery.id, eventId: delivery.event_id, eventKind: delivery.event_kind, tries: outcome.tries, detail: outcome.detail },
      })
    })
  }
}
