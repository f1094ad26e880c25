/** The agents table's filters as they stand in the address. Pure. */
import type { AgentListFilter } from '../../api/queries.ts'

const states = ['connected', 'disconnected', 'stale', 'healthy', 'unhealthy', 'applying', 'applied', 'failed', 'unmanaged'] as const
const sorts = ['name', '-name', 'lastSeenAt', '-lastSeenAt', 'firstSeenAt', '-firstSeenAt'] as const

export type AgentState = (typeof states)[number]
export type AgentSort = (typeof sorts)[number]
export type SortColumn = 'name' | 'lastSeenAt' | 'firstSeenAt'

export interface AgentSearch {
  readonly filter?: string
  readonly state?: AgentState
  readonly search?: string
  readonly sort?: AgentSort
}

export const stateLabels: Readonly<Record<AgentState, string>> = {
  connected: 'Connected',
  disconnected: 'Disconnected',
  stale: 'Stale',
  healthy: 'Healthy',
  unhealthy: 'Unhealthy',
  applying: 'Applying',
  applied: 'Applied',
  failed: 'Failed',
  unmanaged: 'Unmanaged',
}

/** What an address says; anything else in it is ignored rather than refused. */
export function parseAgentSearch(raw: Readonly<Record<string, unknown>>): AgentSearch {
  const state = states.find((known) => known === raw['state'])
  const sort = sorts.find((known) => known === raw['sort'])
  return {
    ...(typeof raw['filter'] === 'string' && raw['filter'].trim() !== '' ? { filter: raw['filter'] } : {}),
    ...(state === undefined ? {} : { state }),
    ...(typeof raw['search'] === 'string' && raw['search'] !== '' ? { search: raw['search'] } : {}),
    ...(sort === undefined || sort === 'name' ? {} : { sort }),
  }
}

/** The address with one thing changed; an empty value takes it out. */
export function withSearch(search: AgentSearch, change: { readonly [Key in keyof AgentSearch]: AgentSearch[Key] | undefined }): AgentSearch {
  return parseAgentSearch({ ...search, ...change })
}

export function toListFilter(search: AgentSearch): AgentListFilter {
  return { ...search, sort: search.sort ?? 'name' }
}

export const sortOf = (search: AgentSearch): { readonly column: SortColumn; readonly descending: boolean } => {
  const sort = search.sort ?? 'name'
  return sort.startsWith('-') ? { column: sort.slice(1) as SortColumn, descending: true } : { column: sort as SortColumn, descending: false } // as: every value of AgentSort is such a name, with or without the dash
}

/** What a click on a column's head sorts by next: names from A, times from the newest, then the other way round. */
export function nextSort(search: AgentSearch, column: SortColumn): AgentSort {
  const current = sortOf(search)
  if (current.column !== column) return column === 'name' ? 'name' : `-${column}`
  return current.descending ? column : `-${column}`
}
