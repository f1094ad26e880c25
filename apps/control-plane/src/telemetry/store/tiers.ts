/** In which steps, and for how long, points are kept. */

export interface Tier {
  readonly name: '10s' | '1m' | '15m'
  readonly stepMs: number
  /** What one file holds. */
  readonly windowMs: number
  readonly plannedMs: number
}

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** From the finest; a window of each is made of whole windows of the one before. */
export const tiers: readonly [Tier, Tier, Tier] = [
  { name: '10s', stepMs: 10 * second, windowMs: 5 * minute, plannedMs: hour },
  { name: '1m', stepMs: minute, windowMs: hour, plannedMs: 7 * day },
  { name: '15m', stepMs: 15 * minute, windowMs: day, plannedMs: 90 * day },
]

export const finest: Tier = tiers[0]

export const slotsOf = (tier: Tier): number => tier.windowMs / tier.stepMs

export const startOf = (timeMs: number, lengthMs: number): number => Math.floor(timeMs / lengthMs) * lengthMs
