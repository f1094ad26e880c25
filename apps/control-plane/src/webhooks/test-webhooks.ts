/** The webhooks part with its routes on a real socket, over a real store and log of events, with time in the test's hands. */
import { createApiClient } from '@drover/api'
import type { ApiClient, EventKind } from '@drover/api'
import { FakeClock } from '@drover/testing'
import { Registry } from '@prometheus-io/client'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { parseAllowedTargets } from '../config/allowed-targets.ts'
import { openEventLog } from '../events/event-log.ts'
import type { EventLog } from '../events/event-log.ts'
import { createConsoleServer } from '../http/console-server.ts'
import { createIdempotency } from '../http/idempotency.ts'
import { createOutgoing } from '../outgoing/index.ts'
import { createSealer } from '../storage/sealer.ts'
import type { Store } from '../storage/store.ts'
import { openTestStore } from '../storage/test-store.ts'
import type { TestStore } from '../storage/test-store.ts'
import { createWebhooks } from './index.ts'
import type { Webhooks, WebhooksOptions } from './index.ts'

export interface TestWebhooks extends AsyncDisposable {
  readonly test: TestStore
  readonly clock: FakeClock
  readonly events: EventLog
  readonly api: ApiClient
  /** The part that runs now. */
  readonly webhooks: Webhooks
  /** Puts events into the log, in one commit; returns the id of the last. */
  append(...kinds: readonly EventKind[]): Promise<number>
  /** As `/metrics` shows them; of the part that runs. */
  metrics(): Promise<string>
  /** Looks now and after each commit, until there is something. */
  until<T>(look: () => Promise<T | undefined | false>): Promise<T>
  /** The program dies: nothing more is written or sent by the part that ran, and another one begins on the same data. */
  killAndRestart(): Promise<void>
}

export async function startTestWebhooks(options: Partial<Pick<WebhooksOptions, 'maxPending' | 'outgoing'>> = {}): Promise<TestWebhooks> {
  const test = openTestStore()
  const clock = new FakeClock()
  const [store, onCommit] = watchCommits(test.store)
  const events = await openEventLog({ store, clock })
  const outgoing = createOutgoing({ allowed: parseAllowedTargets('127.0.0.1'), timeoutMs: 2_000 })
  let metrics = new Registry()
  const parts = { store, events, sealer: createSealer('s'.repeat(64)), outgoing, clock, log: pino({ level: 'silent' }), timers: clock, ...options }
  const begin = () => createMortal({ ...parts, metrics: (metrics = new Registry()) })
  let running = begin()
  const server = await serve(running.part, store, clock)
  await running.part.start()
  return {
    test,
    clock,
    events,
    api: createApiClient({ baseUrl: server.url, headers: () => ({ authorization: 'Bearer x' }) }),
    get webhooks() {
      return running.part
    },
    metrics: () => metrics.metrics(),
    async append(...kinds) {
      await store.transaction((tx) =>
        events.appendAll(
          tx,
          kinds.map((kind) => ({ kind, actor: 'system', subject: 'rol_1', summary: `something about ${kind}`, data: { wave: 1 } })),
        ),
      )
      return events.lastId()
    },
    async until(look) {
      for (;;) {
        const changed = onCommit()
        const found = await look()
        if (found !== undefined && found !== false) return found
        await changed
      }
    },
    async killAndRestart() {
      running.kill()
      running = begin()
      await running.part.start()
    },
    async [Symbol.asyncDispose]() {
      await running.part[Symbol.asyncDispose]()
      await server.stop()
      await test[Symbol.asyncDispose]()
    },
  }
}

/** A part that can die: from then on it writes nothing. */
function createMortal(options: WebhooksOptions): { readonly part: Webhooks; kill(): void } {
  let isDead = false
  const store: Store = { ...bindStore(options.store), transaction: (work) => (isDead ? new Promise<never>(() => {}) : options.store.transaction(work)) }
  return { part: createWebhooks({ ...options, store, random: () => 0.5 }), kill: () => void (isDead = true) }
}

/** The routes, on a real socket. */
async function serve(part: Webhooks, store: Store, clock: FakeClock): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const server = createConsoleServer({
    listenHost: '127.0.0.1',
    authenticate: async () => ({ caller: { kind: 'token', name: 'ada', access: 'write', id: 'api_1' } }),
    idempotency: createIdempotency(store, clock),
    log: pino({ level: 'silent' }),
    checkAnswers: true,
  })
  part.bindRoutes(server.bind)
  await server.app.ready()
  server.app.server.listen(0, '127.0.0.1')
  await once(server.app.server, 'listening')
  const { port } = server.app.server.address() as AddressInfo // as: it listens on TCP
  return { url: `http://127.0.0.1:${port}`, stop: () => server.stop(1_000) }
}

/** The store, and a promise for the next commit. */
function watchCommits(store: Store): readonly [store: Store, onCommit: () => Promise<void>] {
  let next = Promise.withResolvers<void>()
  const transaction: Store['transaction'] = async (work) => {
    const result = await store.transaction(work)
    next.resolve()
    next = Promise.withResolvers()
    return result
  }
  return [{ ...bindStore(store), transaction }, () => next.promise]
}

function bindStore(store: Store): Store {
  return {
    read: store.read,
    schemaVersion: store.schemaVersion,
    transaction: (work) => store.transaction(work),
    state: () => store.state(),
    bytes: () => store.bytes(),
    close: () => store.close(),
  }
}
