/** Reads of secrets, webhooks, templates and drafts as query options. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'

const LIST_LIMIT = 500

export const secretListQuery = queryOptions({
  queryKey: ['secrets', 'list'],
  queryFn: async ({ signal }) => (await api.listSecrets({ query: { limit: LIST_LIMIT }, signal })).data,
})

export const webhookListQuery = queryOptions({
  queryKey: ['webhooks', 'list'],
  queryFn: async ({ signal }) => (await api.listWebhooks({ query: { limit: LIST_LIMIT }, signal })).data,
  // Deliveries are no events: what waits is asked for.
  refetchInterval: 15_000,
})

export const deliveryListQuery = (name: string) =>
  infiniteQueryOptions({
    queryKey: ['webhooks', 'deliveries', name],
    queryFn: async ({ pageParam, signal }) => (await api.listWebhookDeliveries({ params: { name }, query: { cursor: pageParam, limit: 50 }, signal })).data,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: 10_000,
  })

/** Templates belong to the program, so they change only with it. */
export const templateListQuery = queryOptions({
  queryKey: ['templates'],
  queryFn: async ({ signal }) => (await api.listTemplates({ signal })).data.items,
  staleTime: Number.POSITIVE_INFINITY,
})

export const draftListQuery = queryOptions({
  queryKey: ['drafts', 'list'],
  queryFn: async ({ signal }) => (await api.listDrafts({ query: { limit: LIST_LIMIT }, signal })).data,
  // Saving a draft is no event.
  refetchInterval: 30_000,
})
