/** Follows one rollout as server-sent events: hands on each state of it, connects again when it is lost, and knows since when it is. */
import { API_PREFIX, Rollout } from '@drover/api'

export type StreamState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** What is shown is as it was at `since`. */
  | { readonly kind: 'lost'; readonly since: number }
  /** Nothing more is to come. */
  | { readonly kind: 'ended' }

const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 15_000

export interface RolloutStreamOptions {
  readonly rolloutId: string
  readonly onRollout: (rollout: Rollout) => void
  readonly onState: (state: StreamState) => void
  /** Replaced in tests. */
  readonly open?: (url: string) => Pick<EventSource, 'addEventListener' | 'close'>
  readonly now?: () => number
}

const over = new Set<Rollout['state']>(['stopped', 'rolledBack', 'completed', 'superseded'])
/** No steps of its own are to come, so there is nothing to follow. */
export const isOver = ({ state }: Pick<Rollout, 'state'>): boolean => over.has(state)
/** A draft takes no steps either: the server ends its stream after the first message, and an event tells that it was started or changed. */
export const isFollowed = ({ state }: Pick<Rollout, 'state'>): boolean => !over.has(state) && state !== 'draft'

export class RolloutStream {
  readonly #options: RolloutStreamOptions
  #state: StreamState = { kind: 'connecting' }
  #source: Pick<EventSource, 'addEventListener' | 'close'> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #retries = 0
  #heardAt: number

  constructor(options: RolloutStreamOptions) {
    this.#options = options
    this.#heardAt = this.#now()
  }

  /** Opens, or opens anew. */
  connect = (): void => {
    clearTimeout(this.#timer)
    this.#source?.close()
    const url = `${API_PREFIX}/rollouts/${encodeURIComponent(this.#options.rolloutId)}/stream`
    const source = (this.#options.open ?? ((address: string) => new EventSource(address)))(url)
    this.#source = source
    source.addEventListener('message', (message) => this.#receive((message as MessageEvent<string>).data))
    source.addEventListener('error', () => source === this.#source && this.#lost())
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#source?.close()
    this.#source = undefined
  }

  #now = (): number => (this.#options.now ?? Date.now)()

  #receive(data: string): void {
    const parsed = Rollout.safeParse(JSON.parse(data))
    // A newer server may say more than this page understands: the reads by event go on.
    if (!parsed.success) return
    this.#retries = 0
    this.#heardAt = this.#now()
    this.#options.onRollout(parsed.data)
    if (isFollowed(parsed.data)) return this.#setState({ kind: 'live' })
    this.close()
    this.#setState({ kind: 'ended' })
  }

  /** The browser's own retry is not waited for: it gives up for good after an answer such as 503. */
  #lost(): void {
    this.#source?.close()
    const delayMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#retries)
    this.#retries++
    this.#timer = setTimeout(this.connect, delayMs)
    this.#setState({ kind: 'lost', since: this.#state.kind === 'lost' ? this.#state.since : this.#heardAt })
  }

  #setState(state: StreamState): void {
    if (state.kind === this.#state.kind && state.kind !== 'lost') return
    this.#state = state
    this.#options.onState(state)
  }
}
