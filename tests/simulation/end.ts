/** What must hold when all is quiet and everybody is connected: everybody has what they should. */
import { revisionFor } from '@drover/fleet'
import type { SimulatedAgent } from './agent.ts'
import { desiredConfig, desiredSettings } from './desired.ts'
import { broken } from './invariant.ts'
import { groupNames, type Scenario } from './scenario.ts'
import type { MemoryStore } from './store.ts'

type FailsForGood = (agent: SimulatedAgent, hash: string) => boolean

export function checkEnd(scenario: Scenario, store: MemoryStore, agents: ReadonlyMap<string, SimulatedAgent>, failsForGood: FailsForGood): void {
  for (const agent of agents.values()) {
    checkAgent(scenario, store, agent)
    checkBack(scenario, store, agent, failsForGood)
  }
}

/** Everybody has returned since anything failed that passes by itself: whoever can go back has. */
function checkBack(scenario: Scenario, { rows, groups }: MemoryStore, agent: SimulatedAgent, failsForGood: FailsForGood): void {
  const row = rows.get(agent.name)
  if (row === undefined || agent.isMute || agent.connection === 0) return
  const wanted = [desiredConfig(scenario, groups, row), desiredSettings(scenario, groups, row)].filter((hash) => hash !== null)
  if (wanted.some((hash) => failsForGood(agent, hash))) return
  for (const { name, rollout } of groups.values()) {
    const state = row.members[name]?.state
    if (state === 'restoring' || state === 'restoringAway' || state === 'restoreRetrying' || state === 'restoreFailed')
      broken('not-back', `${agent.name} is connected and could go back, and counts as ${state} in ${rollout?.id}`)
  }
}

function checkAgent(scenario: Scenario, { rows, groups }: MemoryStore, agent: SimulatedAgent): void {
  const row = rows.get(agent.name)
  if (row === undefined) return broken('lost-agent', `${agent.name} is missing`)
  for (const { name, rollout, current } of groups.values()) {
    const member = row.members[name]
    if (member?.state === 'away' && rollout?.state === 'completed' && agent.connection !== 0) broken('away', `${agent.name} is connected, and counts as away`)
    const { revision } = revisionFor(current, rollout, member ?? null)
    if (rollout?.state === 'rolledBack' && revision !== rollout.from) broken('rolled-back', `${agent.name} gets ${revision} after ${rollout.id} was taken back`)
  }
  const desired = desiredConfig(scenario, groups, row)
  if (agent.isMute || !agent.traits.acceptsConfig || desired === null || agent.running === desired) return
  // It said that it cannot, and keeps what works for it.
  if (agent.failed.has(desired)) return
  const states = groupNames.flatMap((name) => (row.members[name] === undefined ? [] : [`${row.members[name].state} in ${groups.get(name)?.rollout?.id}`]))
  broken('not-as-wanted', `${agent.name} runs ${agent.running} and should run ${desired}; it is ${states.join(' and ')}`)
}
