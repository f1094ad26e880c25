/** Verdicts of gates, pure: numbers in; pass, fail or inconclusive out, with the numbers and a sentence. */
import type { Gate, Limit } from './plan.ts'
import { fisherP, median, rankSumP, signP } from './statistics.ts'

/** The agents' own metrics are asked. */
export type TelemetryGate = Extract<Gate, { kind: 'ownTelemetry' }>

export type VerdictKind = 'pass' | 'fail' | 'inconclusive'

export interface Verdict {
  readonly verdict: VerdictKind
  /** Part of a sentence: `4 of 31 agents are unhealthy`. */
  readonly text: string
  /** Finite ones only, so that they can be stored as JSON. */
  readonly numbers: Readonly<Record<string, number>>
}

export interface Share {
  readonly bad: number
  readonly of: number
}

/**
 * A difference counts when chance would give it less often than this. Of a wave without any difference that is looked at
 * ten times during its soak, and fails only by two looks in a row, 2 in 1,000 were failed by mistake at most (seeded
 * simulation in statistics.test.ts), before the ratio has to be exceeded as well.
 */
export const significance = 0.001

const shown = (numbers: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(numbers).filter(([, value]) => Number.isFinite(value)))

const say = (verdict: VerdictKind, text: string, numbers: Readonly<Record<string, number>> = {}): Verdict => ({ verdict, text, numbers: shown(numbers) })

/** Whether there are more bad ones than allowed. */
export function exceeds({ bad, of }: Share, { maxCount, maxPercent, minSample }: Limit): boolean {
  return bad > maxCount && (of < minSample || (100 * bad) / of > maxPercent)
}

/** Round, but never so that something becomes nothing. */
export function percentText({ bad, of }: Share): string {
  const percent = of === 0 ? 0 : (100 * bad) / of
  return `${percent >= 10 ? percent.toFixed(0) : percent.toPrecision(2).replace(/\.?0+$/, '')} %`
}

/**
 * Agents that were well before the push and are not now. A limit that is exceeded fails the gate, unless the control group
 * has as many (Fisher's exact test): then something else than the change may be the cause, which is inconclusive.
 */
export function judgeShare(what: string, wave: Share, limit: Limit, control?: Share): Verdict {
  const numbers = { bad: wave.bad, of: wave.of, ...(control === undefined ? {} : { controlBad: control.bad, controlOf: control.of }) }
  if (wave.of === 0) return say('inconclusive', `nothing is known of whether agents ${what}`, numbers)
  const found = `${wave.bad} of ${wave.of} agents ${what} (${percentText(wave)})`
  if (!exceeds(wave, limit)) return say('pass', found, numbers)
  if (!isElsewhere(wave, limit, control)) return say('fail', found, numbers)
  return say('inconclusive', `${found}, but so do ${control?.bad} of ${control?.of} that did not get the change`, numbers)
}

/** Whether those without the change are so bad too that the change cannot be blamed. */
export function isElsewhere(wave: Share, limit: Limit, control: Share | undefined): boolean {
  if (control === undefined || control.of < limit.minSample || control.bad === 0) return false
  return exceeds(control, limit) && fisherP(wave, control) >= significance
}

export interface Comparison {
  /** One number for each Agent, e.g. its mean since the push, or that divided by its mean before. Not finite: it has none. */
  readonly wave: readonly number[]
  readonly control: readonly number[]
  /** More than so many times the control group's median is too much. Of a metric that is better when higher: less than its reciprocal. */
  readonly maxRatio: number
  readonly minSample: number
  readonly betterWhen: 'lower' | 'higher'
}

/**
 * Fails when the wave is worse than the control group by more than chance (rank sum test, below `significance`) and by more
 * than the ratio. Both are needed: with many Agents any trifle is significant, with few any ratio can be chance.
 */
export function judgeAgainstControl(what: string, { wave, control, maxRatio, minSample, betterWhen }: Comparison): Verdict {
  const sign = betterWhen === 'lower' ? 1 : -1
  const [ours, theirs] = [wave.filter(Number.isFinite), control.filter(Number.isFinite)]
  const counts = { agents: ours.length, control: theirs.length }
  if (ours.length < minSample || ours.length * 2 < wave.length)
    return say('inconclusive', `${what} is known of only ${ours.length} of ${wave.length} agents of the wave`, counts)
  if (theirs.length < minSample || !isComparable(ours.length, theirs.length))
    return say('inconclusive', `${what} is known of only ${theirs.length} agents to compare with`, counts)
  const p = rankSumP(
    ours.map((value) => sign * value),
    theirs.map((value) => sign * value),
  )
  return verdictOf(what, { now: median(ours), other: median(theirs), otherName: 'those without the change', p, maxRatio, betterWhen }, counts)
}

/** Whether a wave of `n` and a control group of `m` are enough: of fewer even the clearest difference could be chance. */
export function isComparable(n: number, m: number): boolean {
  return waysToChoose(n, m) * significance >= 1
}

/** Of so many agents a number is known of so many. */
export interface Known {
  readonly known: number
  readonly of: number
}

/** Whether a gate could say anything of a wave, in which a metric is known of so many agents, and of so many of those without the change. */
export function isJudgeable({ against, minSample }: Pick<TelemetryGate, 'against' | 'minSample'>, wave: Known, control: Known): boolean {
  if (wave.known < minSample || wave.known * 2 < wave.of) return false
  if (against === 'past' || control.of < minSample || !isComparable(wave.of, control.of)) return isPastEnough(wave.known)
  return control.known >= minSample && isComparable(wave.known, control.known)
}

