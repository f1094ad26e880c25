/** What a plan means, in sentences. */
import { isOpenAt, nextChange } from '@drover/fleet'
import type { MaintenanceWindow, RolloutPlan, Wave } from '@drover/fleet'
import { gateTitle } from './gate-words.ts'
import { agentsText, durationText, listText } from './words.ts'

/** `waves`: as they would be for the agents of now; none: as the plan says. */
export function planSentences(plan: RolloutPlan, waves: readonly Pick<Wave, 'label' | 'size'>[] = []): string[] {
  return [
    waves.length === 0 ? `It goes out in waves: ${listText(plan.waves.map(waveText))}; who is in none of them comes last.` : wavesText(waves),
    ...soakText(plan),
    ...plan.gates.filter(({ kind }) => kind !== 'approval').map((gate) => `A wave passes when ${gateTitle(gate)}.`),
    ...plan.gates.filter(({ kind }) => kind === 'approval').map((gate) => `It goes on when ${gateTitle(gate)}.`),
    `When too much goes wrong it ${onFail[plan.onFail]}; when the evidence says nothing, it pauses and never goes back.`,
    ...(plan.approval === 'none' ? [] : ['Another person has to approve before it begins.']),
    ...scheduleText(plan),
    `At most ${agentsText(plan.concurrency)} change at the same time; ${retryText(plan)}.`,
    ...(plan.deadlineMs === null ? [] : [`It pauses when it has not ended after ${durationText(plan.deadlineMs)}.`]),
  ]
}

const onFail: Readonly<Record<RolloutPlan['onFail'], string>> = {
  pause: 'pauses',
  stop: 'stops, and agents keep what they have',
  rollback: 'takes the change back from every agent that has it',
}

function waveText(wave: RolloutPlan['waves'][number]): string {
  switch (wave.kind) {
    case 'count':
      return agentsText(wave.count)
    case 'percent':
      return `${wave.percent} %`
    case 'ring':
      return `the ring ${wave.name}`
    case 'growing':
      return `${agentsText(wave.first)}, then ${wave.factor} times as many each up to ${wave.max}`
    default:
      return wave satisfies never
  }
}

const shownWaves = 5

function wavesText(waves: readonly Pick<Wave, 'label' | 'size'>[]): string {
  const sizes = waves.map(({ size }) => size)
  const all = agentsText(sizes.reduce((sum, size) => sum + size, 0))
  if (waves.length === 1) return `It goes to ${all} at once: nothing is learned before all of them have it.`
  const first = sizes.slice(0, shownWaves).map(String)
  const shown = sizes.length > shownWaves ? [...first, `so on in ${sizes.length - shownWaves} more`] : first
  return `It goes to ${all} in ${waves.length} waves: ${listText(shown)}.`
}

function soakText({ soakMs, waves }: RolloutPlan): string[] {
  if (soakMs === 0 && waves.every((wave) => (wave.soakMs ?? 0) === 0)) return ['Waves are not watched once their agents have an outcome.']
  const own = waves.filter((wave) => wave.soakMs !== undefined && wave.soakMs !== soakMs).length
  return [`Each wave is watched for ${durationText(soakMs)} before the next one opens${own === 0 ? '' : `, ${own} of them for a time of their own`}.`]
}

function scheduleText({ schedule }: RolloutPlan): string[] {
  const { notBefore, windows } = schedule
  return [
    ...(notBefore === null ? [] : [`It does not begin before ${new Date(notBefore).toISOString()}.`]),
    ...(windows.length === 0 ? [] : [`Agents get it only ${listText(windows.map(windowText))}.`]),
  ]
}

function windowText({ days, from, to, timeZone }: MaintenanceWindow): string {
  return `${days.length === 7 ? 'every day' : `on ${listText(days)}`} from ${from} to ${to} (${timeZone})`
}

function retryText({ retries }: RolloutPlan): string {
  if (retries.count === 0) return 'who fails is not tried again'
  return `who fails is tried ${retries.count === 1 ? 'once more' : `${retries.count} times more`} after ${durationText(retries.delayMs)}`
}

/** How long it takes when everything goes well and everybody answers at once. A wave that nobody can be reached in is not watched. */
export function atLeastMs({ schedule }: RolloutPlan, waves: readonly Pick<Wave, 'soakMs' | 'reachable'>[], now: number): number {
  const begin = Math.max(now, schedule.notBefore ?? now)
  const opens = isOpenAt(schedule.windows, begin) ? begin : (nextChange(schedule.windows, begin) ?? begin)
  return opens - now + waves.reduce((sum, wave) => sum + (wave.reachable === 0 ? 0 : wave.soakMs), 0)
}

export function isStaged({ waves }: RolloutPlan): boolean {
  return waves.length > 1 || waves.some((wave) => wave.kind !== 'percent' || wave.percent < 100)
}
