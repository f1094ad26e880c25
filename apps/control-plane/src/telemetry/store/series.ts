/** Which numbers are kept of an agent: a list that agents with the same components share. */
import { TelemetryMetric } from '@drover/api'

/** `queueUseMax`: the highest of `queueUse` within a step, kept beside the mean because a queue that is full for a moment loses data. */
export const keptMetrics = [...TelemetryMetric.options, 'queueUseMax'] as const
export type KeptMetric = (typeof keptMetrics)[number]

export interface SeriesKey {
  readonly metric: KeptMetric
  /** Empty: of the whole agent. */
  readonly component: string
}

/** Sorted, without doubles. Equal lists are the same object as long as one of them is in use, so lists are compared by identity. */
export interface SeriesList {
  readonly keys: readonly SeriesKey[]
}

export const keyText = ({ metric, component }: SeriesKey): string => `${component}\0${metric}`

const interned = new Map<string, WeakRef<SeriesList>>()
const forgotten = new FinalizationRegistry<string>((text) => {
  if (interned.get(text)?.deref() === undefined) interned.delete(text)
})

export function seriesList(keys: Iterable<SeriesKey>): SeriesList {
  const byText = new Map([...keys].map((key) => [keyText(key), key]))
  const texts = [...byText.keys()].toSorted()
  const whole = texts.join('\n')
  const known = interned.get(whole)?.deref()
  if (known !== undefined) return known
  const list: SeriesList = { keys: texts.flatMap((text) => byText.get(text) ?? []) }
  interned.set(whole, new WeakRef(list))
  forgotten.register(list, whole)
  return list
}

const positions = new WeakMap<SeriesList, ReadonlyMap<string, number>>()

/** Where a list has each of its keys, by `keyText`. */
export function positionsIn(list: SeriesList): ReadonlyMap<string, number> {
  const known = positions.get(list)
  if (known !== undefined) return known
  const made = new Map(list.keys.map((key, at) => [keyText(key), at]))
  positions.set(list, made)
  return made
}
