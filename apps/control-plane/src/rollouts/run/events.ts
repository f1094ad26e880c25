/** Decisions of rollouts as events: one for each, with the sentence of the decision. */
import type { EventKind } from '@drover/api'
import { describeDecision } from '@drover/fleet'
import type { Decision, Rollout } from '@drover/fleet'
import type { NewEvent } from '../../events/event-log.ts'

export interface EventContext {
  readonly rollout: Pick<Rollout, 'id' | 'group' | 'from' | 'to'>
  /** Of the plan. */
  readonly preset: string | null
}

export function decisionEvents({ rollout, preset }: EventContext, decisions: readonly Decision[]): NewEvent[] {
  const { id, group, from, to } = rollout
  return decisions.map((decision): NewEvent => {
    const { kind, cause, by, wave, reason, numbers, seq } = decision
    const isToAll = kind === 'started' && preset === 'everyone'
    return {
      kind: `rollout.${kind}` satisfies EventKind,
      actor: by ?? 'system',
      subject: group,
      summary: `${group}, revision ${to}: ${isToAll ? toAll(decision) : describeDecision(decision)}`,
      data: { rollout: id, group, from, to, decision: seq, cause, wave, reason, numbers, ...(isToAll ? { allAtOnce: true } : {}) },
    }
  })
}

/** Named as what it is. */
function toAll({ by, reason, numbers }: Decision): string {
  const agents = numbers['agents'] === 1 ? '1 agent' : `all ${numbers['agents'] ?? 0} agents`
  return `${by ?? 'Drover'} sends it to ${agents} at once, not in waves${reason === '' ? '' : `: ${reason}`}.`
}
