/** Finds what a plan cannot mean, and addresses of its gates that would never be called. */
import { checkPlan } from '@drover/fleet'
import type { Gate } from '@drover/fleet'
import type { Outgoing } from '../outgoing/index.ts'
import type { CheckPlan } from '../seams.ts'

/** What a name leads to is seen when it is called. */
export function createPlanCheck({ refusalOf }: Pick<Outgoing, 'refusalOf'>): CheckPlan {
  return (plan) => {
    const findings = checkPlan(plan)
    const named = new Set(findings.map(({ field }) => field))
    const refused = plan.gates.flatMap((gate, index) => {
      const field = `gates[${index}].url`
      const message = named.has(field) ? undefined : refusalOfGate(gate, refusalOf)
      return message === undefined ? [] : [{ field, message }]
    })
    return [...findings, ...refused]
  }
}

function refusalOfGate(gate: Gate, refusalOf: Outgoing['refusalOf']): string | undefined {
  return gate.kind === 'promql' || gate.kind === 'webhook' ? refusalOf(gate.url) : undefined
}
