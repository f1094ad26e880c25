/** What happened, in order. Written in the transaction of the thing that happened; listeners hold a cursor and lose nothing. */
import type { Event, EventKind } from '@drover/api'
import type { ReadStore, Store, Tx } from '../storage/store.ts'
import type { Row } from '../storage/schema.ts'

export interface NewEvent {
  readonly kind: EventKind
  /** `agent`, `system`, or the name of a token or session. */
  readonly actor: string
  /** Agent id, or name of a config, group or token. */
  readonly subject: string
  /** One sentence for a person. */
  readonly summary: string
  readonly data?: Readonly<Record<string, unknown>>
}

export interface EventFilter {
  /** Kinds or their prefixes up to a dot, e.g. `attempt`, `agent.health`. Empty: all. */
  readonly kinds: readonly string[]
  readonly subject?: string
}

export interface FollowOptions {
  /** Events with a greater id are delivered. */
  readonly after: number
  readonly filter: EventFilter
  readonly signal: AbortSignal
}

/** `lastId` is where the reader stands, also when the filter let nothing through. */
export interface EventBatch {
  readonly events: readonly Event[]
  readonly lastId: number
}

export interface EventLog {
  /** Inside the caller's transaction; returns the id. Listeners hear of it after the commit. */
  append(tx: Tx, event: NewEvent): Promise<number>
  /** Many in one statement, in this order. */
  appendAll(tx: Tx, events: readonly NewEvent[]): Promise<void>
  /** The newest committed id; no store read. */
  lastId(): number
  /** Called after each commit that added events. Returns how to stop. */
  onAppended(listener: () => void): () => void
  /** Everything after the cursor, then what comes, a batch at a time as the reader asks for it. Ends when the signal aborts. */
  follow(options: FollowOptions): AsyncGenerator<EventBatch, void, undefined>
  page(query: { filter: EventFilter; after?: number; before?: number; limit: number }): Promise<{ events: Event[]; more: boolean; total: number }>
  /** Lets go of the oldest events beyond the bound. */
  prune(): Promise<void>
}

export interface EventLogOptions {
  readonly store: Store
  readonly clock: { now(): number }
  /** How many of the newest events are kept. */
  readonly maxEvents?: number
}

const MAX_EVENTS = 200_000
/** The newest events stay in memory, so that followers who are up to date cost no store read. */
const RECENT_EVENTS = 2_000
const BATCH_EVENTS = 200

export async function openEventLog(options: EventLogOptions): Promise<EventLog> {
  const newest = await options.store.read.selectFrom('events').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst()
  return new StoredEventLog(options, newest?.id ?? 0)
}

class StoredEventLog implements EventLog {
  readonly #store: Store
  readonly #clock: { now(): number }
  readonly #maxEvents: number
  readonly #listeners = new Set<() => void>()
  /** Everything after `#recentAfter`, oldest first. */
  #recent: Event[] = []
  #recentAfter: number
  #lastId: number

  constructor({ store, clock, maxEvents }: EventLogOptions, lastId: number) {
    this.#store = store
    this.#clock = clock
    this.#maxEvents = maxEvents ?? MAX_EVENTS
    this.#lastId = lastId
    this.#recentAfter = lastId
  }

  async append(tx: Tx, event: NewEvent): Promise<number> {
    const [id] = await this.#insert(tx, [event])
    return id! // one row in, one id out
  }

  async appendAll(tx: Tx, events: readonly NewEvent[]): Promise<void> {
    if (events.length > 0) await this.#insert(tx, events)
  }

