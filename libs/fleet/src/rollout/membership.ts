/**
 * Which wave an Agent is in. The rule, in full:
 *
 * - Agents are put in the order of a hash of their id and the rollout's: the same for ever, another for each rollout.
 * - Waves are filled at the start, in this order. Counts and percentages take only Agents that are reachable then; rings
 *   take everybody they choose; the last wave has everybody who is left, so also those who were not reachable.
 * - A percentage is of the weight of the whole group and includes earlier waves. It is rounded down, so that it is never
 *   exceeded, except that the first wave has at least one Agent. Of three Agents, 1 % are one, 50 % are one, 100 % are three.
 * - Waves that would be empty are left out.
 * - A late joiner belongs to the first ring that chooses it; otherwise to the wave whose part of the order it falls in. A
 *   wave that is a count and has its number, is passed over. A wave that is open already takes it at once.
 * - An Agent stays in its wave when it is relabelled within the group. One that leaves the group counts no more,
 *   unless it left while it counted as bad. One that comes back is a late joiner.
 * - When the rollout is over, an Agent that has its outcome keeps it. Those that were away, busy or lost, and late joiners, are followed
 *   until they have one.
 */
import { type Lookup, matches, parseSelector, type Selector } from '../selector.ts'
import type { Counters } from './member-state.ts'
import type { RolloutPlan, WaveSpec } from './plan.ts'

/** How one wave was filled, and how it goes. */
export interface Wave {
  /** Of the plan; null: those whom it does not name. */
  readonly spec: number | null
  /** For people: `3 agents`, `10 %`, `ring canary`, `the rest`. */
  readonly label: string
  /** Agents in it at the start. */
  readonly size: number
  /** Of those, who could be reached then. */
  readonly reachable: number
  /** Upper end of its part of the order; null: it takes nobody by order. */
  readonly bound: number | null
  readonly soakMs: number
  readonly counters: Counters
  /** How often an Agent was released from it, and how often one may be. */
  readonly released: number
  readonly granted: number
  /** Late joiners that are under way or wait. */
  readonly lateBlocking: number
  /** Left the group while they counted as bad. */
  readonly leftBad: number
  /** Bad ones that a person has seen and let pass. */
  readonly excused: number
  readonly openedAt: number | null
}

export interface Candidate {
  readonly agent: string
  readonly reachable: boolean
  readonly lookup: Lookup
}

export interface Placement {
  readonly agent: string
  readonly wave: number
  /** Its place in the order; releases follow it. */
  readonly point: number
  /** It joined after the start. */
  readonly late: boolean
}

/** A whole number below 2^32: FNV-1a with the finalizer of MurmurHash3, over UTF-16 code units. Stored placements depend on it. */
export function pointOf(rollout: string, agent: string): number {
  let hash = 0x811c9dc5
  for (const text of [rollout, '/', agent])
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      hash = Math.imul(hash ^ (unit & 0xff), 0x01000193)
      hash = Math.imul(hash ^ (unit >>> 8), 0x01000193)
    }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Batches get larger rather than that a rollout has more. */
const maxBatches = 400

interface Placed extends Candidate {
  readonly point: number
  readonly weight: number
}

interface Filled {
  readonly spec: number | null
  readonly label: string
  readonly soakMs: number
  readonly ordered: boolean
  readonly members: readonly Placed[]
}

/** Fills the waves. Call it once, when the rollout is started. */
export function placeMembers(
  plan: RolloutPlan,
  rollout: string,
  candidates: Iterable<Candidate>,
): { readonly waves: readonly Wave[]; readonly placements: readonly Placement[] } {
  const weightOf = compileWeights(plan)
  const all = Array.from(candidates, (one): Placed => ({ ...one, point: pointOf(rollout, one.agent), weight: weightOf(one.lookup) }))
  const ordered = all.toSorted((a, b) => a.point - b.point || (a.agent < b.agent ? -1 : 1))
  const filled = fill(plan, ordered).filter(({ members }) => members.length > 0)
  const rest = { spec: null, label: 'the rest', soakMs: plan.soakMs, ordered: false, members: [] }
  const waves = (filled.length === 0 ? [rest] : filled).map(toWave)
  const placements = filled.flatMap(({ members }, wave) => members.map(({ agent, point }) => ({ agent, wave, point, late: false })))
  return { waves, placements }
}

function compileWeights(plan: RolloutPlan): (lookup: Lookup) => number {
  const rules = plan.weights.map(({ selector, weight }) => ({ selector: parseSelector(selector, 'group'), weight }))
  return (lookup) => rules.find(({ selector }) => matches(selector, lookup))?.weight ?? 1
}

