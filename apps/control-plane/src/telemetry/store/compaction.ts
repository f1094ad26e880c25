/** Makes a file of a coarser tier from the files of the finer one, a few agents at a time. */
import { setImmediate } from 'node:timers/promises'
import type { Segment } from './catalogue.ts'
import { RollUp } from './roll-up.ts'
import { SegmentWriter, entryAt } from './segment.ts'
import type { SegmentIndex } from './segment.ts'
import type { SegmentReader } from './segment-reader.ts'
import { slotsOf } from './tiers.ts'
import type { Tier } from './tiers.ts'

/** Few enough that nobody waits for them noticeably. */
const AGENTS_AT_A_TIME = 8
const DIGEST_HEX = 'hex'

interface Source {
  readonly segment: Segment
  readonly index: SegmentIndex
  /** The next agent that was not taken yet. */
  next: number
}

/** The content of the file; it may have no agents in it. */
export async function compact(reader: SegmentReader, tier: Tier, startMs: number, segments: readonly Segment[]): Promise<readonly Buffer[]> {
  const sources: Source[] = []
  for (const segment of segments) {
    const index = await reader.index(segment)
    if (index !== undefined) sources.push({ segment, index, next: 0 })
  }
  const writer = new SegmentWriter()
  for (let agents = await takeSome(reader, tier, startMs, sources); agents.length > 0; agents = await takeSome(reader, tier, startMs, sources)) {
    for (const [digest, rollUp] of agents) writer.add({ digest: Buffer.from(digest, DIGEST_HEX), ...rollUp.columns() })
    await setImmediate()
  }
  return writer.finish(slotsOf(tier))
}

/** The next agents of all sources, in ascending order. */
async function takeSome(reader: SegmentReader, tier: Tier, startMs: number, sources: readonly Source[]): Promise<readonly (readonly [string, RollUp])[]> {
  const last = sources.flatMap((source) => digestAt(source, Math.min(source.next + AGENTS_AT_A_TIME, source.index.agents) - 1) ?? []).toSorted()[0]
  const agents = new Map<string, RollUp>()
  if (last === undefined) return []
  for (const source of sources) {
    const from = source.next
    for (let digest = digestAt(source, source.next); digest !== undefined && digest <= last; digest = digestAt(source, source.next)) source.next++
    if (source.next === from) continue
    const { stepMs } = source.segment.tier
    for await (const blocks of reader.readRange(source.segment, from, source.next, ({ keys }) => keys.map((_, at) => at)))
      for (const { digest, keys, columns } of blocks) {
        const name = digest.toString(DIGEST_HEX)
        let rollUp = agents.get(name)
        if (rollUp === undefined) agents.set(name, (rollUp = new RollUp(startMs, tier.stepMs, slotsOf(tier))))
        rollUp.add({ startMs: source.segment.startMs, stepMs, keys, columns })
      }
  }
  return [...agents].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function digestAt({ index, next }: Source, at: number): string | undefined {
  return at < next || at >= index.agents ? undefined : entryAt(index, at).digest.toString(DIGEST_HEX)
}