/** Of fewer even that all got worse could be chance. */
function isPastEnough(agents: number): boolean {
  return 0.5 ** agents <= significance
}

/** In how many ways the wave could have been chosen from both. */
function waysToChoose(n: number, m: number): number {
  let ways = 1
  for (let chosen = 1; chosen <= Math.min(n, m); chosen++) {
    ways = (ways * (n + m - chosen + 1)) / chosen
    if (ways > 1 / significance) break
  }
  return ways
}

/**
 * Against each Agent's own past: fails when more Agents got worse than chance explains (sign test) and the median of their ratios is
 * too high. Load that changes for all looks the same, so a control group is the better judge where there is one.
 */
export function judgeAgainstPast(
  what: string,
  {
    pairs,
    maxRatio,
    minSample,
    betterWhen,
  }: Omit<Comparison, 'wave' | 'control'> & { readonly pairs: readonly { readonly before: number; readonly after: number }[] },
): Verdict {
  const known = pairs.filter(({ before, after }) => Number.isFinite(before) && Number.isFinite(after))
  const higher = known.filter(({ before, after }) => after > before).length
  const lower = known.filter(({ before, after }) => after < before).length
  const [worse, better] = betterWhen === 'lower' ? [higher, lower] : [lower, higher]
  const counts = { agents: known.length, worse, better }
  if (known.length < minSample || known.length * 2 < pairs.length || !isPastEnough(known.length))
    return say('inconclusive', `${what} before and after is known of only ${known.length} of ${pairs.length} agents`, counts)
  const p = signP(worse, better)
  const [now, other] = [median(known.map(({ after }) => after)), median(known.map(({ before }) => before))]
  return verdictOf(what, { now, other, otherName: 'before', p, maxRatio, betterWhen }, counts)
}

interface Finding {
  readonly now: number
  readonly other: number
  readonly otherName: string
  readonly p: number
  readonly maxRatio: number
  readonly betterWhen: 'lower' | 'higher'
}

function verdictOf(what: string, { now, other, otherName, p, maxRatio, betterWhen }: Finding, counts: Readonly<Record<string, number>>): Verdict {
  const tooMuch = betterWhen === 'lower' ? now > other * maxRatio : now * maxRatio < other
  const text = `${what} is ${short(now)}, ${otherName} ${short(other)} (p = ${p.toPrecision(2)})`
  return say(tooMuch && p < significance ? 'fail' : 'pass', text, { ...counts, now, other, p })
}

function short(value: number): string {
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)))
}

/** What a Prometheus-compatible server answered: one number for each series, and its age; or why there is no answer. */
export type QueryAnswer = { readonly samples: readonly { readonly value: number; readonly ageMs: number }[] } | { readonly problem: string }

const maxSampleAgeMs = 5 * 60_000

export function judgeQuery({ operator, threshold }: Pick<Extract<Gate, { kind: 'promql' }>, 'operator' | 'threshold'>, answer: QueryAnswer): Verdict {
  if ('problem' in answer) return say('inconclusive', `the query gave no answer: ${answer.problem}`)
  const [first] = answer.samples
  if (first === undefined) return say('inconclusive', 'the query gave no series')
  if (answer.samples.length > 1) return say('inconclusive', `the query gave ${answer.samples.length} series instead of one`)
  if (!Number.isFinite(first.value)) return say('inconclusive', `the query gave ${first.value}`)
  if (!(first.ageMs <= maxSampleAgeMs)) return say('inconclusive', 'the query gave an old sample', { ageMs: first.ageMs })
  const text = `the query gave ${short(first.value)}, which must be ${operator} ${short(threshold)}`
  return say(compare(first.value, operator, threshold) ? 'pass' : 'fail', text, { value: first.value, threshold })
}

function compare(value: number, operator: '<' | '<=' | '>' | '>=', threshold: number): boolean {
  switch (operator) {
    case '<':
      return value < threshold
    case '<=':
      return value <= threshold
    case '>':
      return value > threshold
    case '>=':
      return value >= threshold
    default:
      return operator satisfies never
  }
}

const maxTextLength = 200

/** `{"verdict": "pass" | "fail" | "inconclusive", "text": "…"}`; anything else is inconclusive. `problem`: why there is no answer. */
export function judgeWebhook(answer: { readonly body: unknown } | { readonly problem: string }): Verdict {
  if ('problem' in answer) return say('inconclusive', `the webhook gave no answer: ${answer.problem}`)
  const { body } = answer
  const verdict = typeof body === 'object' && body !== null && 'verdict' in body ? body.verdict : undefined
  if (verdict !== 'pass' && verdict !== 'fail' && verdict !== 'inconclusive') return say('inconclusive', 'the webhook gave an answer that is no verdict')
  const text = typeof body === 'object' && body !== null && 'text' in body && typeof body.text === 'string' ? body.text : ''
  const quoted = text.replace(/\s+/g, ' ').trim().slice(0, maxTextLength).toWellFormed()
  return say(verdict, quoted === '' ? `the webhook said ${verdict}` : `the webhook said ${verdict}: ${quoted}`)
}
