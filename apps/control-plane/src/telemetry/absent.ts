/** Why there is nothing of an agent's own metrics, for a person. */

/** How it stands with the destination that an agent was given for its own metrics. */
export interface OwnMetricsOffer {
  /** Whether it can take one: the capability ReportsOwnMetrics. */
  readonly canReport: boolean
  /** What its groups name: this server, something else, or nothing. */
  readonly destination: 'drover' | 'other' | null
  /** Of the offer; null: none was made yet. */
  readonly outcome: 'offered' | 'applied' | 'failed' | null
}

export function absentBecause({ canReport, destination, outcome }: OwnMetricsOffer): string {
  if (!canReport) return 'This agent cannot send its own metrics where it is told to: it does not have the capability ReportsOwnMetrics.'
  if (destination === null) return 'This agent was not told to send its own metrics anywhere: add own telemetry to one of its groups.'
  if (destination === 'other') return 'This agent sends its own metrics to another backend, as one of its groups says.'
  if (outcome === null) return 'This agent was not offered Drover as the destination of its own metrics yet.'
  if (outcome === 'failed') return 'This agent was offered Drover as the destination of its own metrics, and said that it could not take it.'
  return 'This agent was offered Drover as the destination of its own metrics, but nothing came so far: it may need a minute, or not reach this server at that address.'
}
