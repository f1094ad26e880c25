/** The agents that match a filter, page by page, with the pages in sight kept fresh as events arrive. */
import type { AgentSummary } from '@drover/api'
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useRef } from 'react'
import { useLiveBursts } from '../../api/live.tsx'
import { type AgentListFilter, agentListQuery, fetchAgentPage } from '../../api/queries.ts'

/** Between refreshes of the pages in sight, however many events arrive. */
const SHORTEST_REFRESH_MS = 500
/** "Last seen" changes without an event. */
const IDLE_REFRESH_MS = 15_000

/** Rows of all pages; one that moved to another page between two reads is shown once. */
export function distinctAgents(pages: readonly { readonly items: readonly AgentSummary[] }[]): readonly AgentSummary[] {
  return [...new Map(pages.flatMap((page) => page.items).map((agent) => [agent.id, agent])).values()]
}

export function useAgentPages(filter: AgentListFilter) {
  const query = useInfiniteQuery(agentListQuery(filter))
  const pages = query.data?.pages
  const agents = useMemo(() => distinctAgents(pages ?? []), [pages])
  const setPagesInSight = usePageRefresh(filter)
  return { query, agents, total: pages?.[0]?.total ?? 0, setPagesInSight }
}

function usePageRefresh(filter: AgentListFilter) {
  const client = useQueryClient()
  const inSight = useRef<readonly [first: number, last: number]>([0, 0])
  const work = useRef({ running: false, again: false })

  const refreshOnce = useCallback(async () => {
    const { queryKey } = agentListQuery(filter)
    const cursors = (client.getQueryData(queryKey)?.pageParams ?? []).slice(inSight.current[0], inSight.current[1] + 1) as (string | undefined)[] // as: what getNextPageParam returned
    const fresh = await Promise.all(cursors.map((cursor) => fetchAgentPage(filter, cursor)))
    client.setQueryData(
      queryKey,
      (old) => old && { ...old, pages: old.pages.map((page, index) => fresh[cursors.indexOf(old.pageParams[index] as string | undefined)] ?? page) },
    )
  }, [client, filter])

  const refresh = useCallback(async () => {
    if (work.current.running) {
      work.current.again = true
      return
    }
    work.current.running = true
    do {
      work.current.again = false
      // What fails here is shown by the connection banner, and tried again with the next event.
      await refreshOnce().catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, SHORTEST_REFRESH_MS))
    } while (work.current.again)
    work.current.running = false
  }, [refreshOnce])

  useLiveBursts((events) => {
    if (events.some((event) => /^(agent|attempt|group)\./.test(event.kind))) void refresh()
  })
  useEffect(() => {
    const timer = setInterval(() => void refresh(), IDLE_REFRESH_MS)
    return () => clearInterval(timer)
  }, [refresh])
  return useCallback((first: number, last: number) => {
    inSight.current = [first, last]
  }, [])
}
