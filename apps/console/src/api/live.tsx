/** React's view of the live feed: starts it once for the signed-in part of the console and lets components follow it. */
import type { Event } from '@drover/api'
import { type Query, type QueryClient, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, createContext, use, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { api, isSignedOut } from './client.ts'
import { type KeyPrefix, kindMatches, staleKeysOf } from './invalidation.ts'
import { LiveFeed, type LiveState } from './live-feed.ts'
import type { EventFilter } from './queries.ts'

const LiveContext = createContext<LiveFeed | undefined>(undefined)

const readAgain = new WeakSet<Query>()

/** Refetches what the keys cover. A read under way is not cancelled, else a busy fleet would never be shown: it is repeated when it is done. */
function invalidate(client: QueryClient, keys: readonly KeyPrefix[]): void {
  for (const queryKey of keys) {
    if (queryKey[0] === 'agents' && queryKey[1] === 'list') continue // the table refreshes the pages in sight, see useAgentPages
    for (const query of client.getQueryCache().findAll({ queryKey, type: 'active', fetchStatus: 'fetching' })) {
      if (readAgain.has(query)) continue
      readAgain.add(query)
      const repeat = () => {
        readAgain.delete(query)
        void client.invalidateQueries({ queryKey: query.queryKey, exact: true }, { cancelRefetch: false })
      }
      void query.promise?.then(repeat, repeat)
    }
    void client.invalidateQueries({ queryKey }, { cancelRefetch: false })
  }
}

export function LiveProvider(props: { readonly after: number; readonly onEnded: () => void; readonly children: ReactNode }) {
  const client = useQueryClient()
  const { after, onEnded } = props
  const [feed] = useState(
    () =>
      new LiveFeed({
        after,
        onBurst: (events) => invalidate(client, staleKeysOf(events)),
        onResumed: () => void client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'events' }, { cancelRefetch: false }),
        stillSignedIn: () =>
          api.getSession({}).then(
            () => true,
            (error: unknown) => !isSignedOut(error),
          ),
      }),
  )
  useEffect(() => {
    feed.connect()
    return () => feed.close()
  }, [feed])
  const ended = useLiveStateOf(feed).kind === 'ended'
  useEffect(() => {
    if (ended) onEnded()
  }, [ended, onEnded])
  return <LiveContext value={feed}>{props.children}</LiveContext>
}

function useFeed(): LiveFeed {
  const feed = use(LiveContext)
  if (feed === undefined) throw new Error('the live feed is only there for signed-in pages')
  return feed
}

const useLiveStateOf = (feed: LiveFeed): LiveState => useSyncExternalStore(feed.subscribe, () => feed.state)

export function useLiveState(): { state: LiveState; retryNow: () => void } {
  const feed = useFeed()
  return { state: useLiveStateOf(feed), retryNow: feed.connect }
}

/** Events that arrived since the page was opened and pass the filter, newest first. */
export function useRecentEvents(filter: EventFilter = {}): readonly Event[] {
  const feed = useFeed()
  const recent = useSyncExternalStore(feed.subscribe, () => feed.recent)
  return recent.filter((event) => kindMatches(filter.kind, event.kind) && (filter.subject === undefined || event.subject === filter.subject))
}

/** Calls `listener` for each burst of events, with the newest function given. */
export function useLiveBursts(listener: (newest: readonly Event[]) => void): void {
  const feed = useFeed()
  const latest = useRef(listener)
  useEffect(() => {
    latest.current = listener
  })
  useEffect(() => {
    let seen = feed.recent[0]?.id ?? 0
    return feed.subscribe(() => {
      const fresh = feed.recent.filter((event) => event.id > seen)
      seen = feed.recent[0]?.id ?? seen
      if (fresh.length > 0) latest.current(fresh)
    })
  }, [feed])
}
