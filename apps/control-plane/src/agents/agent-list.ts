/** Pages of agents: filtered, searched, sorted, with cursors that stay valid while agents come and go. */
import type { AgentCounts, AgentStateFilter } from '@drover/api'
import { matches } from '@drover/fleet'
import type { Selector, Term } from '@drover/fleet'
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

export function listAgents(registry: Registry, lastSeen: (record: AgentRecord) => number | null, request: ListRequest): AgentPage {
  const place = parseCursor(request.cursor, request.sort)
  const keep = predicateOf(request)
  const countsKnow = request.filter === undefined && !request.search
  // From the start, one walk finds both the page and how many there are.
  const countHere = !countsKnow && place === undefined
  const records: AgentRecord[] = []
  let matching = 0
  for (const record of inOrder(registry, lastSeen, request.sort, place)) {
    if (!keep(record)) continue
    matching += 1
    if (records.length < request.limit) records.push(record)
    else if (!countHere) break
  }
  const last = records.at(-1)
  const more = matching > records.length
  const nextCursor = more && last !== undefined ? encodeCursor(request.sort, keyOf(last, request.sort, lastSeen), last.id) : null
  const total = countHere ? matching : countsKnow ? countFromCounts(registry, request.state) : countMatching(registry, keep)
  return { records, nextCursor, total }
}

function countFromCounts(registry: Registry, state: AgentStateFilter | undefined): number {
  return state === undefined ? registry.size : inState(registry.counts(), state)
}

function countMatching(registry: Registry, keep: (record: AgentRecord) => boolean): number {
  let total = 0
  for (const record of registry.all()) if (keep(record)) total += 1
  return total
}

/** The cheap tests first. */
function predicateOf({ filter, state, search }: ListRequest): (record: AgentRecord) => boolean {
  const wanted = search?.trim().toLowerCase() ?? ''
  const chosen = filter === undefined ? undefined : chooser(filter)
  return (record) =>
    (state === undefined ||
      isInState({ connected: record.connection !== undefined, stale: record.stale, healthy: record.healthy, configState: record.configState }, state)) &&
    (wanted === '' ||
      record.name.toLowerCase().includes(wanted) ||
      record.uid.includes(wanted) ||
      record.id.includes(wanted) ||
      hostContains(record, wanted)) &&
    (chosen === undefined || chosen(record))
}

/** Whether a filter chooses an agent. An agent may be in several groups: `drover.group = x` asks whether it is in the one, `!=` whether it is in none. */
export function chooser(filter: Selector): (record: AgentRecord) => boolean {
  const cheapFirst = filter.terms.toSorted((a, b) => Number(a.kind === 'matches') - Number(b.kind === 'matches'))
  const plain: Selector = { terms: cheapFirst.filter((term) => term.key !== GROUP_KEY) }
  const ofGroups = cheapFirst.filter((term) => term.key === GROUP_KEY)
  return (record) => matches(plain, filterLookupOf(record)) && ofGroups.every((term) => holdsForGroups(term, record.assignment?.groups ?? []))
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

function inOrder(registry: Registry, lastSeen: (record: AgentRecord) => number | null, sort: AgentSort, place: Place | undefined): Iterable<AgentRecord> {
  switch (sort) {
    case 'name':
      return registry.byName.after(place as { key: string; id: string } | undefined) // as: parseCursor checked the key's type
    case '-name':
      return registry.byName.before(place as { key: string; id: string } | undefined) // as: likewise
    case 'firstSeenAt':
      return registry.byFirstSeen.after(place as { key: number; id: string } | undefined) // as: likewise
    case '-firstSeenAt':
      return registry.byFirstSeen.before(place as { key: number; id: string } | undefined) // as: likewise
    case 'lastSeenAt':
    case '-lastSeenAt':
      return byLastSeen(registry, lastSeen, sort === 'lastSeenAt' ? 1 : -1, place)
  }
}

/** Every heartbeat moves it, so an index would cost each heartbeat; sorting when somebody looks costs only the looker. */
function byLastSeen(registry: Registry, lastSeen: (record: AgentRecord) => number | null, direction: 1 | -1, place: Place | undefined): AgentRecord[] {
  const entries: { record: AgentRecord; key: number }[] = []
  for (const record of registry.all()) {
    const key = lastSeen(record) ?? 0
    if (place === undefined || compare(key, record.id, Number(place.key), place.id) * direction > 0) entries.push({ record, key })
  }
  return entries.toSorted((a, b) => compare(a.key, a.record.id, b.key, b.record.id) * direction).map((entry) => entry.record)
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
