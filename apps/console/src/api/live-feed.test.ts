/** The live feed against an event source under the test's control. */
import type { Event } from '@drover/api'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BURST_INTERVAL_MS, LiveFeed } from './live-feed.ts'

class FakeEventSource extends EventTarget {
  static readonly CLOSED = 2
  static opened: FakeEventSource[] = []
  readyState = 0
  readonly url: string
  constructor(url: string) {
    super()
    this.url = url
    FakeEventSource.opened.push(this)
  }
  close() {
    this.readyState = FakeEventSource.CLOSED
  }
  open() {
    this.readyState = 1
    this.dispatchEvent(new globalThis.Event('open'))
  }
  send(event: Event) {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(event) }))
  }
  /** `refused`: the browser gives up; otherwise it tries again by itself. */
  fail(refused: boolean) {
    this.readyState = refused ? FakeEventSource.CLOSED : 0
    this.dispatchEvent(new globalThis.Event('error'))
  }
}

const event = (id: number): Event => ({
  id,
  at: '2026-01-01T00:00:00.000Z',
  kind: 'agent.health',
  actor: 'agent',
  subject: 'agt_1',
  summary: `event ${id}`,
  data: {},
})
const newest = () => FakeEventSource.opened.at(-1) as FakeEventSource // as: a feed opens one when it connects

function startFeed(stillSignedIn = true) {
  const bursts: number[][] = []
  const onResumed = vi.fn<() => void>()
  const feed = new LiveFeed({
    after: 10,
    onBurst: (events) => bursts.push(events.map(({ id }) => id)),
    onResumed,
    stillSignedIn: () => Promise.resolve(stillSignedIn),
  })
  feed.connect()
  return { feed, bursts, onResumed }
}

beforeEach(() => {
  FakeEventSource.opened = []
  vi.useFakeTimers()
  vi.stubGlobal('EventSource', FakeEventSource)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('the live feed', () => {
  it('follows what happened after the page’s own reads', () => {
    startFeed()
    expect(newest().url).toBe('/api/v1/events/stream?after=10')
  })

  it('hands a busy fleet’s events on in bursts, at most five a second', () => {
    const { bursts } = startFeed()
    newest().open()
    vi.advanceTimersByTime(1_000)
    for (let id = 11; id <= 110; id++) {
      newest().send(event(id))
      vi.advanceTimersByTime(10)
    }
    vi.advanceTimersByTime(BURST_INTERVAL_MS)
    expect(bursts.flat()).toHaveLength(100)
    expect(bursts.length).toBeLessThanOrEqual(7)
  })

  it('delivers an event once, though a resumed stream may repeat it', () => {
    const { bursts } = startFeed()
    newest().open()
    newest().send(event(11))
    newest().send(event(11))
    newest().send(event(9))
    vi.advanceTimersByTime(BURST_INTERVAL_MS)
    expect(bursts.flat()).toEqual([11])
  })

  it('shows that the connection is lost while the browser retries, and says when it is back', () => {
    const { feed, onResumed } = startFeed()
    newest().open()
    expect(onResumed).not.toHaveBeenCalled()
    newest().fail(false)
    expect(feed.state).toMatchObject({ kind: 'lost', retryAt: null })
    expect(FakeEventSource.opened).toHaveLength(1)
    newest().open()
    expect(feed.state).toEqual({ kind: 'open' })
    expect(onResumed).toHaveBeenCalledTimes(1)
  })

  it('connects again after the last event when the server refused the stream, later each time', async () => {
    const { feed } = startFeed()
    newest().open()
    newest().send(event(12))
    newest().fail(true)
    await vi.advanceTimersByTimeAsync(0)
    expect(feed.state).toMatchObject({ kind: 'lost' })
    expect(FakeEventSource.opened).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1_250)
    expect(FakeEventSource.opened).toHaveLength(2)
    expect(newest().url).toBe('/api/v1/events/stream?after=12')
    newest().fail(true)
    await vi.advanceTimersByTimeAsync(1_400)
    expect(FakeEventSource.opened).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1_200)
    expect(FakeEventSource.opened).toHaveLength(3)
  })

  it('ends when the session did, and does not try again', async () => {
    const { feed } = startFeed(false)
    newest().fail(true)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(feed.state).toEqual({ kind: 'ended' })
    expect(FakeEventSource.opened).toHaveLength(1)
  })

  it('keeps quiet after it was closed', async () => {
    const { feed, bursts } = startFeed()
    newest().open()
    newest().send(event(11))
    feed.close()
    newest().fail(true)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(bursts).toEqual([])
    expect(FakeEventSource.opened).toHaveLength(1)
  })
})
