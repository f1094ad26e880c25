/** Rollouts as small as can be, by the real rule of what an agent gets. A test decides what happens to them. */
import { createRollout, revisionFor } from '@drover/fleet'
import type { GivenRevision, MemberState, Rollout, RolloutStateName } from '@drover/fleet'
import type { RolloutProgress, RolloutsForAgents } from '../seams.ts'

interface Started {
  rollout: Rollout
  readonly members: Map<string, { readonly holds: number | null; state: MemberState }>
}

export class TestRollouts implements RolloutsForAgents {
  readonly changed: string[] = []
  readonly forgotten: string[] = []
  /** As they were told, in order. */
  readonly memberships: { readonly agentId: string; readonly groups: readonly string[] }[] = []
  /** How often it was asked or told anything. */
  calls = 0
  readonly #started = new Map<string, Started>()

  revisionFor(group: string, current: number | null, agentId: string): GivenRevision {
    this.calls += 1
    const started = this.#started.get(group)
    return revisionFor(current, started?.rollout ?? null, started?.members.get(agentId) ?? null)
  }

  onAgentChanged(agentId: string): void {
    this.calls += 1
    this.changed.push(agentId)
  }

  onGroupsOfAgent(agentId: string, groups: readonly string[]): void {
    this.calls += 1
    this.memberships.push({ agentId, groups })
  }

  onAgentForgotten(agentId: string): void {
    this.calls += 1
    this.forgotten.push(agentId)
  }

  progressOf(group: string, agentId: string): RolloutProgress | undefined {
    this.calls += 1
    const started = this.#started.get(group)
    if (started === undefined) return undefined
    const { to, state } = started.rollout
    return { to, state, wave: 1, waves: 3, ownWave: started.members.has(agentId) ? 2 : null }
  }

  /** Nobody is released yet. `agents`: its members. */
  start(group: string, from: number | null, to: number, agents: Iterable<string>): void {
    const rollout = inState(createRollout({ id: `rol_${group}${to}`, group, from, to }), 'running')
    this.#started.set(group, { rollout, members: new Map(Array.from(agents, (id) => [id, { holds: from, state: 'pending' }])) })
  }

  move(group: string, agentId: string, state: MemberState): void {
    const member = this.#started.get(group)?.members.get(agentId)
    if (member === undefined) throw new Error(`${agentId} is no member of a rollout of ${group}`)
    member.state = state
  }

  to(group: string, state: RolloutStateName): void {
    const started = this.#started.get(group)
    if (started === undefined) throw new Error(`no rollout of ${group} was started`)
    started.rollout = inState(started.rollout, state)
  }

  end(group: string): void {
    this.#started.delete(group)
  }
}

function inState(rollout: Rollout, state: RolloutStateName): Rollout {
  return { ...rollout, state } as Rollout // as: of the rest only `from` and `to` matter here
}
