/** Where accepted requests go: counters become rows in the store, log records lines, and spans a number. */
import type { Forward } from './forward.ts'
import type { TelemetrySink } from './intake/intake.ts'
import { telemetryLimits } from './limits.ts'
import type { TelemetryMeasures } from './measures.ts'
import { AgentMeter } from './meter/agent-meter.ts'
import type { Encoding, OtlpSignal, PartialSuccess } from './otlp/answers.ts'
import { countSpans, readLogs, readMetrics } from './otlp/read-request.ts'
import type { OwnLogs } from './own-logs.ts'
import type { Written } from './store/open-windows.ts'

export interface SinkOptions {
  readonly store: { write(written: Written): void }
  readonly logs: OwnLogs
  readonly measures: Pick<TelemetryMeasures, 'rejected' | 'spans'>
  readonly now: () => number
  readonly forward?: Pick<Forward, 'push'>
}

export interface Sink extends TelemetrySink {
  /** Undefined: no metrics since this server was started. */
  lastHeardMs(agentId: string): number | undefined
  /** That sent metrics within five minutes. */
  activeAgents(): number
  /** Of all agents, since this server was started. */
  spans(): number
  /** Forgets the counters of agents that have been silent for a day. */
  prune(): void
}

const ACTIVE_MS = 5 * 60_000
const FORGET_MS = 24 * 60 * 60_000

export function createSink({ store, logs, measures, now, forward }: SinkOptions): Sink {
  const meters = new Map<string, AgentMeter>()
  let spans = 0

  function meterOf(agentId: string): AgentMeter {
    const known = meters.get(agentId)
    if (known !== undefined) return known
    const made = new AgentMeter(telemetryLimits)
    if (meters.size < telemetryLimits.maxAgents) meters.set(agentId, made)
    return made
  }

  function takeMetrics(agentId: string, body: Uint8Array, encoding: Encoding): number {
    const { row, rejected } = meterOf(agentId).take(readMetrics(body, encoding), now())
    if (row !== undefined) store.write({ agentId, atMs: now(), ...row })
    return rejected
  }

  function takeSpans(body: Uint8Array, encoding: Encoding): number {
    const count = countSpans(body, encoding)
    spans += count
    measures.spans(count)
    return 0
  }

  const takers: Readonly<Record<OtlpSignal, (agentId: string, body: Uint8Array, encoding: Encoding) => number>> = {
    metrics: takeMetrics,
    logs: (agentId, body, encoding) => logs.add(agentId, readLogs(body, encoding), now()),
    traces: (_agentId, body, encoding) => takeSpans(body, encoding),
  }

  return {
    take(signal, agentId, body, encoding): PartialSuccess | undefined {
      const rejected = takers[signal](agentId, body, encoding)
      forward?.push(signal, body, encoding)
      if (rejected === 0) return undefined
      measures.rejected(signal, rejected)
      return { rejected, message: `${rejected} ${what[signal]} left out: ${why[signal]}` }
    },
    lastHeardMs: (agentId) => {
      const heardMs = meters.get(agentId)?.lastHeardMs
      return heardMs === undefined || !Number.isFinite(heardMs) ? undefined : heardMs
    },
    activeAgents: () => {
      const since = now() - ACTIVE_MS
      let count = 0
      for (const { lastHeardMs } of meters.values()) if (lastHeardMs > since) count++
      return count
    },
    spans: () => spans,
    prune: () => {
      const before = now() - FORGET_MS
      for (const [agentId, { lastHeardMs }] of meters) if (lastHeardMs < before) meters.delete(agentId)
    },
  }
}

const what: Readonly<Record<OtlpSignal, string>> = { metrics: 'points were', logs: 'log records were', traces: 'spans were' }
const why: Readonly<Record<OtlpSignal, string>> = {
  metrics: `they are no numbers from 0 on, have no time, or this agent tells more than ${telemetryLimits.maxCounters} counters`,
  logs: 'a request may have only so many, and the newest were kept',
  traces: '',
}
