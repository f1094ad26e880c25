/** Pages of agents: filtered, searched, sorted, with cursors that stay valid while agents come and go. */
import { setImmediate } from 'node:timers/promises'
import type { AgentCounts, AgentStateFilter } from '@drover/api'
import { matches } from '@drover/fleet'
import type { Lookup, Selector, Term } from '@drover/fleet'
import { InvalidInputError } from '../http/errors.ts'
import { decodeCursor, encodeCursor } from '../http/paging.ts'
import { filterLookupOf } from './agent-record.ts'
import type { AgentRecord } from './agent-record.ts'
import { attribute } from './attributes.ts'
import { count, emptyCounts, inState, isInState } from './counts.ts'
import type { Registry } from './registry.ts'

export type AgentSort = 'name' | '-name' | 'lastSeenAt' | '-lastSeenAt' | 'firstSeenAt' | '-firstSeenAt'

export interface ListRequest {
  readonly filter?: Selector
  readonly state?: AgentStateFilter
  readonly search?: string
  readonly sort: AgentSort
  readonly limit: number
  readonly cursor?: string
}

export interface AgentPage {
  readonly records: readonly AgentRecord[]
  readonly nextCursor: string | null
  readonly total: number
}

interface Place {
  readonly key: string | number
  readonly id: string
}

/** Agents looked at before others get their turn. */
const SLICE = 1_000

type LastSeen = (record: AgentRecord) => number | null

/** Rejects when the cursor is not one of its own. What changes while it looks may be in the answer or not. */
export async function listAgents(registry: Registry, lastSeen: LastSeen, request: ListRequest): Promise<AgentPage> {
  const place = parseCursor(request.cursor, request.sort)
  const keep = predicateOf(request)
  const countsKnow = request.filter === undefined && !request.search
  // From the start, one walk finds both the page and how many there are.
  const countHere = !countsKnow && place === undefined
  const find = isByLastSeen(request.sort) ? findByLastSeen : findInOrder
  const { found, matching } = await find(registry, lastSeen, { ...request, place, keep, countAll: countHere })
  const records = found.slice(0, request.limit)
  const last = records.at(-1)
  const nextCursor = found.length > records.length && last !== undefined ? encodeCursor(request.sort, keyOf(last, request.sort, lastSeen), last.id) : null
  const total = countHere ? matching : countsKnow ? countFromCounts(registry, request.state) : await countMatching(registry, keep)
  return { records, nextCursor, total }
}

interface Search extends ListRequest {
  readonly place: Place | undefined
  readonly keep: (record: AgentRecord) => boolean
  /** Whether to go on after the page for the sake of `matching`. */
  readonly countAll: boolean
}

interface Found {
  /** The page and one more, if there is more. */
  readonly found: readonly AgentRecord[]
  readonly matching: number
}

async function findInOrder(registry: Registry, _lastSeen: LastSeen, { sort, limit, place, keep, countAll }: Search): Promise<Found> {
  const found: AgentRecord[] = []
  let matching = 0
  for (let from = place; ; await setImmediate()) {
    let last: AgentRecord | undefined
    let looked = 0
    for (const record of inOrder(registry, sort, from)) {
      last = record
      if (keep(record)) {
        matching += 1
        if (found.length <= limit) found.push(record)
        else if (!countAll) return { found, matching }
      }
      if (++looked === SLICE) break
    }
    if (looked < SLICE || last === undefined) return { found, matching }
    // The index may change before the next slice, so it begins at a place and not at a position.
    from = { key: sort.endsWith('name') ? last.name : last.firstSeenAt, id: last.id }
  }
}

/** Every heartbeat moves it, so an index would cost each heartbeat; looking at all agents when somebody asks costs only the asker. */
async function findByLastSeen(registry: Registry, lastSeen: LastSeen, { sort, limit, place, keep }: Search): Promise<Found> {
  const direction = sort === 'lastSeenAt' ? 1 : -1
  const inSequence = (a: Seen, b: Seen) => compare(a.key, a.record.id, b.key, b.record.id) * direction
  let best: Seen[] = []
  let matching = 0
  let looked = 0
  for (const record of registry.all()) {
    if (++looked % SLICE === 0) await setImmediate()
    if (!keep(record)) continue
    const key = lastSeen(record) ?? 0
    if (place !== undefined && compare(key, record.id, Number(place.key), place.id) * direction <= 0) continue
    matching += 1
    best.push({ record, key })
    if (best.length > SLICE + limit) best = best.toSorted(inSequence).slice(0, limit + 1)
  }
  return {
    found: best
      .toSorted(inSequence)
      .slice(0, limit + 1)
      .map(({ record }) => record),
    matching,
  }
}

interface Seen {
  readonly record: AgentRecord
  readonly key: number
}

function countFromCounts(registry: Registry, state: AgentStateFilter | undefined): number {
  return state === undefined ? registry.size : inState(registry.counts(), state)
}

async function countMatching(registry: Registry, keep: (record: AgentRecord) => boolean): Promise<number> {
  let total = 0
  let looked = 0
  for (const record of registry.all()) {
    if (keep(record)) total += 1
    if (++looked % SLICE === 0) await setImmediate()
  }
  return total
}

