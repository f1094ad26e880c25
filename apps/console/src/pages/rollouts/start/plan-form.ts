/** A plan while somebody writes it: what is wrong with it and where, as the server would say, and changes of its parts. Pure. */
import { RolloutPlan } from '@drover/api'
import type { z } from 'zod'

export type Wave = RolloutPlan['waves'][number]
export type Gate = RolloutPlan['gates'][number]
export type Window = RolloutPlan['schedule']['windows'][number]

/** What is wrong, by field: `waves.2.percent`. Empty: the plan can be started. */
export type PlanErrors = Readonly<Record<string, string>>

export function planErrors(plan: RolloutPlan): PlanErrors {
  const errors: Record<string, string> = {}
  const report = (field: string, message: string) => {
    errors[field] ??= message
  }
  const parsed = RolloutPlan.safeParse(plan)
  for (const issue of parsed.error?.issues ?? []) report(issue.path.join('.'), messageOf(issue))
  checkWaves(plan.waves, report)
  plan.gates.forEach((gate, index) => {
    if (gate.kind === 'promql' || gate.kind === 'webhook') checkUrl(gate.url, `gates.${index}.url`, report)
  })
  plan.schedule.windows.forEach((window, index) => checkWindow(window, `schedule.windows.${index}`, report))
  return errors
}

type Report = (field: string, message: string) => void

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return issue.expected === 'number' ? 'write a number' : 'write something'
  if (issue.code === 'too_small')
    return issue.origin === 'string' || issue.origin === 'array'
      ? 'write something'
      : `at least ${issue.minimum}${issue.inclusive === false ? ', and more' : ''}`
  if (issue.code === 'too_big') return `at most ${issue.maximum}`
  return issue.code === 'invalid_format' && issue.format === 'url' ? wholeAddress : issue.message
}

const wholeAddress = 'write a whole address that begins with https:// or http://'

function checkUrl(text: string, field: string, report: Report): void {
  if (!/^https?:\/\/[^/]/.test(text)) report(field, wholeAddress)
}

/** What no single wave can say: percentages include the waves before, and waves that grow take everybody. */
function checkWaves(waves: readonly Wave[], report: Report): void {
  if (waves.length === 0) report('waves', 'a plan has at least one wave')
  let percent = 0
  waves.forEach((wave, index) => {
    const field = `waves.${index}`
    if (wave.kind === 'growing') {
      if (index < waves.length - 1) report(field, 'waves that grow take everybody who is left, so they come last')
      if (wave.factor < 1.1) report(`${field}.factor`, 'at least 1.1')
      if (wave.max < wave.first) report(`${field}.max`, 'not less than the first wave')
    }
    if (wave.kind !== 'percent') return
    if (wave.percent <= 0) report(`${field}.percent`, 'more than 0')
    else if (wave.percent <= percent) report(`${field}.percent`, `more than the ${percent} % of an earlier wave, which are included`)
    percent = Math.max(percent, wave.percent)
  })
}

const timeOfDay = /^([01]\d|2[0-3]):[0-5]\d$/

function checkWindow({ days, from, to, timeZone }: Window, field: string, report: Report): void {
  if (days.length === 0) report(`${field}.days`, 'choose a day: without one it never opens')
  if (!timeOfDay.test(from)) report(`${field}.from`, 'write HH:MM')
  if (!timeOfDay.test(to)) report(`${field}.to`, 'write HH:MM')
  if (!isTimeZone(timeZone)) report(`${field}.timeZone`, 'choose a time zone such as Europe/Berlin')
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** A new list with one item changed, taken out, or moved. */
export const replaceAt = <T>(items: readonly T[], index: number, item: T): T[] => items.map((other, at) => (at === index ? item : other))
export const removeAt = <T>(items: readonly T[], index: number): T[] => items.filter((_, at) => at !== index)

export function moveUp<T>(items: readonly T[], index: number): T[] {
  const [item, before] = [items[index], items[index - 1]]
  if (item === undefined || before === undefined) return [...items]
  return items.map((other, at) => (at === index - 1 ? item : at === index ? before : other))
}

/** A wave of another kind with values that fit those before it. */
export function waveOf(kind: Wave['kind'], before: readonly Wave[]): Wave {
  const highest = Math.max(0, ...before.map((wave) => (wave.kind === 'percent' ? wave.percent : 0)))
  switch (kind) {
    case 'count':
      return { kind, count: 3 }
    case 'percent':
      return { kind, percent: [10, 25, 50, 100].find((percent) => percent > highest) ?? 100 }
    case 'ring':
      return { kind, name: '', selector: '' }
    case 'growing':
      return { kind, first: 3, factor: 5, max: 100 }
    default:
      return kind satisfies never
  }
}

/** A new wave goes before those that grow, since these take everybody who is left. */
export function addWave(waves: readonly Wave[]): Wave[] {
  const last = waves.at(-1)
  const before = last?.kind === 'growing' ? waves.slice(0, -1) : waves
  const hasAll = before.some((wave) => wave.kind === 'percent' && wave.percent >= 100)
  const added = hasAll ? waveOf('count', before) : waveOf('percent', before)
  return last?.kind === 'growing' ? [...before, added, last] : hasAll ? [added, ...before] : [...before, added]
}

const limit = { maxCount: 1, maxPercent: 2, minSample: 20 }

export function gateOf(kind: Gate['kind']): Gate {
  switch (kind) {
    case 'applyFailures':
    case 'lostAfterPush':
    case 'health':
    case 'drift':
      return { kind, limit }
    case 'ownTelemetry':
      return { kind, metric: 'refused', against: 'control', maxRatio: 1.5, minSample: 3 }
    case 'promql':
      return { kind, url: '', query: '', operator: '<', threshold: 1 }
    case 'webhook':
      return { kind, url: '' }
    case 'approval':
      return { kind, after: 'firstWave', byAnother: true }
    default:
      return kind satisfies never
  }
}

export const gateNames: Readonly<Record<Gate['kind'], string>> = {
  applyFailures: 'Failures to apply',
  lostAfterPush: 'Agents lost after the push',
  health: 'Agents that became unhealthy',
  drift: 'Agents that run something else',
  ownTelemetry: 'The agents’ own metrics',
  promql: 'PromQL query',
  webhook: 'Webhook',
  approval: 'A person’s approval',
}

export const waveNames: Readonly<Record<Wave['kind'], string>> = {
  count: 'A number of agents',
  percent: 'Until a percentage have it',
  ring: 'Agents chosen by a selector',
  growing: 'Growing waves until all have it',
}

const timeUnits = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const
export type TimeUnit = (typeof timeUnits)[number][0]
export const unitMs = Object.fromEntries(timeUnits) as Readonly<Record<TimeUnit, number>> // as: the table names every unit

/** The largest unit in which a time is a whole number. */
export function splitTime(ms: number): { readonly amount: number; readonly unit: TimeUnit } {
  if (!Number.isFinite(ms) || ms === 0) return { amount: ms, unit: 'min' }
  const [unit, size] = timeUnits.find(([, length]) => ms >= length && ms % length === 0) ?? timeUnits[3]
  return { amount: ms / size, unit }
}
