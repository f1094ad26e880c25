/** Metrics of the fleet and of the messages it sends. */
import { AttemptState } from '@drover/api'
import type { ServerObserver } from '@drover/server'
import { Counter, Gauge, Histogram } from '@prometheus-io/client'
import type { Registry as MetricsRegistry } from '@prometheus-io/client'
import type { Registry } from './registry.ts'

export interface AgentMetrics {
  readonly offers: Counter<'reason'>
  readonly settingsOffers: Counter
  readonly attempts: Counter<'status'>
}

export function createAgentMetrics(metrics: MetricsRegistry, registry: Registry): AgentMetrics {
  const registers = [metrics]
  const gauge = (name: string, help: string, read: () => number) => {
    const own: Gauge = new Gauge({ name, help, registers, collect: () => own.set(read()) })
  }
  gauge('drover_agents', 'Agents known', () => registry.counts().total)
  gauge('drover_connected_agents', 'Agents with an open connection', () => registry.counts().connected)
  gauge('drover_stale_agents', 'Agents not heard from for two and a half heartbeats', () => registry.counts().stale)
  gauge('drover_unhealthy_agents', 'Agents whose last report says unhealthy', () => registry.counts().unhealthy)
  const offers = new Counter({ name: 'drover_offers_total', help: 'Configurations offered to agents', labelNames: ['reason'] as const, registers })
  const settingsOffers = new Counter({ name: 'drover_settings_offers_total', help: 'Connection settings offered to agents', registers })
  const attempts = new Counter({
    name: 'drover_attempts_total',
    help: 'Attempts of agents to apply a configuration, by the status they reached',
    labelNames: ['status'] as const,
    registers,
  })
  // Present from the start, so that a rate is there when the first one happens.
  for (const reason of ['desired', 'restore', 'retry']) offers.inc({ reason }, 0)
  for (const status of AttemptState.options) attempts.inc({ status }, 0)
  return { offers, settingsOffers, attempts }
}

/** For the OpAMP server: counts every message, heartbeats too, so it only adds to numbers. */
export function createMessageMetrics(metrics: MetricsRegistry): ServerObserver {
  const registers = [metrics]
  const reports = new Counter({ name: 'drover_reports_total', help: 'Messages from agents', labelNames: ['transport', 'kind'] as const, registers })
  const received = new Counter({ name: 'drover_received_bytes_total', help: 'Bytes of messages from agents, uncompressed', registers })
  const sent = new Counter({ name: 'drover_sent_messages_total', help: 'Messages to agents', labelNames: ['transport', 'kind'] as const, registers })
  const refused = new Counter({ name: 'drover_refused_total', help: 'What agents sent and the server turned away', labelNames: ['cause'] as const, registers })
  const dropped = new Counter({
    name: 'drover_dropped_offers_total',
    help: 'Parts of offers that were too large to send',
    labelNames: ['slot'] as const,
    registers,
  })
  const duration = new Histogram({
    name: 'drover_message_duration_seconds',
    help: 'From a whole message to its answer',
    labelNames: ['kind'] as const,
    buckets: [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5],
    registers,
  })
  return {
    received: ({ transport, kind, bytes, durationMs }) => {
      reports.inc({ transport, kind })
      received.inc(bytes)
      duration.observe({ kind }, durationMs / 1000)
    },
    sent: ({ transport, kind }) => sent.inc({ transport, kind }),
    refused: (cause) => refused.inc({ cause }),
    droppedForSize: ({ slot }) => dropped.inc({ slot }),
  }
}
