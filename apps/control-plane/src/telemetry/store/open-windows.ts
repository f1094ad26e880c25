/** The points that are in memory, and the journal that brings them back. */
import type { Journal } from './catalogue.ts'
import { journalName } from './catalogue.ts'
import type { StoreFiles } from './files.ts'
import { JournalWriter, readJournal } from './journal.ts'
import { ABSENT } from './level.ts'
import { finest, startOf } from './tiers.ts'
import { Window, levelsOf, windowSlots } from './window.ts'
import type { Row } from './window.ts'
import type { SeriesList } from './series.ts'

/** A window that cannot be written, as on a full disk, is given up for the newest ones: memory stays bounded. */
const MAX_WINDOWS = 4
/** Written early when there is so much. */
const MAX_PENDING_BYTES = 4 * 1024 * 1024

export interface Written {
  readonly agentId: string
  readonly atMs: number
  /** How far back what is told reaches: slots from then on without points get these. */
  readonly coveredMs: number
  readonly list: SeriesList
  /** In the list's order; NaN: not told. */
  readonly values: ArrayLike<number>
}

/** A journal and what it has on the disk. */
interface Kept extends Journal {
  bytes: number
}

interface OpenJournal {
  readonly journal: Kept
  readonly writer: JournalWriter
}

export class OpenWindows {
  readonly #files: StoreFiles
  readonly #windows = new Map<number, Window>()
  /** Oldest first; each is removed with its window. */
  readonly #journals: Kept[] = []
  readonly #open = new Map<number, OpenJournal>()
  #sealedUntilMs = 0
  #part = 0
  #droppedWindows = 0

  constructor(files: StoreFiles) {
    this.#files = files
  }

  get journalBytes(): number {
    return this.#journals.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  get droppedWindows(): number {
    return this.#droppedWindows
  }

  windows(): readonly Window[] {
    return [...this.#windows.values()].toSorted((a, b) => a.startMs - b.startMs)
  }

  find(startMs: number): Window | undefined {
    return this.#windows.get(startMs)
  }

  has(fromMs: number, toMs: number): boolean {
    return this.#windows.keys().some((startMs) => startMs >= fromMs && startMs < toMs)
  }

  /** Later points never go into windows before this. */
  sealedUntil(timeMs: number): void {
    this.#sealedUntilMs = Math.max(this.#sealedUntilMs, timeMs)
  }

  write({ agentId, atMs, coveredMs, list, values }: Written): void {
    const levels = levelsOf(values)
    const time = Math.max(atMs, this.#sealedUntilMs)
    const startMs = startOf(time, finest.windowMs)
    // The slot that begins where the sealed ones end is still open.
    const reachMs = Math.max(this.#sealedUntilMs - 1, time - Math.max(0, coveredMs))
    const before = startMs - finest.windowMs
    if (reachMs < startMs && this.#windows.has(before))
      this.#put(before, { agentId, list, levels, fromSlot: slotAfter(reachMs, before), slot: windowSlots - 1 }, true)
    this.#put(startMs, { agentId, list, levels, fromSlot: Math.min(slotAfter(reachMs, startMs), slotAt(time, startMs)), slot: slotAt(time, startMs) }, false)
  }

  /** A journal of an earlier run. */
  async replay(journal: Journal, bytes: number): Promise<boolean> {
    this.#part = Math.max(this.#part, journal.part)
    this.#journals.push({ ...journal, bytes })
    const file = await this.#files.open(journal.name)
    if (file === undefined) return true
    try {
      const window = this.#window(journal.startMs)
      return readJournal(await file.read(0, file.bytes), (row) => window.write(row))
    } finally {
      await file.close()
    }
  }

  /** Hands what was written since the last time to the system. */
  async flush(): Promise<void> {
    for (const [startMs, { journal, writer }] of this.#open) {
      const frame = writer.takeFrame()
      if (frame === undefined) continue
      try {
        await this.#files.append(journal.name, frame)
        journal.bytes += frame.length
      } catch (error) {
        // What follows in this file could not be read: the next points go to a new one.
        this.#open.delete(startMs)
        throw error
      }
    }
  }

  get shouldFlush(): boolean {
    return this.#open.values().some(({ writer }) => writer.pendingBytes > MAX_PENDING_BYTES)
  }

  /** The window is in a file now, or was given up. */
  async close(startMs: number): Promise<void> {
    this.#windows.delete(startMs)
    this.#open.delete(startMs)
    this.sealedUntil(startMs + finest.windowMs)
    for (const journal of this.#journals.filter((one) => one.startMs === startMs)) {
      await this.#files.remove(journal.name)
      this.#journals.splice(this.#journals.indexOf(journal), 1)
    }
  }

  /** When writing them failed for too long. */
  async dropExcess(): Promise<void> {
    for (const { startMs } of this.windows().slice(0, -MAX_WINDOWS)) {
      this.#droppedWindows++
      await this.close(startMs)
    }
  }

  /** `fill`: the last slot too only where there is nothing yet. */
  #put(startMs: number, row: Row, fill: boolean): void {
    const window = this.#window(startMs)
    const held = fill ? window.columns(row.agentId) : undefined
    // A point that was told for this slot itself stays.
    if (held !== undefined && hasSlot(held.levels, row.slot)) return
    window.write(row)
    this.#journalOf(startMs).writer.add(row)
  }

  #window(startMs: number): Window {
    const known = this.#windows.get(startMs)
    if (known !== undefined) return known
    const made = new Window(startMs)
    this.#windows.set(startMs, made)
    return made
  }

  #journalOf(startMs: number): OpenJournal {
    const known = this.#open.get(startMs)
    if (known !== undefined) return known
    const part = ++this.#part
    const made = { journal: { name: journalName(startMs, part), startMs, part, bytes: 0 }, writer: new JournalWriter() }
    this.#open.set(startMs, made)
    this.#journals.push(made.journal)
    return made
  }
}

function hasSlot(levels: Uint16Array, slot: number): boolean {
  for (let at = slot; at < levels.length; at += windowSlots) if (levels[at] !== ABSENT) return true
  return false
}

function slotAt(timeMs: number, startMs: number): number {
  return Math.floor((timeMs - startMs) / finest.stepMs)
}

/** The first slot that begins after a time. */
function slotAfter(timeMs: number, startMs: number): number {
  return Math.max(0, slotAt(timeMs, startMs) + 1)
}
