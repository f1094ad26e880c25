/** The event log under a filter, newest first: stored events by page, new ones as they arrive. */
import type { Event } from '@drover/api'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useRecentEvents } from '../api/live.tsx'
import { type EventFilter, eventListQuery } from '../api/queries.ts'

/** Newest first, each once. */
export function mergeEvents(recent: readonly Event[], stored: readonly Event[]): readonly Event[] {
  const distinct = new Map([...stored, ...recent].map((event) => [event.id, event]))
  return [...distinct.values()].toSorted((left, right) => right.id - left.id)
}

export function useEventLog(filter: EventFilter, pageSize = 100) {
  const query = useInfiniteQuery(eventListQuery(filter, pageSize))
  const recent = useRecentEvents(filter)
  const pages = query.data?.pages
  const events = useMemo(() => mergeEvents(recent, pages?.flatMap((page) => page.items) ?? []), [recent, pages])
  return { query, events }
}
