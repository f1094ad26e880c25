/** What keeps a wave from being opened. */
import type { RolloutPlan } from './plan.ts'
import type { Hindrance, Rollout } from './rollout.ts'
import { isOpenAt, nextChange } from './window.ts'

/** The first of: an approval, older rollouts, the time to start, a maintenance window; null: nothing. */
export function findHindrance(plan: RolloutPlan, rollout: Rollout): Hindrance | null {
  const { now, blockers, wave } = rollout
  const approval = neededApproval(plan, wave)
  if (approval !== null && !rollout.approvals.some((given) => given.wave === wave)) return approval
  if (blockers.length > 0) return { kind: 'rollouts', names: blockers }
  const { notBefore, windows } = plan.schedule
  if (notBefore !== null && now < notBefore) return { kind: 'time', at: notBefore }
  return isOpenAt(windows, now) ? null : { kind: 'window', opensAt: nextChange(windows, now) }
}

function neededApproval(plan: RolloutPlan, wave: number): Extract<Hindrance, { kind: 'approval' }> | null {
  if (wave === 0) return plan.approval === 'anotherPerson' ? { kind: 'approval', byAnother: true } : null
  const gate = plan.gates.find((one) => one.kind === 'approval' && (one.after === 'everyWave' || wave === 1))
  return gate?.kind === 'approval' ? { kind: 'approval', byAnother: gate.byAnother } : null
}

export function describeHindrance(hindrance: Hindrance): string {
  switch (hindrance.kind) {
    case 'approval':
      return hindrance.byAnother ? 'for another person to approve' : 'for approval'
    case 'rollouts':
      return `for ${hindrance.names.join(', ')} to end, which some of the same agents are in`
    case 'time':
      return `until ${new Date(hindrance.at).toISOString()}`
    case 'window':
      return hindrance.opensAt === null ? 'for a maintenance window' : `for the maintenance window that opens at ${new Date(hindrance.opensAt).toISOString()}`
    default:
      return hindrance satisfies never
  }
}

/** Whether two are the same, so that it is said once. */
export function sameHindrance(a: Hindrance | null, b: Hindrance | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
