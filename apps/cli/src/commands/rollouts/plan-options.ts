/** Options that say how a change goes out. */
import type { RolloutPlan, RolloutStart } from '@drover/api'
import type { ClientContext } from '../../command/command.ts'
import { flag, text } from '../../command/spec.ts'
import type { ValuesOf } from '../../command/spec.ts'
import { UsageError } from '../../errors.ts'
import { everyoneIsNoPlan, readPlanFile, stagedPresets } from './plan-file.ts'
import type { StagedPreset } from './plan-file.ts'

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

async function readPlan(context: ClientContext, given: string): Promise<{ preset: StagedPreset } | { plan: RolloutPlan }> {
  if (given === 'everyone') throw new UsageError(everyoneIsNoPlan)
  const preset = stagedPresets.find((name) => name === given)
  return preset === undefined ? { plan: await readPlanFile(context, given) } : { preset }
}
