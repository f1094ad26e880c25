/** Which files there are, and which of them have to go: pure bookkeeping, without a file opened. */
import { startOf, tiers } from './tiers.ts'
import type { Tier } from './tiers.ts'

export interface Segment {
  readonly name: string
  readonly tier: Tier
  readonly startMs: number
  readonly bytes: number
}

export interface Journal {
  readonly name: string
  /** Of the window whose points it has. */
  readonly startMs: number
  readonly part: number
}

/** Uncompacted points of the finest step are waited for this long beyond their time; then they go even so. */
const PATIENCE_MS = 6 * 60 * 60 * 1000

export const segmentName = (tier: Tier, startMs: number): string => `${tier.name}-${startMs}.points`
export const journalName = (startMs: number, part: number): string => `journal-${startMs}-${part}.rows`

/** Undefined: not one of our files, which is left alone. */
export function parseName(name: string, bytes: number): { readonly segment: Segment } | { readonly journal: Journal } | undefined {
  const [, journalStart, part] = /^journal-(\d{1,15})-(\d{1,9})\.rows$/.exec(name) ?? []
  if (journalStart !== undefined) return { journal: { name, startMs: Number(journalStart), part: Number(part) } }
  const [, tierName, start] = /^(\d+[sm])-(\d{1,15})\.points$/.exec(name) ?? []
  const tier = tiers.find((one) => one.name === tierName)
  const startMs = Number(start)
  return tier === undefined || startMs % tier.windowMs !== 0 ? undefined : { segment: { name, tier, startMs, bytes } }
}

export class Catalogue {
  readonly #segments = new Map<string, Segment>()
  readonly #sorted = new Map<Tier, readonly Segment[]>()

  add(segment: Segment): void {
    this.#segments.set(segment.name, segment)
    this.#sorted.delete(segment.tier)
  }

  remove({ name, tier }: Segment): void {
    this.#segments.delete(name)
    this.#sorted.delete(tier)
  }

  find(tier: Tier, startMs: number): Segment | undefined {
    return this.#segments.get(segmentName(tier, startMs))
  }

  /** Oldest first. */
  of(tier: Tier): readonly Segment[] {
    const known = this.#sorted.get(tier)
    if (known !== undefined) return known
    const sorted = [...this.#segments.values()].filter((segment) => segment.tier === tier).toSorted((a, b) => a.startMs - b.startMs)
    this.#sorted.set(tier, sorted)
    return sorted
  }

  bytesOf(tier: Tier): number {
    return this.of(tier).reduce((sum, { bytes }) => sum + bytes, 0)
  }

  get bytes(): number {
    let sum = 0
    for (const { bytes } of this.#segments.values()) sum += bytes
    return sum
  }

  /** Windows of a tier that can be made now: all that they are made of is there, and they are not. */
  ready(tier: Tier, isOpen: (fromMs: number, toMs: number) => boolean): readonly number[] {
    const at = tiers.indexOf(tier)
    const finer = tiers[at - 1]
    if (finer === undefined) return []
    const starts = new Set(this.of(finer).map(({ startMs }) => startOf(startMs, tier.windowMs)))
    const even = tiers[at - 2]
    return [...starts]
      .filter((startMs) => this.find(tier, startMs) === undefined && !isOpen(startMs, startMs + tier.windowMs))
      .filter((startMs) => even === undefined || this.ready(finer, isOpen).every((each) => startOf(each, tier.windowMs) !== startMs))
      .toSorted((a, b) => a - b)
  }

  /** Whose time is over. */
  expired(nowMs: number): readonly Segment[] {
    return [...this.#segments.values()].filter((segment) => {
      const overdueMs = nowMs - segment.tier.plannedMs - (segment.startMs + segment.tier.windowMs)
      return overdueMs >= 0 && (this.#isInCoarser(segment) || overdueMs >= PATIENCE_MS)
    })
  }

  /** What has to go so that `maxBytes` are left: the oldest of the finest step first; then the oldest of what is in no coarser step yet. */
  beyond(maxBytes: number): readonly Segment[] {
    const all = tiers.flatMap((tier) => this.of(tier))
    const pending = all.filter((one) => !this.#isInCoarser(one)).toSorted((a, b) => a.startMs - b.startMs)
    const victims: Segment[] = []
    let excess = this.bytes - maxBytes
    for (const segment of [...all.filter((one) => this.#isInCoarser(one)), ...pending]) {
      if (excess <= 0) break
      victims.push(segment)
      excess -= segment.bytes
    }
    return victims
  }

  #isInCoarser({ tier, startMs }: Segment): boolean {
    const coarser = tiers[tiers.indexOf(tier) + 1]
    return coarser === undefined || this.find(coarser, startOf(startMs, coarser.windowMs)) !== undefined
  }
}
