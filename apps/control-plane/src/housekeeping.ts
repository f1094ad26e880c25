/** Expired credentials are cut every minute, what is over goes every hour: a quiet server leaves its store alone. */
import type { Logger } from 'pino'
import type { Access } from './access/index.ts'
import type { EventLog } from './events/event-log.ts'
import type { Idempotency } from './http/idempotency.ts'
import type { RolloutsPart } from './rollouts/index.ts'
import type { AgentsPart } from './seams.ts'
import type { BlobStore } from './storage/blob-store.ts'
import type { Store } from './storage/store.ts'
import type { Webhooks } from './webhooks/index.ts'

export interface HousekeepingOptions {
  readonly access: Pick<Access, 'cutExpired' | 'prune'>
  readonly events: Pick<EventLog, 'prune'>
  readonly idempotency: Pick<Idempotency, 'prune'>
  readonly agents: Pick<AgentsPart, 'prune'>
  readonly rollouts: Pick<RolloutsPart, 'prune'>
  readonly webhooks: Pick<Webhooks, 'prune'>
  readonly store: Pick<Store, 'transaction'>
  readonly blobs: Pick<BlobStore, 'prune'>
  readonly log: Logger
}

const INTERVAL_MS = 60_000
const ROUNDS_PER_PRUNE = 60

export function startHousekeeping({ access, events, idempotency, agents, rollouts, webhooks, store, blobs, log }: HousekeepingOptions): AsyncDisposable {
  let round = 0
  let running: Promise<void> = Promise.resolve()
  const tidy = async (): Promise<void> => {
    try {
      access.cutExpired()
      if (++round % ROUNDS_PER_PRUNE !== 0) return
      await access.prune()
      await events.prune()
      await idempotency.prune()
      await agents.prune()
      await rollouts.prune()
      await webhooks.prune()
      await store.transaction((tx) => blobs.prune(tx))
    } catch (error) {
      log.warn({ err: error }, 'housekeeping failed')
    }
  }
  const timer = setInterval(() => {
    running = running.then(tidy)
  }, INTERVAL_MS).unref()
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await running
    },
  }
}
