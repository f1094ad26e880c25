/** What the revisions of a group are to its agents now, and which of them one can go to. Pure. */
import type { Group } from '@drover/api'

const underWay = new Set(['waiting', 'running', 'soaking', 'paused', 'rollingBack'])

export const isUnderWay = (state: string): boolean => underWay.has(state)

/** e.g. `current`, `coming`; undefined: nothing that one has to know. */
export function roleOf(number: number, { current, rollout }: Pick<Group, 'current' | 'rollout'>): string | undefined {
  const isTarget = rollout?.to === number
  if (isTarget && isUnderWay(rollout.state)) return rollout.state === 'rollingBack' ? 'being taken back' : 'on its way'
  if (number === current) return 'current'
  if (!isTarget) return undefined
  if (rollout.state === 'rolledBack') return 'taken back'
  if (rollout.state === 'stopped') return 'stopped on its way'
  return rollout.state === 'draft' ? 'draft' : undefined
}

/** What the button that takes the group to a revision says; undefined: all agents have it already. */
export function goToLabel(number: number, { current, rollout }: Pick<Group, 'current' | 'rollout'>): string | undefined {
  const settled = rollout === null || rollout.state === 'completed' || rollout.state === 'rolledBack' || rollout.state === 'superseded'
  if (number === current) return settled ? undefined : `Return to ${number}…`
  if (rollout?.to === number && isUnderWay(rollout.state)) return undefined
  return current !== null && number < current ? `Return to ${number}…` : `Roll out ${number}…`
}
