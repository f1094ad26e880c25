/** Outgoing webhooks: events as signed calls, at least once, tried again until they are taken. */
import type { Registry as MetricRegister } from '@prometheus-io/client'
import type { Logger } from 'pino'
import type { EventLog } from '../events/event-log.ts'
import type { BindRoute } from '../http/bind-route.ts'
import type { Outgoing } from '../outgoing/index.ts'
import type { Clock, Sealer } from '../seams.ts'
import type { Store } from '../storage/store.ts'
import { createWebhookMetrics } from './metrics.ts'
import { Registry } from './registry.ts'
import { bindWebhookRoutes } from './routes.ts'
import { pruneDeliveries } from './store.ts'
import { createTimers } from './timers.ts'
import type { TimerSource } from './timers.ts'

export interface WebhooksOptions {
  readonly store: Store
  readonly events: EventLog
  readonly sealer: Sealer
  readonly outgoing: Pick<Outgoing, 'send' | 'refusalOf'>
  readonly clock: Clock
  readonly metrics: MetricRegister
  readonly log: Pick<Logger, 'warn'>
  /** For tests: when retries come. */
  readonly timers?: TimerSource
  readonly random?: () => number
  readonly maxPending?: number
}

export interface Webhooks extends AsyncDisposable {
  bindRoutes(bind: BindRoute): void
  /** From here on events are sent. @throws {StoreUnusableError} when a signing secret cannot be opened. */
  start(): Promise<void>
  /** Of the webhook with this address, for gates that ask the same receiver; undefined: there is none. */
  signingSecret(url: string): string | undefined
  /** Lets go of old deliveries, and writes down how far the log of events was read. */
  prune(): Promise<void>
}

export function createWebhooks({ timers, random = Math.random, metrics: register, ...rest }: WebhooksOptions): Webhooks {
  const options = { ...rest, metrics: createWebhookMetrics(register) }
  const { store, clock, log } = options
  const registry = new Registry({ ...options, random, timers: createTimers(timers) })

  async function prune(): Promise<void> {
    await registry.saveCursors()
    const names = registry.names()
    if (names.length > 0) await store.transaction((tx) => pruneDeliveries(tx, names, clock.now()))
  }

  return {
    bindRoutes: (bind) => bindWebhookRoutes(bind, { ...options, registry }),
    start: () => registry.start(),
    signingSecret: (url) => registry.destinations().find((destination) => destination.url === url)?.secret,
    prune,
    async [Symbol.asyncDispose]() {
      await registry.saveCursors().catch((error: unknown) => log.warn({ err: error }, 'how far webhooks have read cannot be kept'))
      await registry.stop()
    },
  }
}
