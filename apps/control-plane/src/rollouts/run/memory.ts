/** The rollouts that count now: of each group the newest that was started. What is in here is what was committed. */
import { memberTraits, revisionFor } from '@drover/fleet'
import type { GivenRevision, Standing } from '@drover/fleet'
import type { LiveRollout } from './live-rollout.ts'

export class RolloutMemory {
  readonly #byGroup = new Map<string, LiveRollout>()
  readonly #byId = new Map<string, LiveRollout>()
  /** Most agents are in a few. */
  readonly #byAgent = new Map<string, readonly LiveRollout[]>()

  all(): Iterable<LiveRollout> {
    return this.#byId.values()
  }

  find(id: string): LiveRollout | undefined {
    return this.#byId.get(id)
  }

  newestOf(group: string): LiveRollout | undefined {
    return this.#byGroup.get(group)
  }

  /** Those that the agent is a member of. */
  of(agent: string): readonly LiveRollout[] {
    return this.#byAgent.get(agent) ?? []
  }

  has(live: LiveRollout): boolean {
    return this.#byId.get(live.id) === live
  }

  /** It is the newest of its group from here on; the one before is let go. */
  add(live: LiveRollout): void {
    this.removeGroup(live.group)
    this.#byGroup.set(live.group, live)
    this.#byId.set(live.id, live)
    for (const agent of live.entries.keys()) this.joined(live, agent)
  }

  removeGroup(group: string): void {
    const live = this.#byGroup.get(group)
    if (live === undefined) return
    this.#byGroup.delete(group)
    this.#byId.delete(live.id)
    live.cancelAlarms()
    for (const agent of live.entries.keys()) this.left(live, agent)
    live.announce()
  }

  joined(live: LiveRollout, agent: string): void {
    const known = this.#byAgent.get(agent)
    if (known?.includes(live) !== true) this.#byAgent.set(agent, [...(known ?? []), live])
  }

  left(live: LiveRollout, agent: string): void {
    const rest = this.of(agent).filter((one) => one !== live)
    if (rest.length === 0) this.#byAgent.delete(agent)
    else this.#byAgent.set(agent, rest)
  }

  revisionFor(group: string, current: number | null, agent: string): GivenRevision {
    const live = this.#byGroup.get(group)
    return revisionFor(current, live?.rollout ?? null, live?.entries.get(agent)?.member ?? null)
  }

  /** Whether it is a member of an older rollout that is not over. */
  isBusy(live: LiveRollout, agent: string): boolean {
    return this.of(agent).some((other) => other !== live && !other.isOver && other.seq < live.seq)
  }

  /** What the rollout is to the agent now. */
  standingOf(live: LiveRollout, agent: string): Standing {
    if (!live.isOver) return 'underWay'
    for (const other of this.of(agent)) {
      const state = other === live || other.isOver ? undefined : other.entries.get(agent)?.member.state
      if (state !== undefined && memberTraits[state].side !== 'before') return 'elsewhere'
    }
    return 'over'
  }

  /** Rollouts of other groups that are not over and have some of these agents. */
  over(group: string, agents: Iterable<string>): readonly LiveRollout[] {
    const candidates = new Set([...this.all()].filter((live) => live.group !== group && !live.isOver))
    const found = new Set<LiveRollout>()
    if (candidates.size === 0) return []
    for (const agent of agents) {
      for (const live of this.of(agent)) if (candidates.has(live)) found.add(live)
      if (found.size === candidates.size) break
    }
    return [...found].toSorted((a, b) => a.seq - b.seq)
  }
}
