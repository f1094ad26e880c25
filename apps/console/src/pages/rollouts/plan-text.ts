/** A plan in words: how it goes out, what is asked, what happens when it does not hold. Pure. */
import type { RolloutPlan } from '@drover/api'

type Wave = RolloutPlan['waves'][number]
type Limit = RolloutPlan['budget']

/** e.g. `5 min`, `1.5 h`, `30 s`. */
export function timeText(ms: number): string {
  if (!Number.isFinite(ms)) return '?'
  if (ms >= 86_400_000) return `${round(ms / 86_400_000)} d`
  if (ms >= 3_600_000) return `${round(ms / 3_600_000)} h`
  return ms >= 60_000 ? `${round(ms / 60_000)} min` : `${round(ms / 1_000)} s`
}

const round = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 1 })
const agents = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'agent' : 'agents'}`

function waveText(wave: Wave): string {
  switch (wave.kind) {
    case 'count':
      return agents(wave.count)
    case 'percent':
      return `${wave.percent} %`
    case 'ring':
      return wave.name
    case 'growing':
      return `${agents(wave.first)}, then ${wave.factor} times as many each, up to ${wave.max.toLocaleString('en')}`
    default:
      return wave satisfies never
  }
}

/** e.g. `1 agent and 2 %, from 20 answers on`. */
function limitText({ maxCount, maxPercent, minSample }: Limit): string {
  return `${agents(maxCount)} and ${maxPercent} % (the percentage counts from ${minSample.toLocaleString('en')} answers on)`
}

const onFailTexts: Readonly<Record<RolloutPlan['onFail'], string>> = {
  rollback: 'Roll back',
  pause: 'Pause',
  stop: 'Stop',
}

/** Names and texts, in the order in which one asks. */
export function planFacts(plan: RolloutPlan): readonly (readonly [name: string, text: string])[] {
  const { schedule, retries } = plan
  return [
    ['Waves', plan.waves.map(waveText).join(' · ')],
    ['Watched for', `${timeText(plan.soakMs)} each`],
    ['Budget', `at most ${limitText(plan.budget)}`],
    ['When it fails', onFailTexts[plan.onFail]],
    ['At once', `at most ${agents(plan.concurrency)} under way`],
    ...(retries.count > 0 ? [['Retries', `${retries.count}, after ${timeText(retries.delayMs)}`] as const] : []),
    ...(plan.approval === 'anotherPerson' ? [['Approval', 'by another person before it begins'] as const] : []),
    ...(schedule.notBefore === null ? [] : [['Not before', new Date(schedule.notBefore).toLocaleString('en-GB')] as const]),
    ...(schedule.windows.length === 0
      ? []
      : [['Only', schedule.windows.map(({ days, from, to, timeZone }) => `${days.join(', ')} ${from}–${to} ${timeZone}`).join('; ')] as const]),
    ...(plan.deadlineMs === null ? [] : [['Pauses after', timeText(plan.deadlineMs)] as const]),
  ]
}
