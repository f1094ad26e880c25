/** The points of one agent in one window, as few bytes. */
import { type ByteReader, type ByteWriter, DamagedError } from './bytes.ts'
import { ABSENT } from './level.ts'

/** Levels of some series at the same times: all slots of the first series, then all of the second. */
export interface Columns {
  readonly slots: number
  readonly levels: Uint16Array
}

/**
 * First in which slots the agent told anything, as lengths of absent and present runs in turn. Then each series over the present slots: its length in
 * bytes, so that it can be passed over, and differences to the level before; what does not change is a number of repetitions.
 */
export function writeBlock(out: ByteWriter, scratch: ByteWriter, { slots, levels }: Columns): void {
  const series = slots === 0 ? 0 : levels.length / slots
  const present = presentSlots(levels, slots, series)
  writeRuns(out, present, slots)
  for (let at = 0; at < series; at++) {
    writeColumn(scratch, levels, at * slots, present)
    const column = scratch.take()
    out.varint(column.length)
    out.append(column)
  }
}

function presentSlots(levels: Uint16Array, slots: number, series: number): number[] {
  const present: number[] = []
  for (let slot = 0; slot < slots; slot++)
    for (let at = 0; at < series; at++)
      if (levels[at * slots + slot] !== ABSENT) {
        present.push(slot)
        break
      }
  return present
}

function writeRuns(out: ByteWriter, present: readonly number[], slots: number): void {
  const has = new Set(present)
  let slot = 0
  for (let isPresent = false; slot < slots; isPresent = !isPresent) {
    const start = slot
    while (slot < slots && has.has(slot) === isPresent) slot++
    out.varint(slot - start)
  }
}

/** Tokens: even, the zigzag difference to the level before; odd, how often that level comes again. */
function writeColumn(out: ByteWriter, levels: Uint16Array, offset: number, present: readonly number[]): void {
  let [previous, repeated] = [0, 0]
  const flush = () => {
    if (repeated > 0) out.varint(repeated * 2 + 1)
    repeated = 0
  }
  for (const slot of present) {
    const level = levels[offset + slot] ?? ABSENT
    if (level === previous) {
      repeated++
      continue
    }
    flush()
    const difference = level - previous
    out.varint((difference >= 0 ? difference * 2 : -difference * 2 - 1) * 2)
    previous = level
  }
  flush()
}

/** The levels of the series that `wanted` names, in that order. @throws {DamagedError} */
export function readBlock(reader: ByteReader, slots: number, series: number, wanted: readonly number[]): Columns {
  const present = readRuns(reader, slots)
  const levels = new Uint16Array(wanted.length * slots).fill(ABSENT)
  const places = new Map(wanted.map((at, place) => [at, place]))
  for (let at = 0; at < series; at++) {
    const length = reader.varint()
    const end = reader.position + length
    const place = places.get(at)
    if (place === undefined) reader.skip(length)
    else readColumn(reader, levels, place * slots, present)
    if (reader.position !== end) throw new DamagedError('a series has another length')
  }
  return { slots, levels }
}

function readRuns(reader: ByteReader, slots: number): number[] {
  const present: number[] = []
  let slot = 0
  for (let isPresent = false; slot < slots; isPresent = !isPresent) {
    const stop = slot + reader.varint()
    if (stop > slots) throw new DamagedError('there are more slots than in a window')
    for (; slot < stop; slot++) if (isPresent) present.push(slot)
  }
  return present
}

function readColumn(reader: ByteReader, levels: Uint16Array, offset: number, present: readonly number[]): void {
  let level = 0
  for (let at = 0; at < present.length; ) {
    const token = reader.varint()
    const half = Math.floor(token / 2)
    let times = 1
    if (token % 2 === 1) times = half
    else level += half % 2 === 0 ? half / 2 : -(half + 1) / 2
    if (level < 0 || level > ABSENT || at + times > present.length) throw new DamagedError('a series does not fit')
    for (; times > 0; times--) levels[offset + (present[at++] ?? 0)] = level
  }
}
