/** Metrics of outgoing webhooks. */
import { Counter } from '@prometheus-io/client'
import type { Registry } from '@prometheus-io/client'
import type { DeliveryOutcome } from './store.ts'

type DeliveryState = DeliveryOutcome['state']

/** delivered: the receiver took it. failed: it did not, and is tried again. givenUp: it is not tried any more. */
const results: Readonly<Record<DeliveryState, string>> = { delivered: 'delivered', pending: 'failed', givenUp: 'givenUp' }

export interface WebhookMetrics {
  /** What became of so many deliveries, by the state that they are in now. */
  count(state: DeliveryState, deliveries: number): void
}

export function createWebhookMetrics(metrics: Registry): WebhookMetrics {
  const deliveries = new Counter({
    name: 'drover_webhook_deliveries_total',
    help: 'Tries to deliver an event to a webhook, and deliveries that were given up, by what became of them',
    labelNames: ['result'] as const,
    registers: [metrics],
  })
  // Present from the start, so that a rate is there when the first one happens.
  for (const result of Object.values(results)) deliveries.inc({ result }, 0)
  return { count: (state, number) => deliveries.inc({ result: results[state] }, number) }
}
