/** Options that say how a change goes out. */
import type { RolloutPlan, RolloutStart } from '@drover/api'
import type { ClientContext } from '../../command/command.ts'
import { flag, text } from '../../command/spec.ts'
import type { ValuesOf } from '../../command/spec.ts'
import { UsageError } from '../../errors.ts'
import { presetNames, readPlanFile } from './plan-file.ts'
import type { Preset } from './plan-file.ts'

export const planOptions = {
  plan: text('--plan <plan>', "careful, standard, quick, or a YAML file (default: the group's own plan, else standard)", { completes: 'file' }),
  allAtOnce: flag('--all-at-once', 'to all agents at the same time, without waves; it is logged as that'),
  draft: flag('--draft', 'prepare the rollout, start it later with: drover rollouts start'),
  reason: text('--reason <text>', 'why, for the log of the rollout'),
} as const

/** Undefined: nothing was said. */
export async function readRolloutStart(context: ClientContext, given: ValuesOf<typeof planOptions>): Promise<RolloutStart | undefined> {
  if (given.allAtOnce && given.plan !== undefined) throw new UsageError('give either --plan or --all-at-once')
  const how = given.allAtOnce ? { preset: 'everyone' as const } : given.plan === undefined ? {} : await readPlan(context, given.plan)
  const start = { ...how, ...(given.draft ? { draft: true } : {}), ...(given.reason === undefined ? {} : { reason: given.reason }) }
  return Object.keys(start).length === 0 ? undefined : start
}

async function readPlan(context: ClientContext, given: string): Promise<{ preset: Preset } | { plan: RolloutPlan }> {
  const preset = presetNames.find((name) => name === given)
  if (preset === 'everyone') throw new UsageError('say --all-at-once when you mean all agents at the same time')
  return preset === undefined ? { plan: await readPlanFile(context, given) } : { preset }
}
