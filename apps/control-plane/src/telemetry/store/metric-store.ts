/**
 * The embedded store of the agents' own metrics. Points of the last minutes are in memory and in a journal; every five minutes a file of 10 s points
 * is written, every hour one of 1 min points is made from those, every day one of 15 min points.
 */
import { setImmediate } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { DamagedError } from './bytes.ts'
import { Catalogue, parseName, segmentName } from './catalogue.ts'
import type { Segment } from './catalogue.ts'
import { compact } from './compaction.ts'
import type { StoreFiles } from './files.ts'
import { OpenWindows } from './open-windows.ts'
import type { Written } from './open-windows.ts'
import type { TimedColumns } from './roll-up.ts'
import { SegmentReader } from './segment-reader.ts'
import { SegmentWriter, digestOf } from './segment.ts'
import type { Choose } from './segment.ts'
import { finest, startOf, tiers } from './tiers.ts'
import type { Tier } from './tiers.ts'
import { windowSlots } from './window.ts'
import type { Window } from './window.ts'

/** A file is written this long after its window ended, so that what covers the last minute still gets in. */
export const SEAL_AFTER_MS = 75_000
const RETRY_MS = 30_000
/** Agents that are encoded before everybody else has a turn. */
const AGENTS_PER_TURN = 50

export interface MetricStoreOptions {
  readonly files: StoreFiles
  readonly budgetBytes: number
  readonly nowMs: number
  readonly log: Pick<Logger, 'warn'>
}

export interface StoreQuery {
  readonly tier: Tier
  readonly agentIds: readonly string[]
  readonly fromMs: number
  readonly toMs: number
  readonly choose: Choose
}

export interface AgentBlock extends TimedColumns {
  readonly agentId: string
}

export interface StoreStatus {
  readonly bytes: number
  readonly budgetBytes: number
  readonly tiers: readonly { readonly tier: Tier; readonly bytes: number; readonly oldestMs: number | null }[]
  readonly damagedFiles: number
  readonly droppedWindows: number
}

export class MetricStore {
  readonly #files: StoreFiles
  readonly #budgetBytes: number
  readonly #log: Pick<Logger, 'warn'>
  readonly #catalogue = new Catalogue()
  readonly #windows: OpenWindows
  readonly #reader: SegmentReader
  readonly #damaged = new Set<string>()
  #work: Promise<boolean> = Promise.resolve(true)
  #upkeepAfterMs = 0

  private constructor({ files, budgetBytes, log }: MetricStoreOptions) {
    this.#files = files
    this.#budgetBytes = budgetBytes
    this.#log = log
    this.#windows = new OpenWindows(files)
    this.#reader = new SegmentReader(files, (name, error) => this.#onDamage(name, error))
  }

  /** Never fails because of what is in the files: what cannot be read is left out and told. */
  static async open(options: MetricStoreOptions): Promise<MetricStore> {
    const store = new MetricStore(options)
    await store.#load(options.nowMs)
    return store
  }

  /** At once, in memory; on its way to the journal with the next `tick`. */
  write(written: Written): void {
    this.#windows.write(written)
    if (this.#windows.shouldFlush) void this.#serially('journal', () => this.#windows.flush())
  }

  /** The windows that are in memory, oldest first. */
  openWindows(): readonly Window[] {
    return this.#windows.windows()
  }

  /** What is due: journal, files, coarser files, what is too old or too much. Never rejects; what fails is tried again with the next one. */
  async tick(nowMs: number): Promise<void> {
    await this.#serially('journal', () => this.#windows.flush())
    // A full disk is not asked each second whether it has room now.
    if (nowMs < this.#upkeepAfterMs) return
    const done = await this.#serially('upkeep', async () => {
      await this.#remove(this.#catalogue.expired(nowMs))
      await this.#keepBudget()
      await this.#seal(nowMs)
      for (const tier of tiers.slice(1)) await this.#compactReady(tier, nowMs)
    })
    this.#upkeepAfterMs = done ? 0 : nowMs + RETRY_MS
  }

