/** Pages of agents: filtered, searched, sorted, with cursors that stay valid while agents come and go. */
import type { AgentStateFilter } from '@drover/api'
import { matches } from '@drover/fleet'
import type { Selector, Term } from '@drover/fleet'
import { InvalidInputError } from '../http/errors.ts'
import { decodeCursor, encodeCursor } from '../http/paging.ts'
import { filterLookupOf } from './agent-record.ts'
import type { AgentRecord } from './agent-record.ts'
import { inState, isInState } from './counts.ts'
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
  const records: AgentRecord[] = []
  let more = false
  for (const record of inOrder(registry, lastSeen, request.sort, place)) {
    if (!keep(record)) continue
    more = records.length === request.limit
    if (more) break
    records.push(record)
  }
  const last = records.at(-1)
  const nextCursor = more && last !== undefined ? encodeCursor(request.sort, keyOf(last, request.sort, lastSeen), last.id) : null
  return { records, nextCursor, total: countMatching(registry, request, keep) }
}

function countMatching(registry: Registry, request: ListRequest, keep: (record: AgentRecord) => boolean): number {
  if (request.filter === undefined && !request.search) return request.state === undefined ? registry.size : inState(registry.counts(), request.state)
  let total = 0
  for (const record of registry.all()) if (keep(record)) total += 1
  return total
}

/** The cheap tests first. */
function predicateOf({ filter, state, search }: ListRequest): (record: AgentRecord) => boolean {
  const wanted = search?.trim().toLowerCase() ?? ''
  return (record) =>
    (state === undefined || isInState({ connected: record.connection !== undefined, stale: record.stale, healthy: record.healthy, configState: record.configState }, state)) &&
    (wanted === '' || record.name.toLowerCase().includes(wanted) || record.uid.includes(wanted) || record.id.includes(wanted) || hostContains(record, wanted)) &&
    (filter === undefined || chooses(filter, record))
}

/** An agent may be in several groups: `=` asks whether it is in the one, `!=` whether it is in none. */
export function chooses(filter: Selector, record: AgentRecord): boolean {
  const lookup = filterLookupOf(record)
  return filter.terms.every((term) => (term.key === GROUP_KEY ? holdsForGroups(term, record.assignment?.groups ?? []) : matches({ terms: [term] }, lookup)))
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
  const at = record.attributes.indexOf('host.name')
  return at >= 0 && record.attributes[at + 1]?.toLowerCase().includes(wanted) === true
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
  if (of !== sort || Number.isNaN(place.key)) throw new InvalidInputError('the cursor is from a list in another order: begin again without it', [{ field: 'query.cursor', message: 'is from a list in another order' }])
  return place
}
