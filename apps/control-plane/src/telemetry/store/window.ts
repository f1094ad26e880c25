/** Points in memory: those of the window that is open now, and of the one before until it is written. */
import { finest, slotsOf } from './tiers.ts'
import { ABSENT, levelOf } from './level.ts'
import { keyText, positionsIn, seriesList } from './series.ts'
import type { SeriesList } from './series.ts'
import type { AgentColumns } from './segment.ts'
import { digestOf } from './segment.ts'

export const windowSlots = slotsOf(finest)

/** What an agent told at one time: a level per series of the list. */
export interface Row {
  readonly agentId: string
  readonly list: SeriesList
  readonly levels: Uint16Array
  /** From this slot up to `slot`; earlier ones are filled only where there is nothing yet. */
  readonly fromSlot: number
  readonly slot: number
}

interface Held {
  list: SeriesList
  /** All slots of the first series, then all of the second. */
  levels: Uint16Array
}

export class Window {
  readonly startMs: number
  readonly #agents = new Map<string, Held>()

  constructor(startMs: number) {
    this.startMs = startMs
  }

  get size(): number {
    return this.#agents.size
  }

  agents(): IterableIterator<string> {
    return this.#agents.keys()
  }

  /** Of an agent, all series; the levels may still change. */
  columns(agentId: string): { readonly list: SeriesList; readonly levels: Uint16Array } | undefined {
    return this.#agents.get(agentId)
  }

  write({ agentId, list, levels, fromSlot, slot }: Row): void {
    const held = this.#hold(agentId, list)
    const positions = held.list === list ? undefined : positionsIn(held.list)
    list.keys.forEach((key, at) => {
      const place = positions === undefined ? at : positions.get(keyText(key))
      const level = levels[at] ?? ABSENT
      if (place === undefined || level === ABSENT) return
      const offset = place * windowSlots
      for (let each = fromSlot; each < slot; each++) if (held.levels[offset + each] === ABSENT) held.levels[offset + each] = level
      held.levels[offset + slot] = level
    })
  }

  /** For a file. */
  sorted(): readonly AgentColumns[] {
    const rows = [...this.#agents].map(([agentId, { list, levels }]) => ({ digest: digestOf(agentId), list, columns: { slots: windowSlots, levels } }))
    return rows.toSorted((a, b) => Buffer.compare(a.digest, b.digest))
  }

  /** With room for every series of `list`. */
  #hold(agentId: string, list: SeriesList): Held {
    const held = this.#agents.get(agentId)
    if (held === undefined) {
      const made = { list, levels: emptyColumns(list) }
      this.#agents.set(agentId, made)
      return made
    }
    if (held.list === list) return held
    const known = positionsIn(held.list)
    if (list.keys.every((key) => known.has(keyText(key)))) return held
    const both = seriesList([...held.list.keys, ...list.keys])
    const places = positionsIn(both)
    const levels = emptyColumns(both)
    held.list.keys.forEach((key, at) =>
      levels.set(held.levels.subarray(at * windowSlots, (at + 1) * windowSlots), (places.get(keyText(key)) ?? 0) * windowSlots),
    )
    held.list = both
    held.levels = levels
    return held
  }
}

function emptyColumns({ keys }: SeriesList): Uint16Array {
  return new Uint16Array(keys.length * windowSlots).fill(ABSENT)
}

export function levelsOf(values: ArrayLike<number>): Uint16Array {
  return Uint16Array.from(values, levelOf)
}
