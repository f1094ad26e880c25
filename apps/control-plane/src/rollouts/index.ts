/**
 * The rollouts part: takes groups from one revision to the next, a wave at a time, and goes on where it was after a crash.
 * `run` carries rollouts out; `show` is what people see of them and do to them.
 */
import { memberTraits } from '@drover/fleet'
import type { RolloutProgress, RolloutsForAgents } from '../seams.ts'
import type { RolloutsOptions, RolloutsPart } from './part.ts'
import { Driver } from './run/driver.ts'
import { Gates } from './run/gates.ts'
import { InFlight } from './run/in-flight.ts'
import type { LiveRollout } from './run/live-rollout.ts'
import { loadRollouts } from './run/load.ts'
import { RolloutMemory } from './run/memory.ts'
import { createRolloutMetrics } from './run/metrics.ts'
import { pruneMembers } from './run/prune.ts'
import { Recorder } from './run/recorder.ts'
import { newRolloutId, Starter, whyGoesBack } from './run/starter.ts'
import { Actions } from './show/actions.ts'
import { bindRolloutRoutes } from './show/routes.ts'

export type { GroupState, RolloutsPart } from './part.ts'

export async function createRollouts(options: RolloutsOptions): Promise<RolloutsPart> {
  const { store, events, fleet, timing, deadlines, log, judge } = options
  const now = () => timing.now()
  const memory = new RolloutMemory()
  const inFlight = new InFlight()
  const recorder = new Recorder(options)
  const gates = new Gates({ judge, fleet, deadlines, now, log, onVerdict: (live) => driver.wake(live) })
  const driver: Driver = new Driver({ store, memory, inFlight, recorder, gates, fleet, timing, deadlines, metrics: createRolloutMetrics(options.metrics), log })
  const starter = new Starter({
    memory,
    inFlight,
    recorder,
    driver,
    fleet,
    now,
    checkPlan: options.checkPlan,
    readRevision: options.readRevision,
    events,
    newId: options.newId ?? newRolloutId,
  })
  const actions = new Actions({ ...options, memory, inFlight, recorder, driver, starter })
  await loadRollouts(store.read, memory, options)
  return {
    forAgents: createForAgents(memory, driver),
    bindRoutes: (bind, bindStream) => bindRolloutRoutes(bind, bindStream, { ...options, memory, actions, starter }),
    begin: (tx, beginning) => starter.begin(tx, beginning),
    newestOf(group) {
      const live = memory.newestOf(group)
      return live && { id: live.id, state: live.rollout.state, from: live.rollout.from, to: live.rollout.to }
    },
    revisionsInUse: (group) => memory.newestOf(group)?.revisions() ?? new Set(),
    whyNotChangeable(group) {
      const live = memory.newestOf(group)
      return live?.rollout.state === 'rollingBack' ? whyGoesBack(live) : null
    },
    endWith: (tx, group, by) => actions.endWith(tx, group, by),
    start: async () => driver.start(),
    settled: () => driver.settled(),
    prune: () => pruneMembers(store, memory, now()),
    [Symbol.asyncDispose]: () => driver.stop(),
  }
}

function createForAgents(memory: RolloutMemory, driver: Driver): RolloutsForAgents {
  return {
    revisionFor: (group, current, agentId) => memory.revisionFor(group, current, agentId),
    onAgentChanged(agentId) {
      for (const live of memory.of(agentId)) if (!isHistoryOf(live, agentId)) driver.notice(live, agentId)
    },
    onGroupsOfAgent(agentId, groups) {
      const concerned = new Set([...memory.of(agentId), ...groups.flatMap((group) => memory.newestOf(group) ?? [])])
      for (const live of concerned) {
        live.regrouped.add(agentId)
        driver.notice(live, agentId)
      }
    },
    onAgentForgotten(agentId) {
      for (const live of memory.of(agentId)) driver.notice(live, agentId)
    },
    progressOf: (group, agentId) => progressOf(memory, group, agentId),
  }
}

/** What the agent says from now on is nothing to it. */
function isHistoryOf(live: LiveRollout, agentId: string): boolean {
  const member = live.entries.get(agentId)?.member
  return member !== undefined && live.keeps(member.state)
}

function progressOf(memory: RolloutMemory, group: string, agentId: string): RolloutProgress | undefined {
  const live = memory.newestOf(group)
  if (live === undefined) return undefined
  const { rollout } = live
  const member = live.entries.get(agentId)?.member
  const isThrough = live.isOver && rollout.state !== 'stopped' && (member === undefined || memberTraits[member.state].judged !== 'bad')
  if (isThrough) return undefined
  const opened = rollout.waves.findLastIndex(({ openedAt }) => openedAt !== null)
  return { to: rollout.to, state: rollout.state, wave: opened + 1, waves: rollout.waves.length, ownWave: member === undefined ? null : member.wave + 1 }
}
