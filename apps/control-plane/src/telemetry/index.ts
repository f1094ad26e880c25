/** The agents' own telemetry: intake, store, evidence for gates, and what people read of it. */
import { redactText } from '@drover/agent-config'
import type { Registry } from '@prometheus-io/client'
import type { Logger } from 'pino'
import type { BindRoute } from '../http/bind-route.ts'
import type { Clock, TelemetryEvidence } from '../seams.ts'
import type { OwnMetricsOffer } from './absent.ts'
import { FleetSums } from './fleet-sums.ts'
import { createForward } from './forward.ts'
import type { Post } from './forward.ts'
import { createTelemetryIntake } from './intake/intake.ts'
import type { TelemetryIntake } from './intake/intake.ts'
import { logLimits } from './limits.ts'
import { createTelemetryMeasures } from './measures.ts'
import { OwnLogs } from './own-logs.ts'
import { createEvidence } from './queries.ts'
import { bindTelemetryRoutes } from './routes.ts'
import { createSink } from './sink.ts'
import { openStoreFiles } from './store/files.ts'
import { MetricStore } from './store/metric-store.ts'

export type { OwnMetricsOffer } from './absent.ts'
export type { Post } from './forward.ts'
export type { TelemetryIntake } from './intake/intake.ts'

export interface TelemetryOptions {
  /** Folder of its own, made when it is not there. */
  readonly dir: string
  readonly budgetBytes: number
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Registry
  /** Whose telemetry token this is; undefined: no agent's that is known. */
  readonly agentOf: (token: string) => string | undefined
  /** Undefined: there is no such agent. */
  readonly offerOf: (agentId: string) => OwnMetricsOffer | undefined
  /** Takes secrets out of log lines; default: by form and by name. */
  readonly redact?: (text: string) => string
  /** One more backend that gets everything. */
  readonly forward?: { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly post: Post }
}

export interface Telemetry extends AsyncDisposable {
  readonly intake: TelemetryIntake
  readonly evidence: TelemetryEvidence
  bindRoutes(bind: BindRoute): void
}

/** How long points may be in memory alone. */
const TICK_MS = 1_000
const TICKS_PER_PRUNE = 600

/** Disposing it stops the intake and hands what was accepted to the system. */
export async function openTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { clock, log, metrics } = options
  const now = () => clock.now()
  const store = await MetricStore.open({ files: await openStoreFiles(options.dir), budgetBytes: options.budgetBytes, nowMs: now(), log })
  const logs = new OwnLogs(logLimits, options.redact ?? redactText)
  const measures = createTelemetryMeasures(metrics, {
    storeBytes: () => store.status().bytes,
    logBytes: () => logs.bytes,
    inFlightBytes: () => intake.inFlightBytes,
    agents: () => sink.activeAgents(),
  })
  const forward = options.forward === undefined ? undefined : createForward({ ...options.forward, count: measures.forwarded, log })
  const sink = createSink({ store, logs, measures, now, ...(forward === undefined ? {} : { forward }) })
  const intake = createTelemetryIntake({ sink, agentOf: options.agentOf, observer: measures, clock, log })
  const upkeep = startUpkeep(store, now, () => {
    intake.prune()
    sink.prune()
    logs.expire(now())
  })
  return {
    intake,
    evidence: createEvidence(store, now),
    bindRoutes: (bind) =>
      bindTelemetryRoutes(bind, {
        store,
        logs,
        now,
        offerOf: options.offerOf,
        lastHeardMs: (agentId) => sink.lastHeardMs(agentId),
        activeAgents: () => sink.activeAgents(),
        spans: () => sink.spans(),
        refused: () => measures.refusedByCause(),
      }),
    async [Symbol.asyncDispose]() {
      intake.stop()
      await upkeep[Symbol.asyncDispose]()
      await forward?.[Symbol.asyncDispose]()
      await store.close()
    },
  }
}

function startUpkeep(store: MetricStore, now: () => number, prune: () => void): AsyncDisposable {
  const fleet = new FleetSums(store)
  let ticks = 0
  let running: Promise<void> | undefined
  const timer = setInterval(() => {
    if (++ticks % TICKS_PER_PRUNE === 0) prune()
    fleet.tick(now())
    running ??= store.tick(now()).finally(() => {
      running = undefined
    })
  }, TICK_MS).unref()
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await running
    },
  }
}
