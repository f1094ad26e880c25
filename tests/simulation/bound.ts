/** How long after the last fault every rollout must have ended, with somebody who looks after what is paused every ten minutes. */
import { planOf } from './desired.ts'
import type { Scenario } from './scenario.ts'

const hourMs = 3_600_000
const minuteMs = 60_000
/** How long a window is open each day, at least. */
const openMs = 3 * hourMs

export function boundMs(scenario: Scenario): number {
  // A clock that was put back by two hours stands still for them.
  return scenario.groups.reduce((sum, name) => sum + boundOf(scenario, planOf(scenario, name)), 6 * hourMs)
}

function boundOf({ agents, acts }: Scenario, { waves, concurrency, soakMs, retries, times, schedule }: ReturnType<typeof planOf>): number {
  const fleet = agents + acts.length + 50
  const batches = waves.some(({ kind }) => kind === 'growing') ? 4 + Math.ceil(fleet / 100) : waves.length + 1
  // Whoever goes back has three tries, or more.
  const answerMs = (Math.max(2, retries.count) + 1) * (2 * times.applyTimeoutMs + retries.delayMs)
  // As if nobody ever answered.
  const workMs = batches * (soakMs + times.patienceMs + 3 * 10 * minuteMs) + (batches + Math.ceil(fleet / concurrency)) * answerMs
  if (schedule.windows.length === 0) return workMs
  return 24 * hourMs * (1 + Math.ceil(workMs / openMs))
}
