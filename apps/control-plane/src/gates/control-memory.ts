/** How agents of control groups were when their wave began: an agent that did not get the change has no other "before". */
import type { FleetForRollouts, GateMember, GateQuestion } from '../seams.ts'

export interface AgentState {
  readonly healthy: boolean | null
  readonly drifted: boolean | null
}

/** What is known of an agent now; one that is not connected says nothing about now. */
export function stateNow(fleet: Pick<FleetForRollouts, 'agent'>, id: string): AgentState {
  const agent = fleet.agent(id)
  return agent === undefined || agent.offlineSince !== null ? { healthy: null, drifted: null } : { healthy: agent.healthy, drifted: agent.drifted }
}

export interface ControlMemory {
  /**
   * The control group as it was when the wave was asked about first, or, of agents that were in the control group of the wave before,
   * when that one was asked about last. To be called at each question. After a restart it begins anew.
   */
  statesBefore(question: GateQuestion, fleet: Pick<FleetForRollouts, 'agent'>): ReadonlyMap<string, AgentState>
}

interface Remembered {
  wave: number
  before: Map<string, AgentState>
  latest: Map<string, AgentState>
}

/** Rollouts that are over say nothing; the oldest is forgotten. */
const maxRollouts = 100

export function createControlMemory(): ControlMemory {
  const rollouts = new Map<string, Remembered>()
  return {
    statesBefore({ rollout, wave, control }, fleet) {
      const known = rollouts.get(rollout)
      const remembered = known ?? { wave, before: new Map(), latest: new Map() }
      if (remembered.wave !== wave) Object.assign(remembered, { wave, before: remembered.latest })
      remembered.latest = new Map(control.map(({ id }) => [id, stateNow(fleet, id)]))
      remembered.before = new Map(control.map((member) => [member.id, remembered.before.get(member.id) ?? toldBefore(member)]))
      rollouts.delete(rollout)
      rollouts.set(rollout, remembered)
      for (const oldest of rollouts.keys()) {
        if (rollouts.size <= maxRollouts) break
        rollouts.delete(oldest)
      }
      return remembered.before
    },
  }
}

function toldBefore({ before }: GateMember): AgentState {
  return { healthy: before.healthy, drifted: before.drifted }
}
