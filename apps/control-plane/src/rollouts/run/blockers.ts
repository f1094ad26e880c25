/** Rollouts that have to end first: older ones of other groups over some of the same agents. */
import type { LiveRollout } from './live-rollout.ts'
import type { RolloutMemory } from './memory.ts'

const prefix = 'the rollout of '

/** As the engine names it in its sentences. A group has at most one that is not over. */
export function blockerName(group: string): string {
  return `${prefix}${group}`
}

/** Of a rollout that waits, those that are still there. */
export function blockersOf(memory: RolloutMemory, { rollout, seq }: Pick<LiveRollout, 'rollout' | 'seq'>): readonly LiveRollout[] {
  return rollout.blockers.flatMap((name) => {
    const live = memory.newestOf(name.slice(prefix.length))
    return live === undefined || live.isOver || live.seq > seq ? [] : [live]
  })
}

/** Those that still have some of the same agents, as the engine is told of them; undefined: they are the same as before. */
export function remainingBlockers(memory: RolloutMemory, live: LiveRollout): readonly string[] | undefined {
  if (live.isOver || live.rollout.blockers.length === 0) return undefined
  const names = blockersOf(memory, live)
    .filter((other) => haveCommon(other, live))
    .map(({ group }) => blockerName(group))
  return names.length === live.rollout.blockers.length ? undefined : names
}

function haveCommon(a: LiveRollout, b: LiveRollout): boolean {
  const [few, many] = a.entries.size < b.entries.size ? [a, b] : [b, a]
  for (const agent of few.entries.keys()) if (many.entries.has(agent)) return true
  return false
}
