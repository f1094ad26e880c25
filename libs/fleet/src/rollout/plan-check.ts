/** Finds what a plan cannot mean, and names the field. Shape and types are checked where the plan is read. */
import { parseSelector, SelectorError } from '../selector.ts'
import type { Gate, Limit, RolloutPlan, WaveSpec } from './plan.ts'
import { isTimeZone, type MaintenanceWindow, parseTimeOfDay } from './window.ts'

export interface PlanFinding {
  /** e.g. `waves[2].percent` */
  readonly field: string
  readonly message: string
}

export const maxWaves = 100
const dayMs = 24 * 3_600_000
const maxTimeMs = 30 * dayMs

type Report = (field: string, message: string) => void

/** Empty: the plan can be started. */
export function checkPlan(plan: RolloutPlan): readonly PlanFinding[] {
  const findings: PlanFinding[] = []
  const report: Report = (field, message) => findings.push({ field, message })
  checkWaves(plan.waves, report)
  checkTime('soakMs', plan.soakMs, 0, report)
  plan.gates.forEach((gate, index) => checkGate(gate, `gates[${index}]`, report))
  checkLimit(plan.budget, 'budget', report)
  plan.schedule.windows.forEach((window, index) => checkWindow(window, `schedule.windows[${index}]`, report))
  checkWhole('concurrency', plan.concurrency, 1, 1_000_000, report)
  checkWhole('retries.count', plan.retries.count, 0, 10, report)
  checkTime('retries.delayMs', plan.retries.delayMs, 0, report)
  if (plan.deadlineMs !== null) checkTime('deadlineMs', plan.deadlineMs, 1, report)
  plan.weights.forEach(({ selector, weight }, index) => {
    checkSelector(`weights[${index}].selector`, selector, report)
    checkWhole(`weights[${index}].weight`, weight, 1, 1000, report)
  })
  for (const [name, value] of Object.entries(plan.times)) checkTime(`times.${name}`, value, 1000, report)
  return findings
}

function checkWaves(waves: readonly WaveSpec[], report: Report): void {
  if (waves.length === 0) report('waves', 'a plan has at least one wave')
  if (waves.length > maxWaves) report('waves', `a plan has at most ${maxWaves} waves`)
  let percent = 0
  waves.forEach((wave, index) => {
    const field = `waves[${index}]`
    if (wave.soakMs !== undefined) checkTime(`${field}.soakMs`, wave.soakMs, 0, report)
    switch (wave.kind) {
      case 'count':
        return checkWhole(`${field}.count`, wave.count, 1, 1_000_000, report)
      case 'percent':
        if (!(wave.percent > 0 && wave.percent <= 100)) report(`${field}.percent`, 'must be more than 0 and at most 100')
        else if (wave.percent <= percent) report(`${field}.percent`, `must be more than the ${percent} of the wave before, which it includes`)
        percent = wave.percent
        return
      case 'ring':
        if (wave.name.trim() === '') report(`${field}.name`, 'a ring has a name')
        return checkSelector(`${field}.selector`, wave.selector, report)
      case 'growing':
        checkWhole(`${field}.first`, wave.first, 1, 1_000_000, report)
        // Far below 1.1 a fleet would take thousands of waves.
        if (!(wave.factor >= 1.1 && wave.factor <= 1000)) report(`${field}.factor`, 'must be 1.1 to 1000')
        checkWhole(`${field}.max`, wave.max, Math.max(1, wave.first), 1_000_000, report)
        if (wave.maxPercent !== undefined && !(wave.maxPercent > 0 && wave.maxPercent <= 100))
          report(`${field}.maxPercent`, 'must be more than 0 and at most 100')
        if (index < waves.length - 1) report(field, 'waves that grow take everybody, so they come last')
        return
      default:
        return wave satisfies never
    }
  })
}

function checkGate(gate: Gate, field: string, report: Report): void {
  switch (gate.kind) {
    case 'applyFailures':
    case 'lostAfterPush':
    case 'health':
    case 'drift':
      return checkLimit(gate.limit, `${field}.limit`, report)
    case 'ownTelemetry':
      if (!(gate.maxRatio > 1 && gate.maxRatio <= 1000)) report(`${field}.maxRatio`, 'must be more than 1 and at most 1000')
      return checkWhole(`${field}.minSample`, gate.minSample, 1, 1_000_000, report)
    case 'promql':
      checkUrl(`${field}.url`, gate.url, report)
      if (gate.query.trim() === '') report(`${field}.query`, 'must not be empty')
      if (!Number.isFinite(gate.threshold)) report(`${field}.threshold`, 'must be a number')
      return
    case 'webhook':
      return checkUrl(`${field}.url`, gate.url, report)
    case 'approval':
      return
    default:
      return gate satisfies never
  }
}

function checkLimit(limit: Limit, field: string, report: Report): void {
  checkWhole(`${field}.maxCount`, limit.maxCount, 0, 1_000_000, report)
  if (!(limit.maxPercent >= 0 && limit.maxPercent <= 100)) report(`${field}.maxPercent`, 'must be 0 to 100')
  checkWhole(`${field}.minSample`, limit.minSample, 1, 1_000_000, report)
}

function checkWindow(window: MaintenanceWindow, field: string, report: Report): void {
  if (window.days.length === 0) report(`${field}.days`, 'a window without days never opens')
  if (parseTimeOfDay(window.from) === undefined) report(`${field}.from`, 'must be HH:MM')
  if (parseTimeOfDay(window.to) === undefined) report(`${field}.to`, 'must be HH:MM')
  if (!isTimeZone(window.timeZone)) report(`${field}.timeZone`, 'must be an IANA time zone such as Europe/Berlin')
}

function checkSelector(field: string, text: string, report: Report): void {
  try {
    parseSelector(text, 'group')
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error
    report(field, `${error.message} (column ${error.column})`)
  }
}

function checkUrl(field: string, text: string, report: Report): void {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) report(field, 'must be an http or https address')
  else if (url.username !== '' || url.password !== '') report(field, 'must be without a user and password: plans are shown to everybody who may read')
}

function checkWhole(field: string, value: number, min: number, max: number, report: Report): void {
  if (!(Number.isInteger(value) && value >= min && value <= max)) report(field, `must be a whole number from ${min} to ${max}`)
}

function checkTime(field: string, value: number, min: number, report: Report): void {
  if (!(Number.isFinite(value) && value >= min && value <= maxTimeMs)) report(field, `must be ${min} ms to 30 days`)
}
