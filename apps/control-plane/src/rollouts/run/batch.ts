/** What a turn works on: taken out of the rollout's lists, and given back when the turn could not be committed. */
import { restoreMember, retriable, retriesDue } from '@drover/fleet'
import type { RolloutEvent } from '@drover/fleet'
import type { LiveRollout, SweepWork } from './live-rollout.ts'

export interface Batch {
  readonly agents: readonly string[]
  readonly regrouped: ReadonlySet<string>
  readonly events: readonly RolloutEvent[]
  readonly sweep: { readonly no: number; readonly agents: readonly string[]; readonly isLast: boolean } | null
  /** Of those that are tried again: the agents part knows of it. */
  readonly allowed: ReadonlySet<string>
}

/** Agents looked at, swept or released in one turn: what deciding for them takes, of which nobody else gets anything, stays far below 10 ms. */
export const agentsPerTurn = 100

export function takeBatch(live: LiveRollout): Omit<Batch, 'allowed'> {
  const agents: string[] = []
  const regrouped = new Set<string>()
  for (const agent of live.changed) {
    if (agents.length >= agentsPerTurn) break
    agents.push(agent)
    live.changed.delete(agent)
    if (live.regrouped.delete(agent)) regrouped.add(agent)
  }
  return { agents, regrouped, events: live.inbox.splice(0), sweep: takeSweep(live) }
}

export function giveBack(live: LiveRollout, { agents, regrouped, events }: Omit<Batch, 'allowed'>): void {
  for (const agent of agents) live.changed.add(agent)
  for (const agent of regrouped) live.regrouped.add(agent)
  live.inbox.unshift(...events)
}

/** The next agents of a sweep; what a turn did to them is counted when it is committed. */
function takeSweep(live: LiveRollout): Batch['sweep'] {
  const { sweep } = live.rollout
  if (sweep === null) {
    live.sweep = null
    return null
  }
  if (live.sweep?.no !== sweep.no) live.sweep = startSweep(live, sweep.no)
  const { no, agents, done } = live.sweep
  const room = sweep.kind === 'retry' ? Math.min(agentsPerTurn, retriesDue(live.plan, live.rollout)) : agentsPerTurn
  const next = live.isSweepHeld ? [] : agents.slice(done, done + room)
  return { no, agents: next, isLast: done + next.length === agents.length }
}

function startSweep({ entries, rollout }: LiveRollout, no: number): SweepWork {
  const agents: string[] = []
  for (const { member } of entries.values()) {
    const isConcerned = rollout.sweep?.kind === 'restore' ? restoreMember(member, rollout.from, null, 0) !== member : retriable.includes(member.state)
    if (isConcerned) agents.push(member.agent)
  }
  return { no, agents, done: 0 }
}

/** Whether a turn would find something to do without hearing anything more. */
export function hasWork(live: LiveRollout, releasesDue: boolean): boolean {
  return live.changed.size > 0 || live.inbox.length > 0 || releasesDue || hasSweepWork(live)
}

function hasSweepWork(live: LiveRollout): boolean {
  const { sweep } = live.rollout
  if (sweep === null || live.isSweepHeld) return false
  const isDone = live.sweep?.no === sweep.no && live.sweep.done === live.sweep.agents.length
  return isDone || live.sweep?.no !== sweep.no || sweep.kind === 'restore' || retriesDue(live.plan, live.rollout) > 0
}
