/** Rollouts as the API shows them. */
import type { Rollout as ShownRollout, RolloutDecision, RolloutMember, RolloutSummary } from '@drover/api'
import { describeDecision, isOver } from '@drover/fleet'
import type { Decision, Rollout, Wave } from '@drover/fleet'
import type { FleetForRollouts } from '../../seams.ts'
import { blockersOf } from '../run/blockers.ts'
import type { RolloutMemory } from '../run/memory.ts'
import type { StoredMember, StoredRollout } from '../store.ts'
import { showGates } from './gate-words.ts'
import { possibleActions } from './refusals.ts'
import { countAll, summarize, totalOf } from './summary.ts'

type ShownWave = ShownRollout['waves'][number]

export const timestamp = (ms: number): string => new Date(ms).toISOString()
const orNull = (ms: number | null): string | null => (ms === null ? null : timestamp(ms))

export function showSummary({ rollout, reason, createdBy, createdAt, endedAt }: StoredRollout, now: number): RolloutSummary {
  const { id, group, from, to, state, startedBy, startedAt, waves, wave } = rollout
  const counts = countAll(rollout)
  const current = waves[wave]
  return {
    id,
    group,
    from,
    to,
    state,
    summary: summarize(rollout, now),
    reason,
    createdBy,
    startedBy,
    createdAt: timestamp(createdAt),
    startedAt: orNull(startedAt),
    endedAt: orNull(endedAt),
    wave: current === undefined ? null : { number: wave + 1, of: waves.length, label: current.label },
    counts: { ...counts },
    agents: totalOf(counts),
  }
}

/** `by` asks: what they may do is theirs. */
export function showRollout(stored: StoredRollout, memory: RolloutMemory, by: string, now: number): ShownRollout {
  const { rollout, plan, preset, seq } = stored
  const soak = rollout.state === 'soaking' ? rollout.soak : null
  return {
    ...showSummary(stored, now),
    plan: structuredClone(plan) as ShownRollout['plan'], // as: the same shape, and a copy may be written to
    preset,
    deadlineAt: orNull(rollout.deadlineAt),
    waves: rollout.waves.map((wave, index) => showWave(rollout, wave, index)),
    soak: soak === null ? null : { since: timestamp(soak.since), until: timestamp(soak.until) },
    gates: showGates(plan, rollout),
    blockers: isOver(rollout) ? [] : blockersOf(memory, { rollout, seq }).map(({ id, group }) => ({ id, group })),
    supersededBy: rollout.state === 'superseded' ? rollout.by : null,
    waitsForPerson: waitsForPerson(rollout),
    actions: possibleActions(stored, memory, by),
  }
}

function waitsForPerson(rollout: Rollout): boolean {
  return rollout.state === 'draft' || rollout.state === 'paused' || (rollout.state === 'waiting' && rollout.hindrance?.kind === 'approval')
}

function showWave(rollout: Rollout, wave: Wave, index: number): ShownWave {
  return {
    label: wave.label,
    agents: totalOf(wave.counters),
    counts: { ...wave.counters },
    soakMs: wave.soakMs,
    state: waveState(rollout, wave, index),
    openedAt: orNull(wave.openedAt),
  }
}

function waveState(rollout: Rollout, { openedAt }: Wave, index: number): ShownWave['state'] {
  if (index < rollout.wave || rollout.state === 'completed') return 'passed'
  if (index > rollout.wave || openedAt === null) return 'ahead'
  return rollout.state === 'soaking' || (rollout.state === 'paused' && rollout.was === 'soaking') ? 'soaking' : 'open'
}

export function showDecision(decision: Decision): RolloutDecision {
  const { seq, at, kind, cause, by, wave, reason, numbers } = decision
  return { seq, at: timestamp(at), kind, cause, by, wave, sentence: describeDecision(decision), reason, numbers: { ...numbers } }
}

export function showMember({ member }: StoredMember, fleet: FleetForRollouts): RolloutMember {
  const { agent: agentId, wave, state, since, tries } = member
  const agent = fleet.agent(agentId)
  const hasFailed = state === 'failed' || state === 'retrying' || state === 'restoreRetrying' || state === 'restoreFailed'
  return {
    agentId,
    agentName: agent?.name ?? agentId,
    wave,
    state,
    since: timestamp(since),
    tries,
    error: hasFailed ? (agent?.configError ?? null) : null,
    connected: agent !== undefined && agent.offlineSince === null,
  }
}
