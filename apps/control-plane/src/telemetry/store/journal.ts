/**
 * What is in memory and in no file yet, so that it survives the process: frames with a length and a checksum, each complete in itself apart from names
 * that earlier frames of the same file defined. Reading stops at the first frame that is not whole: a torn end costs that end alone.
 */
import { crc32 } from 'node:zlib'
import { ByteReader, ByteWriter, DamagedError } from './bytes.ts'
import { keptMetrics, seriesList } from './series.ts'
import type { SeriesKey, SeriesList } from './series.ts'
import { windowSlots } from './window.ts'
import type { Row } from './window.ts'

const HEADER_BYTES = 8
/** Beyond, a length is damage. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024
const record = { agent: 1, list: 2, row: 3 } as const

/** Of one file: later frames name what earlier ones defined. */
export class JournalWriter {
  readonly #out = new ByteWriter()
  readonly #agents = new Map<string, number>()
  readonly #lists = new Map<SeriesList, number>()

  get pendingBytes(): number {
    return this.#out.length
  }

  add({ agentId, list, levels, fromSlot, slot }: Row): void {
    const [agent, series] = [this.#agentNumber(agentId), this.#listNumber(list)]
    const out = this.#out
    out.byte(record.row)
    out.varint(agent)
    out.varint(series)
    out.byte(fromSlot)
    out.byte(slot)
    for (const level of levels) out.uint16(level)
  }

  /** Undefined: nothing was added since the last one. */
  takeFrame(): Buffer | undefined {
    if (this.#out.length === 0) return undefined
    const content = this.#out.take()
    const header = Buffer.alloc(HEADER_BYTES)
    header.writeUInt32LE(content.length, 0)
    header.writeUInt32LE(crc32(content), 4)
    return Buffer.concat([header, content])
  }

  #agentNumber(agentId: string): number {
    const known = this.#agents.get(agentId)
    if (known !== undefined) return known
    this.#agents.set(agentId, this.#agents.size)
    this.#out.byte(record.agent)
    this.#out.text(agentId)
    return this.#agents.size - 1
  }

  #listNumber(list: SeriesList): number {
    const known = this.#lists.get(list)
    if (known !== undefined) return known
    this.#lists.set(list, this.#lists.size)
    this.#out.byte(record.list)
    this.#out.varint(list.keys.length)
    for (const { metric, component } of list.keys) {
      this.#out.byte(keptMetrics.indexOf(metric))
      this.#out.text(component)
    }
    return this.#lists.size - 1
  }
}

/** Every row up to the first frame that is not whole. @returns whether all of it was read */
export function readJournal(bytes: Buffer, onRow: (row: Row) => void): boolean {
  const names: Names = { agents: [], lists: [] }
  let at = 0
  while (bytes.length - at >= HEADER_BYTES) {
    const [length, checksum] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)]
    const content = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length)
    if (length > MAX_FRAME_BYTES || content.length !== length || crc32(content) !== checksum) return false
    try {
      for (const row of readFrame(content, names)) onRow(row)
    } catch (error) {
      if (error instanceof DamagedError) return false
      throw error
    }
    at += HEADER_BYTES + length
  }
  return at === bytes.length
}

interface Names {
  readonly agents: string[]
  readonly lists: SeriesList[]
}

function readFrame(content: Buffer, names: Names): readonly Row[] {
  const rows: Row[] = []
  const reader = new ByteReader(content)
  while (!reader.isAtEnd) {
    const kind = reader.byte()
    if (kind === record.agent) names.agents.push(reader.text())
    else if (kind === record.list) names.lists.push(seriesList(Array.from({ length: reader.varint() }, () => readKey(reader))))
    else if (kind === record.row) rows.push(readRow(reader, names))
    else throw new DamagedError('there is no such record')
  }
  return rows
}

function readKey(reader: ByteReader): SeriesKey {
  const metric = keptMetrics[reader.byte()]
  if (metric === undefined) throw new DamagedError('there is no such metric')
  return { metric, component: reader.text() }
}

function readRow(reader: ByteReader, names: Names): Row {
  const agentId = names.agents[reader.varint()]
  const list = names.lists[reader.varint()]
  const [fromSlot, slot] = [reader.byte(), reader.byte()]
  if (agentId === undefined || list === undefined || fromSlot > slot || slot >= windowSlots) throw new DamagedError('a row names what is not there')
  return { agentId, list, fromSlot, slot, levels: Uint16Array.from(list.keys, () => reader.uint16()) }
}
