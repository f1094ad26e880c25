/** Which plan a change goes out by, checked. */
import type { PresetName, RolloutStart } from '@drover/api'
import { presets } from '@drover/fleet'
import type { RolloutPlan } from '@drover/fleet'
import { InvalidInputError } from '../http/errors.ts'
import type { CheckPlan } from '../seams.ts'

export interface ChosenPlan {
  readonly plan: RolloutPlan
  /** null: a plan of one's own. */
  readonly preset: PresetName | null
}

/**
 * As given, else the preset that is named, else the group's own, else the preset `standard`.
 * @throws {InvalidInputError} naming the fields below `field`, or below `ownField` of the group's own.
 */
export function choosePlan(check: CheckPlan, { plan, preset }: RolloutStart, own: RolloutPlan | null, field: string, ownField = 'group.plan'): ChosenPlan {
  if (plan !== undefined) return { plan: checked(check, plan as RolloutPlan, `${field}.plan`), preset: null } // as: the same shape; JSON has no difference between absent and undefined
  if (preset !== undefined) return { plan: presets[preset], preset }
  if (own !== null) return { plan: checked(check, own, ownField), preset: null }
  return { plan: presets.standard, preset: 'standard' }
}

function checked(check: CheckPlan, plan: RolloutPlan, field: string): RolloutPlan {
  const findings = check(plan)
  if (findings.length === 0) return plan
  const errors = findings.map(({ field: name, message }) => ({ field: `${field}.${name.replaceAll(/\[(\d+)\]/g, '.$1')}`, message }))
  throw new InvalidInputError(`the plan of the rollout is not valid: ${findings.map(({ field: name, message }) => `${name} ${message}`).join('; ')}`, errors)
}
