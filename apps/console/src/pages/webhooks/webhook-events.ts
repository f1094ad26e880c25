/** Choosing which events a webhook is told: whole areas (`rollout`) or single kinds (`rollout.paused`). Pure. */
import { EventKind } from '@drover/api'

export interface EventArea {
  readonly area: string
  readonly title: string
  readonly kinds: readonly string[]
}

const titles: Readonly<Record<string, string>> = {
  agent: 'Agents',
  attempt: 'Configurations offered to agents',
  config: 'Configs',
  group: 'Groups',
  rollout: 'Rollouts',
  secret: 'Secrets',
  webhook: 'Webhooks',
  token: 'Tokens',
  session: 'Sign-ins',
  access: 'Refused access',
  server: 'The server',
}

const areaOf = (kind: string): string => kind.split('.')[0] ?? kind

/** Every area with its kinds, in the order of the contract. */
export const eventAreas: readonly EventArea[] = [...new Set(EventKind.options.map(areaOf))].map((area) => ({
  area,
  title: titles[area] ?? area,
  kinds: EventKind.options.filter((kind) => areaOf(kind) === area),
}))

export type AreaState = 'all' | 'some' | 'none'

export function areaState(events: readonly string[], { area, kinds }: EventArea): AreaState {
  if (events.includes(area)) return 'all'
  return kinds.some((kind) => events.includes(kind)) ? 'some' : 'none'
}

/** All of an area, also kinds that a later version knows; or none of it. */
export function toggleArea(events: readonly string[], area: EventArea): readonly string[] {
  const others = events.filter((event) => areaOf(event) !== area.area)
  return areaState(events, area) === 'all' ? others : [...others, area.area]
}

/** Taking a kind out of a whole area leaves the other kinds one by one. */
export function toggleKind(events: readonly string[], kind: string, { area, kinds }: EventArea): readonly string[] {
  if (events.includes(area)) return [...events.filter((event) => event !== area), ...kinds.filter((other) => other !== kind)]
  return events.includes(kind) ? events.filter((event) => event !== kind) : [...events, kind]
}

export const isChosen = (events: readonly string[], kind: string): boolean => events.includes(kind) || events.includes(areaOf(kind))

/** What is wrong with an address, or undefined. An empty one is not wrong yet. */
export function urlError(text: string): string | undefined {
  if (text === '') return undefined
  if (!URL.canParse(text)) return 'Write a whole address, such as https://example.com/hooks/drover'
  return ['https:', 'http:'].includes(new URL(text).protocol) ? undefined : 'Use https or http'
}
