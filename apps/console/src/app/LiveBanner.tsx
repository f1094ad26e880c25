/** Says whether the page is live, and when it is not, since when and what is being done about it. */
import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useLiveState } from '../api/live.tsx'
import { statusQuery } from '../api/queries.ts'
import { clockTime } from '../ui/time.ts'

const words = { connecting: 'Connecting', open: 'Live', lost: 'Connection lost', ended: 'Signed out' } as const

export function LiveMark() {
  const { state } = useLiveState()
  return (
    <span className="live-mark hide-narrow" data-state={state.kind} title={state.kind === 'open' ? 'Changes appear as they happen' : undefined}>
      {words[state.kind]}
    </span>
  )
}

export function LiveBanner() {
  const { state, retryNow } = useLiveState()
  const { data: status } = useQuery(statusQuery)
  const readOnly = status?.store.state === 'read-only'
  return (
    <div aria-live="polite">
      {state.kind === 'lost' && (
        <div className="shell-banner" data-tone="bad">
          <span>
            No connection to the server since {clockTime(state.since)}. What you see may be out of date.{' '}
            {state.retryAt === null ? 'Trying again…' : <Countdown until={state.retryAt} />}
          </span>
          <Button size="compact-xs" variant="default" onClick={retryNow}>
            Try now
          </Button>
        </div>
      )}
      {readOnly && (
        <div className="shell-banner">
          The server cannot write its data: {status.store.detail ?? 'the store is read-only'}. Agents keep running, changes are refused.
        </div>
      )}
    </div>
  )
}

function Countdown({ until }: { readonly until: number }) {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  // Hidden from the live region: a screen reader should not count along.
  return <span aria-hidden>Trying again in {Math.max(0, Math.ceil((until - now) / 1_000))} s.</span>
}
