/** The server's own metrics about what agents send of theirs. */
import { Counter, Gauge } from '@prometheus-io/client'
import type { Registry } from '@prometheus-io/client'
import type { RefusalCause } from './intake/refusal.ts'
import { refusalStatus } from './intake/refusal.ts'
import type { OtlpSignal } from './otlp/answers.ts'

export interface TelemetryMeasures {
  readonly received: (signal: OtlpSignal, bytes: number) => void
  readonly refused: (cause: RefusalCause) => void
  readonly rejected: (signal: OtlpSignal, items: number) => void
  readonly spans: (count: number) => void
  readonly forwarded: (outcome: 'sent' | 'dropped' | 'refused') => void
  /** By cause, those that happened. */
  refusedByCause(): Record<string, number>
}

export interface TelemetryGauges {
  readonly storeBytes: () => number
  readonly logBytes: () => number
  readonly inFlightBytes: () => number
  readonly agents: () => number
}

const signals: readonly OtlpSignal[] = ['metrics', 'logs', 'traces']

export function createTelemetryMeasures(metrics: Registry, gauges: TelemetryGauges): TelemetryMeasures {
  const registers = [metrics]
  const requests = new Counter({
    name: 'drover_telemetry_requests_total',
    help: "Requests with agents' own telemetry",
    labelNames: ['signal'] as const,
    registers,
  })
  const bytes = new Counter({ name: 'drover_telemetry_received_bytes_total', help: "Bytes of agents' own telemetry, uncompressed", registers })
  const refused = new Counter({
    name: 'drover_telemetry_refused_total',
    help: "Requests with agents' own telemetry that were turned away",
    labelNames: ['cause'] as const,
    registers,
  })
  const rejected = new Counter({
    name: 'drover_telemetry_rejected_items_total',
    help: 'Points and log records of accepted requests that were left out',
    labelNames: ['signal'] as const,
    registers,
  })
  const spans = new Counter({ name: 'drover_telemetry_spans_total', help: "Spans of agents' own telemetry, which are only counted", registers })
  const forwarded = new Counter({
    name: 'drover_telemetry_forwarded_total',
    help: 'Requests copied to another backend, by what became of them',
    labelNames: ['outcome'] as const,
    registers,
  })
  const gauge = (name: string, help: string, read: () => number) => {
    const own: Gauge = new Gauge({ name, help, registers, collect: () => own.set(read()) })
  }
  gauge('drover_telemetry_store_bytes', "Size of the store of agents' own metrics", gauges.storeBytes)
  gauge('drover_telemetry_log_bytes', "Memory of agents' own log lines", gauges.logBytes)
  gauge('drover_telemetry_in_flight_bytes', 'Requests in memory', gauges.inFlightBytes)
  gauge('drover_telemetry_agents', 'Agents that sent metrics within five minutes', gauges.agents)
  const causes: Record<string, number> = {}
  for (const signal of signals) {
    requests.inc({ signal }, 0)
    rejected.inc({ signal }, 0)
  }
  for (const cause of Object.keys(refusalStatus)) refused.inc({ cause }, 0)
  return {
    received: (signal, count) => {
      requests.inc({ signal })
      bytes.inc(count)
    },
    refused: (cause) => {
      refused.inc({ cause })
      causes[cause] = (causes[cause] ?? 0) + 1
    },
    rejected: (signal, items) => rejected.inc({ signal }, items),
    spans: (count) => spans.inc(count),
    forwarded: (outcome) => forwarded.inc({ outcome }),
    refusedByCause: () => ({ ...causes }),
  }
}
