/**
 * A file with the points of all agents in one window of one tier. Blocks stand in the order of the agents' digests, the index at the end:
 * names and lists of series once for all agents that share them, then one entry of fixed size per agent, searched without being parsed.
 */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { readBlock, writeBlock } from './block.ts'
import type { Columns } from './block.ts'
import { ByteReader, ByteWriter, DamagedError } from './bytes.ts'
import type { StoredFile } from './files.ts'
import { keptMetrics, seriesList } from './series.ts'
import type { SeriesKey, SeriesList } from './series.ts'

const MAGIC = 0x31_4c_54_44 // "DTL1"
/** Where the index begins, its length, its checksum, the magic. */
const FOOTER_BYTES = 16
const DIGEST_BYTES = 8
/** Digest, offset, length, list of series, checksum. */
const ENTRY_BYTES = DIGEST_BYTES + 16
const MAX_BYTES = 2 ** 32 - 1
/** Blocks that lie this close are read together. */
const MAX_GAP_BYTES = 16 * 1024
const MAX_READ_BYTES = 1024 * 1024

/** An agent's name as files have it; 64 bits, so that even 100,000 agents hardly ever share one. */
export function digestOf(agentId: string): Buffer {
  return createHash('sha256').update(agentId).digest().subarray(0, DIGEST_BYTES)
}

export interface AgentColumns {
  readonly digest: Buffer
  readonly list: SeriesList
  readonly columns: Columns
}

/** Agents come in ascending order of their digests. @returns what the file holds */
export class SegmentWriter {
  readonly #chunks: Buffer[] = []
  readonly #out = new ByteWriter()
  readonly #scratch = new ByteWriter()
  readonly #entries = new ByteWriter()
  readonly #lists = new Map<SeriesList, number>()
  #agents = 0
  #offset = 0