function fill(plan: RolloutPlan, ordered: readonly Placed[]): readonly Filled[] {
  const filled: Filled[] = []
  const total = sumOfWeights(ordered)
  let left = ordered
  const take = (spec: number | null, label: string, soakMs: number, isOrdered: boolean, members: readonly Placed[]): void => {
    const taken = new Set(members)
    left = left.filter((one) => !taken.has(one))
    filled.push({ spec, label, soakMs, ordered: isOrdered, members })
  }
  const percentOf = (percent: number): readonly Placed[] => {
    const room = (total * percent) / 100 - (total - sumOfWeights(left))
    return untilWeight(reachable(left), room, left.length === ordered.length)
  }
  plan.waves.forEach((spec, index) => {
    const soakMs = spec.soakMs ?? plan.soakMs
    switch (spec.kind) {
      case 'count':
        return take(index, labelOf(spec), soakMs, true, reachable(left).slice(0, spec.count))
      case 'percent':
        return take(index, labelOf(spec), soakMs, true, percentOf(spec.percent))
      case 'ring': {
        const selector = parseSelector(spec.selector, 'group')
        return take(
          index,
          labelOf(spec),
          soakMs,
          false,
          left.filter(({ lookup }) => matches(selector, lookup)),
        )
      }
      case 'growing':
        for (const batch of batchesOf(reachable(left), spec)) take(index, agents(batch.length), soakMs, true, batch)
        return
      default:
        return spec satisfies never
    }
  })
  take(null, 'the rest', plan.soakMs, false, left)
  return filled
}

const reachable = (members: readonly Placed[]): readonly Placed[] => members.filter((one) => one.reachable)
const sumOfWeights = (members: readonly Placed[]): number => members.reduce((sum, { weight }) => sum + weight, 0)
const agents = (count: number): string => (count === 1 ? '1 agent' : `${count} agents`)

/** Rounded down; at least one when `atLeastOne`. */
function untilWeight(members: readonly Placed[], room: number, atLeastOne: boolean): readonly Placed[] {
  let weight = 0
  const end = members.findIndex((one) => {
    weight += one.weight
    // A percentage of a whole number may be a little too small in floating point: 29 % of 100 are 29.
    return weight > room + 1e-6
  })
  const count = end === -1 ? members.length : end
  return members.slice(0, Math.max(count, atLeastOne ? 1 : 0))
}

function* batchesOf(members: readonly Placed[], { first, factor, max, maxPercent = 0 }: Extract<WaveSpec, { kind: 'growing' }>): Generator<readonly Placed[]> {
  const largest = Math.max(max, Math.floor((members.length * maxPercent) / 100), Math.ceil(members.length / maxBatches))
  let size = first
  for (let offset = 0; offset < members.length; ) {
    yield members.slice(offset, offset + Math.floor(size))
    offset += Math.floor(size)
    size = Math.min(size * factor, largest)
  }
}

function labelOf(spec: Exclude<WaveSpec, { kind: 'growing' }>): string {
  switch (spec.kind) {
    case 'count':
      return agents(spec.count)
    case 'percent':
      return `${spec.percent} %`
    case 'ring':
      return `ring ${spec.name}`
    default:
      return spec satisfies never
  }
}

function toWave({ spec, label, soakMs, ordered, members }: Filled): Wave {
  return {
    spec,
    label,
    size: members.length,
    reachable: reachable(members).length,
    bound: ordered ? (members.at(-1)?.point ?? null) : null,
    soakMs,
    counters: members.length === 0 ? {} : { pending: members.length },
    released: 0,
    granted: 0,
    lateBlocking: 0,
    leftBad: 0,
    excused: 0,
    openedAt: null,
  }
}

const rings = new WeakMap<WaveSpec, Selector>()

/** Where an Agent that joins after the start belongs. */
export function placeLate(plan: RolloutPlan, rollout: string, waves: readonly Wave[], agent: string, lookup: Lookup): Placement {
  const point = pointOf(rollout, agent)
  const ring = waves.findIndex(({ spec }) => {
    const of = spec === null ? undefined : plan.waves[spec]
    return of?.kind === 'ring' && matches(ringSelector(of), lookup)
  })
  if (ring !== -1) return { agent, wave: ring, point, late: true }
  const wave = waves.findIndex((one) => one.bound !== null && point <= one.bound && !isFull(plan, one))
  return { agent, wave: wave === -1 ? waves.length - 1 : wave, point, late: true }
}

function ringSelector(spec: Extract<WaveSpec, { kind: 'ring' }>): Selector {
  const known = rings.get(spec)
  if (known !== undefined) return known
  const selector = parseSelector(spec.selector, 'group')
  rings.set(spec, selector)
  return selector
}

function isFull(plan: RolloutPlan, { spec, size, counters }: Wave): boolean {
  const of = spec === null ? undefined : plan.waves[spec]
  if (of === undefined || of.kind === 'percent' || of.kind === 'ring') return false
  return Object.values(counters).reduce((sum, count) => sum + count, 0) >= size
}
