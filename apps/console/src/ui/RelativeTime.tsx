/** A moment as "3 min. ago" with the exact time in its title. All on a page share one clock. */
import { useSyncExternalStore } from 'react'
import { absoluteTime, relativeTime } from './time.ts'

const TICK_MS = 5_000
const listeners = new Set<() => void>()
let now = Date.now()
let timer: ReturnType<typeof setInterval> | undefined

/** The moment to count from: what happened after the last tick is not in the future. */
function sinceTick(atMs: number, tickMs: number): number {
  return atMs > tickMs && atMs <= tickMs + TICK_MS ? atMs : tickMs
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  if (timer === undefined) now = Date.now()
  timer ??= setInterval(() => {
    now = Date.now()
    for (const notify of listeners) notify()
  }, TICK_MS)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

export function RelativeTime({ at, never = 'never' }: { readonly at: string | null; readonly never?: string }) {
  const current = useSyncExternalStore(subscribe, () => now)
  if (at === null) return <span className="dimmed">{never}</span>
  const atMs = Date.parse(at)
  return (
    <time dateTime={at} title={absoluteTime(atMs)} className="nowrap">
      {relativeTime(atMs, sinceTick(atMs, current))}
    </time>
  )
}
