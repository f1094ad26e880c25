/** Finds what a plan cannot mean, and names the field. Shape and types are checked where the plan is read. */
import { parseSelector, SelectorError } from '../selector.ts'
import type { Gate, Limit, RolloutPlan, WaveSpec } from './plan.ts'
import { planRanges, type Range } from './plan-ranges.ts'
import { isTimeZone, type MaintenanceWindow, parseTimeOfDay } from './window.ts'

export interface PlanFinding {
  /** e.g. `waves[2].percent` */
  readonly field: string
  readonly message: string
}

type RangeName = keyof typeof planRanges
type Report = (field: string, message: string) => void

/** Empty: the plan can be started. */
export function checkPlan(plan: RolloutPlan): readonly PlanFinding[] {
  const findings: PlanFinding[] = []
  const report: Report = (field, message) => findings.push({ field, message })
  checkWaves(plan.waves, report)
  checkNumber('soakMs', plan.soakMs, 'soakMs', report)
  checkLength('gates', plan.gates, 'gates', report)
  plan.gates.forEach((gate, index) => checkGate(gate, `gates[${index}]`, report))
  checkLimit(plan.budget, 'budget', report)
  if (plan.schedule.notBefore !== null) checkNumber('schedule.notBefore', plan.schedule.notBefore, 'notBefore', report)
  checkLength('schedule.windows', plan.schedule.windows, 'windows', report)
  plan.schedule.windows.forEach((window, index) => checkWindow(window, `schedule.windows[${index}]`, report))
  checkNumber('concurrency', plan.concurrency, 'agents', report)
  checkNumber('retries.count', plan.retries.count, 'retries', report)
  checkNumber('retries.delayMs', plan.retries.delayMs, 'retryDelayMs', report)
  if (plan.deadlineMs !== null) checkNumber('deadlineMs', plan.deadlineMs, 'deadlineMs', report)
  checkLength('weights', plan.weights, 'weights', report)
  plan.weights.forEach(({ selector, weight }, index) => {
    checkSelector(`weights[${index}].selector`, selector, report)
    checkNumber(`weights[${index}].weight`, weight, 'weight', report)
  })
  for (const [name, value] of Object.entries(plan.times)) checkNumber(`times.${name}`, value, 'timeMs', report)
  return findings
}

function checkWaves(waves: readonly WaveSpec[], report: Report): void {
  checkLength('waves', waves, 'waves', report)
  let percent = 0
  waves.forEach((wave, index) => {
    const field = `waves[${index}]`
    if (wave.soakMs !== undefined) checkNumber(`${field}.soakMs`, wave.soakMs, 'soakMs', report)
    switch (wave.kind) {
      case 'count':
        return checkNumber(`${field}.count`, wave.count, 'agents', report)
      case 'percent':
        if (percent > 0 && wave.percent <= percent) report(`${field}.percent`, `must be more than the ${percent} of an earlier wave, which it includes`)
        else checkNumber(`${field}.percent`, wave.percent, 'share', report)
        percent = Math.max(percent, wave.percent)
        return
      case 'ring':
        checkText(`${field}.name`, wave.name, 'ringName', report)
        return checkSelector(`${field}.selector`, wave.selector, report)
      case 'growing':
        checkGrowing(wave, field, report)
        if (index < waves.length - 1) report(field, 'waves that grow take everybody, so they come last')
        return
      default:
        return wave satisfies never
    }
  })
}

function checkGrowing({ first, factor, max, maxPercent }: Extract<WaveSpec, { kind: 'growing' }>, field: string, report: Report): void {
  checkNumber(`${field}.first`, first, 'agents', report)
  checkNumber(`${field}.factor`, factor, 'factor', report)
  if (max < first) report(`${field}.max`, `must not be less than the ${first} of the first wave`)
  else checkNumber(`${field}.max`, max, 'agents', report)
  if (maxPercent !== undefined) checkNumber(`${field}.maxPercent`, maxPercent, 'share', report)
}

function checkGate(gate: Gate, field: string, report: Report): void {
  switch (gate.kind) {
    case 'applyFailures':
    case 'lostAfterPush':
    case 'health':
    case 'drift':
      return checkLimit(gate.limit, `${field}.limit`, report)
    case 'ownTelemetry':
      checkNumber(`${field}.maxRatio`, gate.maxRatio, 'ratio', report)
      return checkNumber(`${field}.minSample`, gate.minSample, 'agents', report)
    case 'promql':
      checkUrl(`${field}.url`, gate.url, report)
      checkText(`${field}.query`, gate.query, 'query', report)
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
  checkNumber(`${field}.maxCount`, limit.maxCount, 'badAgents', report)
  checkNumber(`${field}.maxPercent`, limit.maxPercent, 'badShare', report)
  checkNumber(`${field}.minSample`, limit.minSample, 'agents', report)
}

function checkWindow(window: MaintenanceWindow, field: string, report: Report): void {
  if (window.days.length === 0) report(`${field}.days`, 'a window without days never opens')
  else checkLength(`${field}.days`, window.days, 'days', report)
  if (parseTimeOfDay(window.from) === undefined) report(`${field}.from`, 'must be HH:MM')
  if (parseTimeOfDay(window.to) === undefined) report(`${field}.to`, 'must be HH:MM')
  if (window.timeZone.length > planRanges.timeZone.max || !isTimeZone(window.timeZone))
    report(`${field}.timeZone`, 'must be an IANA time zone such as Europe/Berlin')
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
  if (url === null || !/^https?:\/\//i.test(text.trim())) report(field, 'must be an http or https address')
  else if (text.length > planRanges.url.max) report(field, `must be at most ${planRanges.url.max} characters`)
  else if (url.username !== '' || url.password !== '') report(field, 'must be without a user and password: plans are shown to everybody who may read')
}

function checkNumber(field: string, value: number, name: RangeName, report: Report): void {
  const range: Range = planRanges[name]
  const isHighEnough = range.above === undefined ? value >= (range.min ?? -Infinity) : value > range.above
  const isKind = range.whole === true ? Number.isInteger(value) : Number.isFinite(value)
  if (!(isKind && isHighEnough && value <= range.max)) report(field, `must be ${range.whole === true ? 'a whole number' : 'a number'} ${between(range)}`)
}

function between({ min, above, max }: Range): string {
  return above === undefined ? `from ${min} to ${max}` : `above ${above} and at most ${max}`
}

function checkText(field: string, text: string, name: RangeName, report: Report): void {
  const { max } = planRanges[name]
  if (text.trim() === '') report(field, 'must not be empty')
  else if (text.length > max) report(field, `must be at most ${max} characters`)
}

function checkLength(field: string, list: readonly unknown[], name: RangeName, report: Report): void {
  const { min = 0, max }: Range = planRanges[name]
  if (list.length < min || list.length > max) report(field, `must be ${min} to ${max} entries`)
}
