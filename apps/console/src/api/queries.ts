/** Every read of the console as query options: one key and one call each. */
import type { AgentListQuery } from '@drover/api'
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { z } from 'zod'
import { api, rememberCsrfToken } from './client.ts'

/** What the agents table asks for, without the page. */
export type AgentListFilter = Omit<z.input<typeof AgentListQuery>, 'cursor' | 'limit'>

export const AGENT_PAGE_SIZE = 100
const LIST_LIMIT = 200

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }) => {
    const { data } = await api.getSession({ signal })
    rememberCsrfToken(data.csrfToken)
    return data
  },
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
})

export const statusQuery = queryOptions({ queryKey: ['status'], queryFn: async ({ signal }) => (await api.getStatus({ signal })).data })

export const fetchAgentPage = async (filter: AgentListFilter, cursor: string | undefined, signal?: AbortSignal) =>
  (await api.listAgents({ query: { ...filter, cursor, limit: AGENT_PAGE_SIZE }, ...(signal ? { signal } : {}) })).data

export const agentListQuery = (filter: AgentListFilter) =>
  infiniteQueryOptions({
    queryKey: ['agents', 'list', filter] as const,
    queryFn: ({ pageParam, signal }) => fetchAgentPage(filter, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
    // The table refreshes the pages in sight by itself; refetching every page ever scrolled to would be wasteful.
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    gcTime: 60_000,
  })

export const countsQuery = (filter?: string) =>
  queryOptions({
    queryKey: ['agents', 'counts', filter ?? ''],
    queryFn: async ({ signal }) => (await api.countAgents({ query: { filter }, signal })).data,
    placeholderData: keepPreviousData,
  })

export const historyQuery = queryOptions({
  queryKey: ['agents', 'history'],
  queryFn: async ({ signal }) => (await api.agentHistory({ signal })).data,
  refetchInterval: 10_000,
})

export const attributeKeysQuery = queryOptions({
  queryKey: ['agents', 'attributes'],
  queryFn: async ({ signal }) => (await api.listAttributeKeys({ signal })).data.items,
  staleTime: 60_000,
})

export const agentQuery = (agentId: string) =>
  queryOptions({
    queryKey: ['agent', agentId, 'detail'],
    queryFn: ({ signal }) => api.getAgent({ params: { agentId }, signal }),
    refetchInterval: 15_000,
  })

export const effectiveConfigQuery = (agentId: string) =>
  queryOptions({
    queryKey: ['agent', agentId, 'effective'],
    queryFn: async ({ signal }) => (await api.getEffectiveConfig({ params: { agentId }, signal })).data,
  })

export const desiredConfigQuery = (agentId: string) =>
  queryOptions({ queryKey: ['agent', agentId, 'desired'], queryFn: async ({ signal }) => (await api.getDesiredConfig({ params: { agentId }, signal })).data })

export const agentAttemptsQuery = (agentId: string) =>
  infiniteQueryOptions({
    queryKey: ['agent', agentId, 'attempts'],
    queryFn: async ({ pageParam, signal }) => (await api.listAgentAttempts({ params: { agentId }, query: { cursor: pageParam }, signal })).data,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  })

/** A few of the agents that failed the configuration they should have. */
export const failedAgentsQuery = queryOptions({
  queryKey: ['agents', 'failed'],
  queryFn: async ({ signal }) => (await api.listAgents({ query: { state: 'failed', sort: '-lastSeenAt', limit: 5 }, signal })).data,
})

export interface EventFilter {
  readonly kind?: string | undefined
  readonly subject?: string | undefined
}

/** Newest first; the next page is what lies before the oldest event shown. */
export const eventListQuery = (filter: EventFilter, limit = 100) =>
  infiniteQueryOptions({
    queryKey: ['events', filter, limit] as const,
    queryFn: async ({ pageParam, signal }) => (await api.listEvents({ query: { ...filter, before: pageParam, limit }, signal })).data,
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => (page.nextCursor === null ? undefined : page.items.at(-1)?.id),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  })

export const configListQuery = (search?: string) =>
  infiniteQueryOptions({
    queryKey: ['configs', 'list', search ?? ''],
    queryFn: async ({ pageParam, signal }) => (await api.listConfigs({ query: { cursor: pageParam, limit: LIST_LIMIT, search }, signal })).data,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
  })

export const configQuery = (name: string) =>
  queryOptions({ queryKey: ['configs', 'one', name], queryFn: ({ signal }) => api.getConfig({ params: { name }, signal }) })

export const versionListQuery = (name: string) =>
  infiniteQueryOptions({
    queryKey: ['configs', 'versions', name],
    queryFn: async ({ pageParam, signal }) => (await api.listVersions({ params: { name }, query: { cursor: pageParam }, signal })).data,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  })

/** A version never changes once it exists. */
export const versionQuery = (name: string, version: number) =>
  queryOptions({
    queryKey: ['config-version', name, version],
    queryFn: async ({ signal }) => (await api.getVersion({ params: { name, version }, signal })).data,
    staleTime: Number.POSITIVE_INFINITY,
  })

export const groupListQuery = infiniteQueryOptions({
  queryKey: ['groups', 'list'],
  queryFn: async ({ pageParam, signal }) => (await api.listGroups({ query: { cursor: pageParam, limit: LIST_LIMIT }, signal })).data,
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.nextCursor ?? undefined,
})

export const groupQuery = (name: string) =>
  queryOptions({ queryKey: ['groups', 'one', name], queryFn: ({ signal }) => api.getGroup({ params: { name }, signal }) })

export const revisionListQuery = (name: string) =>
  infiniteQueryOptions({
    queryKey: ['groups', 'revisions', name],
    queryFn: async ({ pageParam, signal }) => (await api.listRevisions({ params: { name }, query: { cursor: pageParam }, signal })).data,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  })

export const enrolmentTokensQuery = queryOptions({
  queryKey: ['tokens', 'enrolment'],
  queryFn: async ({ signal }) => (await api.listEnrolmentTokens({ query: { limit: LIST_LIMIT }, signal })).data,
})

export const apiTokensQuery = queryOptions({
  queryKey: ['tokens', 'api'],
  queryFn: async ({ signal }) => (await api.listApiTokens({ query: { limit: LIST_LIMIT }, signal })).data,
})