  async #insert(tx: Tx, events: readonly NewEvent[]): Promise<readonly number[]> {
    const at = this.#clock.now()
    const rows = await tx
      .insertInto('events')
      .values(events.map(({ kind, actor, subject, summary, data = {} }) => ({ at, kind, actor, subject, summary, data_json: JSON.stringify(data) })))
      .returning('id')
      .execute()
    // Ids grow in the order of the rows; the rows may come back in any.
    const ids = rows.map(({ id }) => id).toSorted((a, b) => a - b)
    tx.afterCommit(() => {
      for (const [index, { kind, actor, subject, summary, data = {} }] of events.entries())
        this.#publish({ id: ids[index]!, at: new Date(at).toISOString(), kind, actor, subject, summary, data }) // an id for each event
    })
    return ids
  }

  #publish(event: Event): void {
    this.#recent.push(event)
    this.#lastId = event.id
    if (this.#recent.length > 2 * RECENT_EVENTS) {
      const dropped = this.#recent.splice(0, RECENT_EVENTS)
      this.#recentAfter = dropped.at(-1)?.id ?? this.#recentAfter
    }
    for (const listener of this.#listeners) listener()
  }

  lastId(): number {
    return this.#lastId
  }

  onAppended(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async *follow({ after, filter, signal }: FollowOptions): AsyncGenerator<EventBatch, void, undefined> {
    let cursor = after
    while (!signal.aborted) {
      if (cursor >= this.#lastId) {
        await this.#appendedAfter(cursor, signal)
        continue
      }
      const batch = await this.#batchAfter(cursor, filter)
      cursor = batch.lastId
      yield batch
    }
  }

  /** Up to a batch of what follows the cursor; from memory where possible. */
  async #batchAfter(cursor: number, filter: EventFilter): Promise<EventBatch> {
    const upTo = this.#lastId
    if (cursor >= this.#recentAfter) {
      const from = this.#recent.findIndex((event) => event.id > cursor)
      const slice = from < 0 ? [] : this.#recent.slice(from, from + BATCH_EVENTS)
      return { events: slice.filter((event) => matchesFilter(filter, event)), lastId: slice.at(-1)?.id ?? upTo }
    }
    const rows = await selectEvents(this.#store.read, filter).where('id', '>', cursor).where('id', '<=', upTo).orderBy('id').limit(BATCH_EVENTS).execute()
    const lastId = rows.length < BATCH_EVENTS ? upTo : (rows.at(-1)?.id ?? upTo)
    return { events: rows.map(toEvent), lastId }
  }

  #appendedAfter(cursor: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || this.#lastId > cursor) return resolve()
      const done = (): void => {
        stop()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const stop = this.onAppended(done)
      signal.addEventListener('abort', done)
    })
  }

  async page({
    filter,
    after,
    before,
    limit,
  }: {
    filter: EventFilter
    after?: number
    before?: number
    limit: number
  }): Promise<{ events: Event[]; more: boolean; total: number }> {
    let query = selectEvents(this.#store.read, filter)
    if (after !== undefined) query = query.where('id', '>', after)
    if (before !== undefined) query = query.where('id', '<', before)
    const rows = await query
      .orderBy('id', after === undefined ? 'desc' : 'asc')
      .limit(limit + 1)
      .execute()
    const { total } = await selectEvents(this.#store.read, filter)
      .clearSelect()
      .select((eb) => eb.fn.countAll<number>().as('total'))
      .executeTakeFirstOrThrow()
    return { events: rows.slice(0, limit).map(toEvent), more: rows.length > limit, total }
  }

  async prune(): Promise<void> {
    const oldestKept = this.#lastId - this.#maxEvents
    if (oldestKept <= 0) return
    await this.#store.transaction((tx) => tx.deleteFrom('events').where('id', '<=', oldestKept).execute())
  }
}

function selectEvents(from: ReadStore, filter: EventFilter) {
  let query = from.selectFrom('events').selectAll()
  if (filter.subject !== undefined) query = query.where('subject', '=', filter.subject)
  if (filter.kinds.length > 0) {
    query = query.where((eb) =>
      eb.or(filter.kinds.flatMap((kind) => [eb('kind', '=', kind), eb.and([eb('kind', '>', `${kind}.`), eb('kind', '<', `${kind}/`)])])),
    )
  }
  return query
}

function matchesFilter(filter: EventFilter, event: Event): boolean {
  if (filter.subject !== undefined && event.subject !== filter.subject) return false
  return filter.kinds.length === 0 || filter.kinds.some((kind) => event.kind === kind || event.kind.startsWith(`${kind}.`))
}

function toEvent(row: Row<'events'>): Event {
  return {
    id: row.id,
    at: new Date(row.at).toISOString(),
    kind: row.kind as EventKind, // as: only append() writes it
    actor: row.actor,
    subject: row.subject,
    summary: row.summary,
    data: JSON.parse(row.data_json) as Record<string, unknown>, // as: only append() writes it
  }
}
