/** Reads of rollouts as query options. All keys begin with `rollouts`, which events about them make stale. */
import type { MemberState, OwnMetric, RolloutSummary } from '@drover/api'
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'

export interface RolloutFilter {
  readonly group?: string | undefined
  readonly agent?: string | undefined
  readonly state?: RolloutSummary['state'] | 'active' | 'over' | undefined
}

export const MEMBER_PAGE_SIZE = 50

export const rolloutListQuery = (filter: RolloutFilter, limit = 50) =>
  infiniteQueryOptions({
    queryKey: ['rollouts', 'list', filter, limit] as const,
    queryFn: async ({ pageParam, signal }) => (await api.listRollouts({ query: { ...filter, cursor: pageParam, limit }, signal })).data,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
  })

export const rolloutQuery = (rolloutId: string) =>
  queryOptions({
    queryKey: ['rollouts', 'one', rolloutId],
    queryFn: async ({ signal }) => (await api.getRollout({ params: { rolloutId }, signal })).data,
  })

export const decisionListQuery = (rolloutId: string) =>
  infiniteQueryOptions({
    queryKey: ['rollouts', 'decisions', rolloutId],
    queryFn: async ({ pageParam, signal }) => (await api.listRolloutDecisions({ params: { rolloutId }, query: { cursor: pageParam, limit: 30 }, signal })).data,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  })

export interface MemberFilter {
  readonly wave?: number | undefined
  readonly state?: MemberState | undefined
}

/** One page of members: a rollout can have 100,000 of them, so earlier pages are not kept up to date. */
export const memberPageQuery = (rolloutId: string, filter: MemberFilter, cursor: string | undefined) =>
  queryOptions({
    queryKey: ['rollouts', 'members', rolloutId, filter, cursor ?? ''],
    queryFn: async ({ signal }) =>
      (await api.listRolloutMembers({ params: { rolloutId }, query: { ...filter, cursor, limit: MEMBER_PAGE_SIZE }, signal })).data,
    placeholderData: keepPreviousData,
  })

export const rolloutSeriesQuery = (rolloutId: string, metric: OwnMetric) =>
  queryOptions({
    queryKey: ['rollouts', 'series', rolloutId, metric],
    queryFn: async ({ signal }) => (await api.getRolloutSeries({ params: { rolloutId, metric }, signal })).data,
    placeholderData: keepPreviousData,
  })

/** Presets belong to the program, so they change only with it. */
export const presetsQuery = queryOptions({
  queryKey: ['rollout-presets'],
  queryFn: async ({ signal }) => (await api.listPresets({ signal })).data.items,
  staleTime: Number.POSITIVE_INFINITY,
})
