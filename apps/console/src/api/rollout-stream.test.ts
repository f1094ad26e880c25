/** Following a rollout over a connection that comes and goes. */
import type { Rollout } from '@drover/api'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { sampleRollout } from '../pages/rollouts/sample-rollout.ts'
import { RolloutStream, type StreamState, isFollowed } from './rollout-stream.ts'

class FakeSource {
  readonly listeners = new Map<string, (event: { data: string }) => void>()
  closed = false
  addEventListener(kind: string, listener: unknown): void {
    this.listeners.set(kind, listener as (event: { data: string }) => void)
  }
  close(): void {
    this.closed = true
  }
  send(rollout: unknown): void {
    this.listeners.get('message')?.({ data: JSON.stringify(rollout) })
  }
  fail(): void {
    this.listeners.get('error')?.({ data: '' })
  }
}

function follow() {
  const sources: FakeSource[] = []
  const states: StreamState[] = []
  const seen: Rollout[] = []
  const urls: string[] = []
  const stream = new RolloutStream({
    rolloutId: 'rol_1',
    onRollout: (rollout) => seen.push(rollout),
    onState: (state) => states.push(state),
    open: (url) => {
      urls.push(url)
      const source = new FakeSource()
      sources.push(source)
      return source as unknown as EventSource // as: only what the stream uses
    },
  })
  stream.connect()
  return { stream, sources, states, seen, urls }
}

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }))
afterEach(() => void vi.useRealTimers())

it('hands on each state and is live', () => {
  const { sources, states, seen, urls } = follow()
  sources[0]?.send(sampleRollout())
  sources[0]?.send(sampleRollout({ summary: 'goes on' }))
  expect(urls).toEqual(['/api/v1/rollouts/rol_1/stream'])
  expect(seen.map(({ summary }) => summary)).toEqual([sampleRollout().summary, 'goes on'])
  expect(states).toEqual([{ kind: 'live' }])
})

it('says since when it is stale, waits longer each time, and is live again with the next state', () => {
  const { sources, states } = follow()
  sources[0]?.send(sampleRollout())
  vi.advanceTimersByTime(5_000)
  sources[0]?.fail()
  expect(states.at(-1)).toEqual({ kind: 'lost', since: 1_000_000 })
  vi.advanceTimersByTime(999)
  expect(sources).toHaveLength(1)
  vi.advanceTimersByTime(1)
  sources[1]?.fail()
  expect(states.at(-1)).toEqual({ kind: 'lost', since: 1_000_000 })
  vi.advanceTimersByTime(1_999)
  expect(sources).toHaveLength(2)
  vi.advanceTimersByTime(1)
  sources[2]?.send(sampleRollout())
  expect(states.at(-1)).toEqual({ kind: 'live' })
})

it('ends when the rollout is over, and does not connect again', () => {
  const { sources, states } = follow()
  sources[0]?.send(sampleRollout({ state: 'completed' }))
  expect(states).toEqual([{ kind: 'ended' }])
  expect(sources[0]?.closed).toBe(true)
  sources[0]?.fail()
  vi.advanceTimersByTime(60_000)
  expect(sources).toHaveLength(1)
})

it('is not opened for a draft, of which there is one message only', () => {
  expect(isFollowed(sampleRollout({ state: 'draft' }))).toBe(false)
  expect(isFollowed(sampleRollout({ state: 'waiting' }))).toBe(true)
  const { sources } = follow()
  sources[0]?.send(sampleRollout({ state: 'draft' }))
  sources[0]?.fail()
  vi.advanceTimersByTime(60_000)
  expect(sources).toHaveLength(1)
})

it('takes no notice of what it does not understand', () => {
  const { sources, seen } = follow()
  sources[0]?.send({ state: 'dancing' })
  expect(seen).toEqual([])
})