  /** The finest tier that reaches back to `fromMs`, or else the one that reaches furthest. */
  tierFor(fromMs: number, nowMs: number): Tier {
    // A coarser tier is read from the finer ones as long as its file is not made.
    const reach = tiers.map((tier, at) => ({ tier, oldestMs: Math.min(...tiers.slice(0, at + 1).map((one) => this.#oldestMs(one)), this.#memoryMs()) }))
    const furthest = Math.min(...reach.map(({ oldestMs }) => oldestMs))
    const fit = reach.find(({ tier, oldestMs }) => fromMs >= nowMs - tier.plannedMs && (oldestMs <= fromMs || oldestMs === furthest))
    return fit?.tier ?? tiers[2]
  }

  /**
   * Blocks of a tier that touch a span, in no order; where a file of the tier is not made yet, the finer points it will be made from. Agents
   * come in any order, each with as many blocks as there are files.
   */
  async *read({ tier, agentIds, fromMs, toMs, choose }: StoreQuery): AsyncGenerator<readonly AgentBlock[]> {
    const names = new Map(agentIds.map((agentId) => [digestOf(agentId).toString('latin1'), agentId]))
    const digests = [...names.keys()].map((name) => Buffer.from(name, 'latin1')).toSorted((a, b) => Buffer.compare(a, b))
    for (const source of this.#sources(tier, fromMs, toMs)) {
      if ('window' in source) {
        yield agentIds.flatMap((agentId) => fromMemory(source.window, agentId, choose) ?? [])
        continue
      }
      const { startMs, tier: from } = source.segment
      for await (const blocks of this.#reader.read(source.segment, digests, choose))
        yield blocks.flatMap(({ digest, keys, columns }) => {
          const agentId = names.get(digest.toString('latin1'))
          return agentId === undefined ? [] : [{ agentId, startMs, stepMs: from.stepMs, keys, columns }]
        })
    }
  }

  status(): StoreStatus {
    return {
      bytes: this.#catalogue.bytes + this.#windows.journalBytes,
      budgetBytes: this.#budgetBytes,
      tiers: tiers.map((tier) => ({
        tier,
        bytes: this.#catalogue.bytesOf(tier),
        oldestMs: finite(Math.min(this.#oldestMs(tier), tier === finest ? this.#memoryMs() : Infinity)),
      })),
      damagedFiles: this.#damaged.size,
      droppedWindows: this.#windows.droppedWindows,
    }
  }

  /** Everything that was written is with the system when this resolves. */
  async close(): Promise<void> {
    await this.#serially('journal', () => this.#windows.flush())
    await this.#files.close()
  }

  async #load(nowMs: number): Promise<void> {
    const found = (await this.#files.list()).map(({ name, bytes }) => ({ bytes, entry: parseName(name, bytes) }))
    for (const { entry } of found) if (entry !== undefined && 'segment' in entry) this.#catalogue.add(entry.segment)
    const newest = this.#catalogue.of(finest).findLast(({ startMs }) => startMs <= nowMs)
    if (newest !== undefined) this.#windows.sealedUntil(newest.startMs + finest.windowMs)
    const journals = found.flatMap(({ bytes, entry }) => (entry !== undefined && 'journal' in entry ? [{ bytes, journal: entry.journal }] : []))
    for (const { journal, bytes } of journals.toSorted((a, b) => a.journal.part - b.journal.part)) {
      // The file was published, and only then would the journal have been removed.
      if (this.#catalogue.find(finest, journal.startMs) !== undefined) await this.#files.remove(journal.name)
      else if (!(await this.#windows.replay(journal, bytes))) this.#log.warn({ file: journal.name }, 'the end of a journal of own telemetry is missing')
    }
  }

  async #seal(nowMs: number): Promise<void> {
    for (const window of this.#windows.windows()) {
      const { startMs } = window
      if (startMs + finest.windowMs + SEAL_AFTER_MS > nowMs) continue
      const writer = new SegmentWriter()
      for (const [at, agent] of window.sorted().entries()) {
        writer.add(agent)
        if (at % AGENTS_PER_TURN === 0) await setImmediate()
      }
      await this.#publish(finest, startMs, writer.finish(windowSlots))
      await this.#windows.close(startMs)
    }
  }

  async #compactReady(tier: Tier, nowMs: number): Promise<void> {
    const finer = tiers[tiers.indexOf(tier) - 1] ?? finest
    for (const startMs of this.#catalogue.ready(tier, (from, to) => to + SEAL_AFTER_MS > nowMs || this.#windows.has(from, to))) {
      const segments = this.#catalogue.of(finer).filter((one) => startOf(one.startMs, tier.windowMs) === startMs)
      await this.#publish(tier, startMs, await compact(this.#reader, tier, startMs, segments))
    }
  }

  async #publish(tier: Tier, startMs: number, content: readonly Buffer[]): Promise<void> {
    const segment: Segment = { name: segmentName(tier, startMs), tier, startMs, bytes: content.reduce((sum, { length }) => sum + length, 0) }
    await this.#keepBudget(segment.bytes)
    await this.#files.publish(segment.name, content)
    this.#catalogue.add(segment)
  }

  async #keepBudget(comingBytes = 0): Promise<void> {
    await this.#remove(this.#catalogue.beyond(Math.max(0, this.#budgetBytes - comingBytes - this.#windows.journalBytes)))
  }

  async #remove(segments: readonly Segment[]): Promise<void> {
    for (const segment of segments) {
      await this.#files.remove(segment.name)
      this.#catalogue.remove(segment)
      this.#reader.forget(segment)
      this.#damaged.delete(segment.name)
    }
  }

  *#sources(tier: Tier, fromMs: number, toMs: number): Generator<{ readonly segment: Segment } | { readonly window: Window }> {
    const finer = tiers[tiers.indexOf(tier) - 1]
    const oldestMs = Math.min(...tiers.slice(0, tiers.indexOf(tier) + 1).map((one) => this.#oldestMs(one)), this.#memoryMs())
    for (let startMs = startOf(Math.max(fromMs, oldestMs), tier.windowMs); startMs < toMs; startMs += tier.windowMs) {
      const segment = this.#catalogue.find(tier, startMs)
      const window = finer === undefined ? this.#windows.find(startMs) : undefined
      if (window !== undefined) yield { window }
      else if (segment !== undefined) yield { segment }
      else if (finer !== undefined) yield* this.#sources(finer, Math.max(fromMs, startMs), Math.min(toMs, startMs + tier.windowMs))
    }
  }

  #oldestMs(tier: Tier): number {
    return this.#catalogue.of(tier)[0]?.startMs ?? Infinity
  }

  #memoryMs(): number {
    return this.#windows.windows()[0]?.startMs ?? Infinity
  }

  /** One after the other; false: it failed, which is told. */
  #serially(what: string, step: () => Promise<void>): Promise<boolean> {
    this.#work = this.#work.then(async () => {
      try {
        await step()
        return true
      } catch (error) {
        this.#log.warn({ err: error, what }, 'own telemetry could not be written')
        await this.#windows.dropExcess().catch(() => undefined)
        return false
      }
    })
    return this.#work
  }

  #onDamage(name: string, error: DamagedError): void {
    if (this.#damaged.has(name)) return
    this.#damaged.add(name)
    this.#log.warn({ file: name, err: error }, 'a file of own telemetry is damaged, and what is damaged left out')
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

function fromMemory(window: Window, agentId: string, choose: Choose): AgentBlock | undefined {
  const held = window.columns(agentId)
  if (held === undefined) return undefined
  const wanted = choose(held.list)
  const levels = new Uint16Array(wanted.length * windowSlots)
  wanted.forEach((at, place) => levels.set(held.levels.subarray(at * windowSlots, (at + 1) * windowSlots), place * windowSlots))
  return {
    agentId,
    startMs: window.startMs,
    stepMs: finest.stepMs,
    keys: wanted.flatMap((at) => held.list.keys[at] ?? []),
    columns: { slots: windowSlots, levels },
  }
}
