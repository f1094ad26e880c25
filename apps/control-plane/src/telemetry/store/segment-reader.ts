/** Reads blocks of files, with the indexes of those that were read lately in memory. */
import { setImmediate } from 'node:timers/promises'
import type { Segment } from './catalogue.ts'
import { DamagedError } from './bytes.ts'
import type { StoredFile, StoreFiles } from './files.ts'
import { entryAt, findEntry, readBlocks, readIndex } from './segment.ts'
import type { Choose, Entry, ReadColumns, SegmentIndex } from './segment.ts'

const MAX_INDEX_BYTES = 16 * 1024 * 1024

export class SegmentReader {
  readonly #files: StoreFiles
  readonly #onDamage: (name: string, error: DamagedError) => void
  readonly #indexes = new Map<string, SegmentIndex>()
  #indexBytes = 0

  constructor(files: StoreFiles, onDamage: (name: string, error: DamagedError) => void) {
    this.#files = files
    this.#onDamage = onDamage
  }

  /** Of some agents, in ascending order of their digests. Nothing comes of a file that is gone or damaged. */
  async *read(segment: Segment, digests: readonly Buffer[], choose: Choose): AsyncGenerator<readonly ReadColumns[]> {
    yield* this.#with(segment, (index) => digests.flatMap((digest) => findEntry(index, digest) ?? []), choose)
  }

  /** Of all agents in the file, `count` at a time from the one at `from`, with their digests. */
  async *readRange(segment: Segment, from: number, to: number, choose: Choose): AsyncGenerator<readonly ReadColumns[]> {
    yield* this.#with(segment, (index) => Array.from({ length: Math.min(to, index.agents) - from }, (_, at) => entryAt(index, from + at)), choose)
  }

  async index(segment: Segment): Promise<SegmentIndex | undefined> {
    const known = this.#indexes.get(segment.name)
    if (known !== undefined) return known
    const file = await this.#files.open(segment.name)
    if (file === undefined) return undefined
    try {
      return await this.#indexOf(segment, file)
    } catch (error) {
      return this.#tell(segment, error)
    } finally {
      await file.close()
    }
  }

  forget({ name }: Segment): void {
    this.#indexBytes -= this.#indexes.get(name)?.bytes ?? 0
    this.#indexes.delete(name)
  }

  async *#with(segment: Segment, select: (index: SegmentIndex) => readonly Entry[], choose: Choose): AsyncGenerator<readonly ReadColumns[]> {
    const file = await this.#files.open(segment.name)
    if (file === undefined) return
    try {
      const index = await this.#indexOf(segment, file)
      for await (const blocks of readBlocks(file, index, select(index), choose, (error) => this.#onDamage(segment.name, error))) {
        yield blocks
        // Between two large reads everybody else has a turn.
        await setImmediate()
      }
    } catch (error) {
      this.#tell(segment, error)
    } finally {
      await file.close()
    }
  }

  async #indexOf(segment: Segment, file: StoredFile): Promise<SegmentIndex> {
    const known = this.#indexes.get(segment.name)
    this.forget(segment)
    const index = known ?? (await readIndex(file))
    this.forget(segment)
    this.#indexes.set(segment.name, index)
    this.#indexBytes += index.bytes
    for (const [name, { bytes }] of this.#indexes) {
      if (this.#indexBytes <= MAX_INDEX_BYTES || name === segment.name) break
      this.#indexes.delete(name)
      this.#indexBytes -= bytes
    }
    return index
  }

  #tell({ name }: Segment, error: unknown): undefined {
    if (!(error instanceof DamagedError)) throw error
    this.#onDamage(name, error)
    return undefined
  }
}