/** The cheap tests first. */
function predicateOf({ filter, state, search }: ListRequest): (record: AgentRecord) => boolean {
  const wanted = search?.trim().toLowerCase() ?? ''
  const chosen = filter === undefined ? undefined : chooser(filter)
  // Most words that people search for cannot be in an id at all.
  const mayBeUid = /^[0-9a-f-]+$/.test(wanted)
  const mayBeId = /^[0-9a-v_]+$/.test(wanted)
  return (record) =>
    (state === undefined ||
      isInState({ connected: record.connection !== undefined, stale: record.stale, healthy: record.healthy, configState: record.configState }, state)) &&
    (wanted === '' ||
      record.name.toLowerCase().includes(wanted) ||
      (mayBeUid && record.uid.includes(wanted)) ||
      (mayBeId && record.id.includes(wanted)) ||
      hostContains(record, wanted)) &&
    (chosen === undefined || chosen(record))
}

/** Whether a filter chooses an agent. An agent may be in several groups: `drover.group = x` asks whether it is in the one, `!=` whether it is in none. */
export function chooser(filter: Selector): (record: AgentRecord) => boolean {
  const ofGroups = filter.terms.filter((term) => term.key === GROUP_KEY)
  const others = filter.terms.filter((term) => term.key !== GROUP_KEY)
  const plain: Selector = { terms: others.filter((term) => term.kind !== 'matches') }
  const patterns = others.filter((term) => term.kind === 'matches').map(remembering)
  return (record) => {
    const lookup = filterLookupOf(record)
    return matches(plain, lookup) && patterns.every((holds) => holds(lookup)) && ofGroups.every((term) => holdsForGroups(term, record.assignment?.groups ?? []))
  }
}

const MAX_REMEMBERED = 10_000

/** A fleet repeats its values, and a pattern takes a hundred times longer than to look a text up. */
function remembering(term: Term): (lookup: Lookup) => boolean {
  const selector: Selector = { terms: [term] }
  const known = new Map<string | undefined, boolean>()
  return (lookup) => {
    const value = lookup(term.key)
    const found = known.get(value)
    if (found !== undefined) return found
    const holds = matches(selector, () => value)
    if (known.size < MAX_REMEMBERED) known.set(value, holds)
    return holds
  }
}

const GROUP_KEY = 'drover.group'

function holdsForGroups(term: Term, groups: readonly string[]): boolean {
  const selector: Selector = { terms: [term] }
  if (groups.length === 0) return matches(selector, () => undefined)
  const negated = term.kind !== 'in' && term.negated
  const holds = (group: string) => matches(selector, () => group)
  return negated ? groups.every(holds) : groups.some(holds)
}

function hostContains(record: AgentRecord, wanted: string): boolean {
  const host = attribute(record.attributes, 'host.name')
  return host !== undefined && host !== record.name && host.toLowerCase().includes(wanted)
}

function isByLastSeen(sort: AgentSort): boolean {
  return sort === 'lastSeenAt' || sort === '-lastSeenAt'
}

function inOrder(registry: Registry, sort: AgentSort, place: Place | undefined): Iterable<AgentRecord> {
  const byName = place as { key: string; id: string } | undefined // as: parseCursor checked the key's type
  const byTime = place as { key: number; id: string } | undefined // as: likewise
  if (sort === 'name') return registry.byName.after(byName)
  if (sort === '-name') return registry.byName.before(byName)
  return sort === 'firstSeenAt' ? registry.byFirstSeen.after(byTime) : registry.byFirstSeen.before(byTime)
}

function compare(aKey: number, aId: string, bKey: number, bId: string): number {
  if (aKey !== bKey) return aKey - bKey
  return aId < bId ? -1 : aId > bId ? 1 : 0
}

function keyOf(record: AgentRecord, sort: AgentSort, lastSeen: (record: AgentRecord) => number | null): string | number {
  if (sort.endsWith('name')) return record.name
  return sort.endsWith('firstSeenAt') ? record.firstSeenAt : (lastSeen(record) ?? 0)
}

function parseCursor(cursor: string | undefined, sort: AgentSort): Place | undefined {
  const parts = decodeCursor(cursor, 3)
  if (parts === undefined) return undefined
  const [of, key = '', id = ''] = parts
  const place = { key: sort.endsWith('name') ? key : Number(key), id }
  if (of !== sort || Number.isNaN(place.key))
    throw new InvalidInputError('the cursor is from a list in another order: begin again without it', [
      { field: 'query.cursor', message: 'is from a list in another order' },
    ])
  return place
}

/** Counts whom a filter chooses, by looking at each. */
export function countChosen(registry: Registry, chosen: (record: AgentRecord) => boolean): AgentCounts {
  const counts = emptyCounts()
  for (const record of registry.all()) {
    if (chosen(record))
      count(counts, { connected: record.connection !== undefined, stale: record.stale, healthy: record.healthy, configState: record.configState }, 1)
  }
  return counts
}
