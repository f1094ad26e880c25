/** Metrics of the driver of rollouts. */
import { Histogram } from '@prometheus-io/client'
import type { Registry } from '@prometheus-io/client'
import { agentsPerTurn } from './batch.ts'

/** rules: deciding, during which nobody else gets the event loop. turn: with the transaction, and waiting for it. */
export type TurnPart = 'rules' | 'turn'

export interface RolloutMetrics {
  observe(part: TurnPart, durationMs: number): void
}

export function createRolloutMetrics(metrics: Registry): RolloutMetrics {
  const duration = new Histogram({
    name: 'drover_rollout_turn_seconds',
    help: `One turn of a rollout, in which up to ${agentsPerTurn} agents are looked at and as many released: deciding alone, and with the transaction`,
    labelNames: ['part'] as const,
    buckets: [0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers: [metrics],
  })
  return { observe: (part, durationMs) => duration.observe({ part }, durationMs / 1000) }
}
