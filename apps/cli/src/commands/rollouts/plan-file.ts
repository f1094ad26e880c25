/** A rollout plan as a person writes it: what is not said is as in the preset that it extends, and times may be written `5m`. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { RolloutPlan } from '@drover/api'
import { parse } from 'yaml'
import type { ClientContext } from '../../command/command.ts'
import { CliError } from '../../errors.ts'

/** Those that may be named as a plan. */
export const stagedPresets = ['careful', 'standard', 'quick'] as const
export type StagedPreset = (typeof stagedPresets)[number]

export const everyoneIsNoPlan = 'all agents at once is no plan for every change: say --all-at-once with the one change that you mean'

/** Keys of the plan that hold milliseconds; a person may leave the ending out and write `soak: 5m`. */
const timeKeys = ['soak', 'delay', 'deadline', 'applyTimeout', 'lostWithin', 'lostGrace', 'gateEvery', 'patience'] as const
const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** The whole plan of a preset, by its name. */
export async function presetPlan({ api }: Pick<ClientContext, 'api'>, name: StagedPreset): Promise<RolloutPlan> {
  const { data } = await api.listPresets({})
  const preset = data.items.find((item) => item.name === name)
  if (preset === undefined) throw new CliError(`the server has no preset "${name}"; it has ${data.items.map((item) => item.name).join(', ')}`)
  return preset.plan
}

export async function readPlanFile(context: ClientContext, path: string): Promise<RolloutPlan> {
  const text = await readFile(resolve(context.io.cwd, path), 'utf8').catch((cause: unknown) => {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT' // as: what readFile throws
    throw new CliError(isMissing ? `there is no plan "${path}": give ${stagedPresets.join(', ')} or a file` : `cannot read ${path}: ${String(cause)}`, {
      cause,
    })
  })
  return completePlan(context, parseYaml(text, path), path)
}

function parseYaml(text: string, path: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100 })
  } catch (cause) {
    throw new CliError(`${path} is no YAML: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** Checks its shape; whether it makes sense, the server says. `where` names it in errors. */
export async function completePlan(context: Pick<ClientContext, 'api'>, given: unknown, where: string): Promise<RolloutPlan> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new CliError(`${where}: a plan is a map with keys such as waves, soak and gates`)
  const { extends: extended = 'standard', ...own } = given as Record<string, unknown>
  if (extended === 'everyone') throw new CliError(`${where}: extends: ${everyoneIsNoPlan}`)
  const preset = stagedPresets.find((name) => name === extended)
  if (preset === undefined) throw new CliError(`${where}: extends: is none of ${stagedPresets.join(', ')}`)
  const written = withMilliseconds(own, where) as Record<string, unknown>
  const base = await presetPlan(context, preset)
  const plan = RolloutPlan.safeParse(mergedWith(base, written))
  if (plan.success) {
    const unknown = Object.keys(written).filter((key) => !(key in plan.data))
    if (unknown.length > 0) throw new CliError(`${where}: a plan has no ${unknown.join(', ')}; it has ${Object.keys(base).join(', ')}`)
    return plan.data
  }
  throw new CliError(plan.error.issues.map(({ path, message }) => `${where}: ${path.join('.')}: ${message}`).join('\n'))
}

/** Maps are merged a level deep, everything else is replaced. */
function mergedWith(base: RolloutPlan, own: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(own)) {
    const before = merged[key]
    merged[key] = isMap(before) && isMap(value) ? { ...before, ...value } : value
  }
  return merged
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

function withMilliseconds(value: unknown, where: string): unknown {
  if (Array.isArray(value)) return value.map((item) => withMilliseconds(item, where))
  if (!isMap(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => writtenTime(key, item, where) ?? [key, withMilliseconds(item, where)]))
}

function writtenTime(key: string, value: unknown, where: string): [string, unknown] | undefined {
  if (key === 'notBefore' && (typeof value === 'string' || value instanceof Date)) return [key, new Date(value).getTime()]
  if (!timeKeys.some((known) => known === key)) return undefined
  if (value === null) return [`${key}Ms`, null]
  const [, amount = '', unit = ''] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(String(value)) ?? []
  if (amount === '') throw new CliError(`${where}: ${key}: "${String(value)}" is not a time span such as 30s, 5m or 1h`)
  return [`${key}Ms`, Number(amount) * (unitsMs[unit] ?? 1)]
}