  add({ digest, list, columns }: AgentColumns): void {
    writeBlock(this.#out, this.#scratch, columns)
    const block = this.#out.take()
    let number = this.#lists.get(list)
    if (number === undefined) this.#lists.set(list, (number = this.#lists.size))
    if (this.#offset + block.length > MAX_BYTES) throw new RangeError('a file of telemetry would be too large')
    this.#entries.append(digest)
    for (const value of [this.#offset, block.length, number, crc32(block)]) this.#entries.uint32(value)
    this.#chunks.push(block)
    this.#offset += block.length
    this.#agents++
  }

  finish(slots: number): readonly Buffer[] {
    const out = this.#out
    out.varint(slots)
    const components = [...new Set([...this.#lists.keys()].flatMap(({ keys }) => keys.map(({ component }) => component)))]
    const places = new Map(components.map((component, at) => [component, at]))
    out.varint(components.length)
    for (const component of components) out.text(component)
    out.varint(this.#lists.size)
    for (const { keys } of this.#lists.keys()) {
      out.varint(keys.length)
      for (const { metric, component } of keys) {
        out.byte(keptMetrics.indexOf(metric))
        out.varint(places.get(component) ?? 0)
      }
    }
    out.varint(this.#agents)
    out.append(this.#entries.take())
    const index = out.take()
    for (const value of [this.#offset, index.length, crc32(index), MAGIC]) out.uint32(value)
    return [...this.#chunks, index, out.take()]
  }
}

export interface SegmentIndex {
  readonly slots: number
  readonly agents: number
  /** Of the index itself. */
  readonly bytes: number
  readonly lists: readonly SeriesList[]
  readonly entries: Buffer
}

/** @throws {DamagedError} */
export async function readIndex(file: StoredFile): Promise<SegmentIndex> {
  const footer = await file.read(file.bytes - FOOTER_BYTES, FOOTER_BYTES)
  if (footer.length !== FOOTER_BYTES || footer.readUInt32LE(12) !== MAGIC) throw new DamagedError('the file has no end')
  const [offset, length, checksum] = [footer.readUInt32LE(0), footer.readUInt32LE(4), footer.readUInt32LE(8)]
  if (offset + length + FOOTER_BYTES !== file.bytes) throw new DamagedError('the file has another length')
  const bytes = await file.read(offset, length)
  if (bytes.length !== length || crc32(bytes) !== checksum) throw new DamagedError('the index has another checksum')
  const reader = new ByteReader(bytes)
  const slots = reader.varint()
  const components = Array.from({ length: reader.varint() }, () => reader.text())
  const lists = Array.from({ length: reader.varint() }, () => seriesList(Array.from({ length: reader.varint() }, () => readKey(reader, components))))
  const agents = reader.varint()
  return { slots, agents, bytes: length, lists, entries: bytes.subarray(reader.position, reader.position + agents * ENTRY_BYTES) }
}

function readKey(reader: ByteReader, components: readonly string[]): SeriesKey {
  const metric = keptMetrics[reader.byte()]
  const component = components[reader.varint()]
  if (metric === undefined || component === undefined) throw new DamagedError('there is no such series')
  return { metric, component }
}

export interface Entry {
  readonly digest: Buffer
  readonly offset: number
  readonly length: number
  readonly list: SeriesList
  readonly checksum: number
}

export function entryAt(index: SegmentIndex, at: number): Entry {
  const start = at * ENTRY_BYTES
  const number = (field: number) => index.entries.readUInt32LE(start + DIGEST_BYTES + field * 4)
  const list = index.lists[number(2)]
  if (list === undefined) throw new DamagedError('there is no such list of series')
  return { digest: index.entries.subarray(start, start + DIGEST_BYTES), offset: number(0), length: number(1), list, checksum: number(3) }
}

export function findEntry(index: SegmentIndex, digest: Buffer): Entry | undefined {
  let [low, high] = [0, index.agents - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const order = index.entries.compare(digest, 0, DIGEST_BYTES, middle * ENTRY_BYTES, middle * ENTRY_BYTES + DIGEST_BYTES)
    if (order === 0) return entryAt(index, middle)
    if (order < 0) low = middle + 1
    else high = middle - 1
  }
  return undefined
}

/** Which series of a list are wanted: their places in it. */
export type Choose = (list: SeriesList) => readonly number[]

/** Of a list, a part with its own list. */
export interface ReadColumns {
  readonly digest: Buffer
  readonly keys: readonly SeriesKey[]
  readonly columns: Columns
}

/**
 * Blocks of some agents, whose entries are in ascending order of offset. Neighbours are read at once. A damaged block is left out and told.
 */
export async function* readBlocks(
  file: StoredFile,
  index: SegmentIndex,
  entries: readonly Entry[],
  choose: Choose,
  onDamage: (error: DamagedError) => void,
): AsyncGenerator<readonly ReadColumns[]> {
  for (const run of runsOf(entries)) {
    const start = run[0]?.offset ?? 0
    const end = run.reduce((furthest, { offset, length }) => Math.max(furthest, offset + length), 0)
    const bytes = await file.read(start, end - start)
    yield run.flatMap((entry) => decode(bytes.subarray(entry.offset - start, entry.offset - start + entry.length), entry, index, choose, onDamage))
  }
}

function* runsOf(entries: readonly Entry[]): Generator<readonly Entry[]> {
  let run: Entry[] = []
  let [start, end] = [0, 0]
  for (const entry of entries) {
    if (run.length > 0 && (entry.offset - end > MAX_GAP_BYTES || entry.offset + entry.length - start > MAX_READ_BYTES)) {
      yield run
      run = []
    }
    if (run.length === 0) start = entry.offset
    run.push(entry)
    end = entry.offset + entry.length
  }
  if (run.length > 0) yield run
}

function decode(block: Buffer, entry: Entry, index: SegmentIndex, choose: Choose, onDamage: (error: DamagedError) => void): readonly ReadColumns[] {
  const wanted = choose(entry.list)
  if (wanted.length === 0) return []
  try {
    if (block.length !== entry.length || crc32(block) !== entry.checksum) throw new DamagedError('a block has another checksum')
    const columns = readBlock(new ByteReader(block), index.slots, entry.list.keys.length, wanted)
    return [{ digest: entry.digest, keys: wanted.flatMap((at) => entry.list.keys[at] ?? []), columns }]
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error
    onDamage(error)
    return []
  }
}
