/** What the polls of one uid over plain HTTP tell: how often it comes, and whether two agents take turns with it. Pure. */

interface Run {
  /** Sequence number of its latest report. */
  readonly last: bigint
  readonly atMs: number
}

export interface PollHistory {
  /** Consecutive reports, the latest run of numbers. */
  readonly current: Run | undefined
  /** The run that the current one broke into. */
  readonly previous: Run | undefined
  /** A run that turned out to be a second agent. */
  readonly intruder: Run | undefined
  /** Between the latest two consecutive reports. */
  readonly pauseMs: number
  /** How often the agent comes, as far as two pauses tell: the shorter, so that one outage is not taken for a habit. */
  readonly intervalMs: number
}

export const newPollHistory: PollHistory = { current: undefined, previous: undefined, intruder: undefined, pauseMs: 0, intervalMs: 0 }

/** An agent that polls less often than this cannot be told from one that is gone, and a run of numbers this old is over. */
const maxIntervalMs = 3_600_000

/**
 * One agent counts up by one, or starts again somewhere else and never comes back to its old numbers. So a number that
 * continues the run before the last shows two agents alive: the run in between is the newcomer's.
 */
export function notePoll(history: PollHistory, sequenceNum: bigint, nowMs: number): { readonly history: PollHistory; readonly isIntruder: boolean } {
  const { current, previous, intruder } = history
  const run: Run = { last: sequenceNum, atMs: nowMs }
  if (current === undefined || sequenceNum === current.last) return { history: { ...history, current: run }, isIntruder: false }
  if (follows(current, sequenceNum, nowMs)) {
    const pauseMs = nowMs - current.atMs
    return { history: { ...history, current: run, pauseMs, intervalMs: Math.min(pauseMs, history.pauseMs) }, isIntruder: false }
  }
  if (follows(intruder, sequenceNum, nowMs)) return { history: { ...history, intruder: undefined }, isIntruder: true }
  if (follows(previous, sequenceNum, nowMs)) return { history: { ...history, current: run, previous: undefined, intruder: current }, isIntruder: false }
  return { history: { ...history, current: run, previous: current }, isIntruder: false }
}

function follows(run: Run | undefined, sequenceNum: bigint, nowMs: number): boolean {
  return run !== undefined && sequenceNum === run.last + 1n && nowMs - run.atMs <= maxIntervalMs
}
