/** The store: anybody may read, writing happens only inside a transaction, and others hear of it only after the commit. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { statSync } from 'node:fs'
import type { Kysely } from 'kysely'
import type { OpenDatabase } from './database.ts'
import { StoreUnavailableError } from './errors.ts'
import type { Database } from './schema.ts'

/** Queries without side effects. */
export type ReadStore = Pick<Kysely<Database>, 'selectFrom' | 'selectNoFrom' | 'fn' | 'with'>

/** A transaction that is open. It sees its own writes. Await every statement. */
export interface Tx extends ReadStore, Pick<Kysely<Database>, 'insertInto' | 'updateTable' | 'deleteFrom'> {
  /** Called once everything is on disk, in order; never when the transaction fails. Must not throw. */
  afterCommit(notify: () => void): void
}

export interface StoreState {
  readonly state: 'ok' | 'read-only'
  /** Why writing is not possible, for a person; null when it is. */
  readonly detail: string | null
}

export interface Store {
  readonly read: ReadStore
  /**
   * Runs `work` and commits. When the promise resolves, everything is on disk. Transactions run one after the other, so keep slow things
   * (network, other promises) outside; a transaction inside a transaction is an error.
   * @throws {StoreUnavailableError} when the disk is full or broken; nothing was written.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  state(): StoreState
  readonly schemaVersion: number
  /** Size of the database with its log. */
  bytes(): number
  close(): Promise<void>
}

export interface StoreOptions {
  readonly database: OpenDatabase
  readonly log: { error(fields: object, message: string): void; warn(fields: object, message: string): void; info(fields: object, message: string): void }
  /** How often a store that cannot write is tried again. */
  readonly probeIntervalMs?: number
}

export function createStore(options: StoreOptions): Store {
  return new SqliteStore(options)
}

class SqliteStore implements Store {
  readonly read: ReadStore
  readonly schemaVersion: number
  readonly #database: OpenDatabase
  readonly #log: StoreOptions['log']
  readonly #probeIntervalMs: number
  readonly #inside = new AsyncLocalStorage<true>()
  #readOnlyBecause: string | undefined
  #probeTimer: NodeJS.Timeout | undefined
  #closed = false

  constructor({ database, log, probeIntervalMs }: StoreOptions) {
    this.read = database.reader
    this.schemaVersion = database.schemaVersion
    this.#database = database
    this.#log = log
    this.#probeIntervalMs = probeIntervalMs ?? 1_000
  }

  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreUnavailableError('the server is stopping')
    if (this.#inside.getStore()) throw new Error('a transaction inside a transaction would wait for itself')
    if (this.#readOnlyBecause !== undefined) throw unavailable(this.#readOnlyBecause)
    const notifications: (() => void)[] = []
    let result: T
    try {
      result = await this.#database.writer.transaction().execute((kysely) => this.#inside.run(true, () => work(openTx(kysely, notifications))))
    } catch (error) {
      const reason = whyNotWritable(error)
      if (reason === undefined) throw error
      this.#becomeReadOnly(reason)
      throw unavailable(reason, error)
    }
    for (const notify of notifications) this.#notify(notify)
    return result
  }

  #notify(notify: () => void): void {
    try {
      notify()
    } catch (error) {
      this.#log.error({ err: error }, 'listener failed after a commit')
    }
  }

  state(): StoreState {
    return this.#readOnlyBecause === undefined ? { state: 'ok', detail: null } : { state: 'read-only', detail: this.#readOnlyBecause }
  }

  /** ok -> read-only. From here on writes are refused without touching the disk; a timer tries again. */
  #becomeReadOnly(reason: string): void {
    if (this.#readOnlyBecause === undefined) this.#log.error({ reason }, 'store cannot write, serving reads only')
    this.#readOnlyBecause = reason
    this.#probeTimer ??= setInterval(() => void this.#probe(), this.#probeIntervalMs).unref()
  }

  /** read-only -> ok, once a real write reaches the disk. */
  async #probe(): Promise<void> {
    try {
      await this.#database.writer
        .insertInto('meta')
        .values({ key: 'write_probe', value: '.'.repeat(4096) })
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: (eb) => eb.ref('excluded.value') }))
        .execute()
      // Something that needs a new page must fit too, or a nearly full disk would flap.
      await this.#database.writer.deleteFrom('meta').where('key', '=', 'write_probe').execute()
    } catch (error) {
      this.#readOnlyBecause = whyNotWritable(error) ?? String(error)
      return
    }
    clearInterval(this.#probeTimer)
    this.#probeTimer = undefined
    this.#readOnlyBecause = undefined
    this.#log.info({}, 'store can write again')
  }

  bytes(): number {
    return sizeOf(this.#database.path) + sizeOf(`${this.#database.path}-wal`)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#probeTimer)
    // Waits for its turn behind the transactions that are under way.
    await this.#database.writer.connection().execute(async () => {})
    await this.#database.close()
  }
}

/** Only the methods of {@link Tx}, so that nothing can begin, commit or reach the connection by itself. */
function openTx(kysely: Kysely<Database>, notifications: (() => void)[]): Tx {
  return {
    selectFrom: kysely.selectFrom.bind(kysely),
    selectNoFrom: kysely.selectNoFrom.bind(kysely),
    with: kysely.with.bind(kysely),
    fn: kysely.fn,
    insertInto: kysely.insertInto.bind(kysely),
    updateTable: kysely.updateTable.bind(kysely),
    deleteFrom: kysely.deleteFrom.bind(kysely),
    afterCommit: (notify) => void notifications.push(notify),
  } as Tx // as: bind() forgets the overloads
}

function unavailable(reason: string, cause?: unknown): StoreUnavailableError {
  return new StoreUnavailableError(
    `nothing can be saved now: ${reason}. Nothing of this request was kept; reading still works and saving will by itself once that is repaired.`,
    { cause },
  )
}

/** SQLite's primary result codes (https://www.sqlite.org/rescode.html) that speak of the disk rather than of the statement. */
const DISK_TROUBLE: ReadonlyMap<number, string> = new Map([
  [8, 'the data folder is read-only'],
  [10, 'the disk reports an input/output error'],
  [13, 'the disk is full'],
  [14, 'the data folder cannot be opened'],
])

function whyNotWritable(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return DISK_TROUBLE.get(error.errcode & 0xff)
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
