/** The one event stream of the page: connection state, resumption, and events handed on in bursts. */
import { API_PREFIX, Event } from '@drover/api'

export type LiveState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  /** `retryAt`: when the next attempt is made by us; null while the browser retries by itself. */
  | { readonly kind: 'lost'; readonly since: number; readonly retryAt: number | null }
  | { readonly kind: 'ended' }

/** At most five bursts a second, however busy the fleet is. */
export const BURST_INTERVAL_MS = 200
const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 15_000
const KEPT_EVENTS = 500

export interface LiveFeedOptions {
  /** Events after this id are delivered. */
  readonly after: number
  /** Called at most every `BURST_INTERVAL_MS`. */
  readonly onBurst: (events: readonly Event[]) => void
  /** The stream is back after it was lost; what happened meanwhile follows as events. */
  readonly onResumed: () => void
  /** Asked when the server refuses the stream: false ends the feed. */
  readonly stillSignedIn: () => Promise<boolean>
}

export class LiveFeed {
  #state: LiveState = { kind: 'connecting' }
  #source: EventSource | undefined
  #lastEventId: number
  #pending: Event[] = []
  #recent: readonly Event[] = []
  #burstTimer: ReturnType<typeof setTimeout> | undefined
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #lastBurstAt = 0
  #retries = 0
  readonly #listeners = new Set<() => void>()
  readonly #options: LiveFeedOptions

  constructor(options: LiveFeedOptions) {
    this.#options = options
    this.#lastEventId = options.after
  }

  get state(): LiveState {
    return this.#state
  }

  /** The newest events seen by this page, newest first; a new array for each burst. */
  get recent(): readonly Event[] {
    return this.#recent
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Also "retry now": closes what is open and connects again after the last event seen. */
  connect = (): void => {
    clearTimeout(this.#retryTimer)
    this.#source?.close()
    const source = new EventSource(`${API_PREFIX}/events/stream?after=${this.#lastEventId}`)
    this.#source = source
    source.addEventListener('open', () => {
      const resumed = this.#state.kind === 'lost'
      this.#retries = 0
      this.#setState({ kind: 'open' })
      if (resumed) this.#options.onResumed()
    })
    source.addEventListener('message', (message: MessageEvent<string>) => this.#receive(message.data))
    source.addEventListener('error', () => this.#lost(source))
  }

  close(): void {
    clearTimeout(this.#retryTimer)
    clearTimeout(this.#burstTimer)
    this.#source?.close()
    this.#source = undefined
  }

  #receive(data: string): void {
    const parsed = Event.safeParse(JSON.parse(data))
    if (!parsed.success || parsed.data.id <= this.#lastEventId) return
    this.#lastEventId = parsed.data.id
    this.#pending.push(parsed.data)
    if (this.#burstTimer !== undefined) return
    const wait = Math.max(0, this.#lastBurstAt + BURST_INTERVAL_MS - performance.now())
    this.#burstTimer = setTimeout(() => this.#burst(), wait)
  }

  #burst(): void {
    this.#burstTimer = undefined
    this.#lastBurstAt = performance.now()
    const events = this.#pending
    this.#pending = []
    this.#recent = [...events.toReversed(), ...this.#recent].slice(0, KEPT_EVENTS)
    this.#options.onBurst(events)
    this.#notify()
  }

  #lost(source: EventSource): void {
    if (source !== this.#source) return
    const since = this.#state.kind === 'lost' ? this.#state.since : Date.now()
    // The browser reconnects by itself after a network error, with Last-Event-ID; after a refusal it gives up.
    if (source.readyState !== EventSource.CLOSED) return this.#setState({ kind: 'lost', since, retryAt: null })
    this.#setState({ kind: 'lost', since, retryAt: null })
    void this.#retryLater(since)
  }

  async #retryLater(since: number): Promise<void> {
    if (!(await this.#options.stillSignedIn())) {
      this.close()
      return this.#setState({ kind: 'ended' })
    }
    if (this.#source === undefined) return
    const delayMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#retries) * (0.75 + Math.random() / 2)
    this.#retries++
    this.#setState({ kind: 'lost', since, retryAt: Date.now() + delayMs })
    this.#retryTimer = setTimeout(this.connect, delayMs)
  }

  #setState(state: LiveState): void {
    this.#state = state
    this.#notify()
  }

  #notify(): void {
    for (const listener of this.#listeners) listener()
  }
}
