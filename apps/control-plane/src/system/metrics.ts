/** Metrics of the process and its store. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Registry, collectDefaultMetrics } from '@prometheus-io/client'
import type { OperationKind } from '../storage/sqlite-dialect.ts'
import type { Store } from '../storage/store.ts'

export interface SystemMetrics extends Disposable {
  readonly registry: Registry
  readonly countOperation: (kind: OperationKind) => void
  /** Once the store is open. */
  watchStore(store: Store): void
}

const NANOSECONDS = 1e9
const RESOLUTION_MS = 20

export function createSystemMetrics(): SystemMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const operations = new Counter({ name: 'drover_store_operations_total', help: 'Statements run by the store', labelNames: ['kind'] as const, registers })
  operations.inc({ kind: 'read' }, 0)
  operations.inc({ kind: 'write' }, 0)
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  registry.registerMetric(eventLoopDelay(delay))
  return {
    registry,
    countOperation: (kind) => operations.inc({ kind }),
    watchStore: (store) => {
      registry.registerMetric(gauge('drover_store_bytes', 'Size of the database with its log', () => store.bytes()))
      registry.registerMetric(
        gauge('drover_store_writable', '1 while the store can write, 0 while it is read-only', () => (store.state().state === 'ok' ? 1 : 0)),
      )
    },
    [Symbol.dispose]: () => {
      delay.disable()
      registry.clear()
    },
  }
}

function gauge(name: string, help: string, read: () => number): Gauge {
  return new Gauge({
    name,
    help,
    registers: [],
    collect() {
      this.set(read())
    },
  })
}

function eventLoopDelay(delay: ReturnType<typeof monitorEventLoopDelay>): Gauge<'quantile'> {
  return new Gauge({
    name: 'drover_event_loop_delay_seconds',
    help: 'How late timers ran since the last scrape',
    labelNames: ['quantile'] as const,
    registers: [],
    collect() {
      for (const quantile of [50, 99, 100]) this.set({ quantile: String(quantile / 100) }, delay.count === 0 ? 0 : lateness(delay.percentile(quantile)))
      delay.reset()
    },
  })
}

/** Node measures from one of its timers to the next, so that a loop in time shows the interval itself. */
function lateness(nanoseconds: number): number {
  return Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS / 1000)
}
