/** Writes agents: what they report is gathered for up to half a second; whoever needs it on disk asks for it and shares the commit. */
import { setImmediate } from 'node:timers/promises'
import { lastGoodHash } from '@drover/fleet'
import type { Row, NewRow } from '../storage/schema.ts'
import { StoreUnavailableError } from '../storage/errors.ts'
import type { ReadStore, Store, Tx } from '../storage/store.ts'
import type { AgentRecord } from './agent-record.ts'
import type { Timing } from './deadlines.ts'

export interface AgentStoreOptions {
  readonly store: Store
  readonly timing: Timing
  readonly log: { error(fields: object, message: string): void }
  /** How long a change may wait for others. */
  readonly coalesceMs?: number
}

/** Something to write beside the records, once. Runs again when its transaction failed. */
export type WriteStep = (tx: Tx) => Promise<unknown>

/** Writes things of one kind together, in the order they came, e.g. events. Runs again when its transaction failed. */
export type WriteTogether<Item> = (tx: Tx, items: readonly Item[]) => Promise<unknown>

const COALESCE_MS = 500
/** A transaction holds up other writers for its length, so big waves are cut. */
const MAX_RECORDS = 256
const MAX_STEPS = 256
/** SQLite answers at once, so a transaction is one piece for the event loop unless it steps back in between. */
const WRITTEN_AT_ONCE = 32
/** While the disk is full, what happened is kept up to this; then the oldest is let go. */
const MAX_WAITING_STEPS = 50_000
const RETRY_MS = 1000

export class AgentStore {
  readonly #store: Store
  readonly #timing: Timing
  readonly #log: AgentStoreOptions['log']
  readonly #coalesceMs: number
  #records = new Set<AgentRecord>()
  #steps: Step[] = []
  #timer: unknown
  #running: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(options: AgentStoreOptions) {
    this.#store = options.store
    this.#timing = options.timing
    this.#log = options.log
    this.#coalesceMs = options.coalesceMs ?? COALESCE_MS
  }

  /** How many records wait to be written. */
  get waiting(): number {
    return this.#records.size
  }

  /** The record changed; it is written within the coalescing time, as it is then. */
  changed(record: AgentRecord): void {
    this.#records.add(record)
    this.#arm(this.#coalesceMs)
  }

  /** Written after the records that changed before it. */
  also(step: WriteStep): void {
    this.together(runEach, step)
  }

  /** As `also`, for what many agents write alike: what came within one batch for one `write` is given to it in one call. */
  together<Item>(write: WriteTogether<Item>, item: Item): void {
    this.#steps.push({ write: write as WriteTogether<unknown>, item }) // as: the two stay together
    if (this.#steps.length > MAX_WAITING_STEPS) this.#steps.splice(0, this.#steps.length - MAX_WAITING_STEPS)
    this.#arm(this.#coalesceMs)
  }

  /** Resolves when everything said so far is on disk. Callers of one turn of the event loop share the commits. */
  flush(): Promise<void> {
    this.#next ??= this.#run()
    return this.#next
  }

  /** No timer any more; what waits is written by a last `flush`. */
  stop(): void {
    this.#disarm()
  }

  async #run(): Promise<void> {
    await this.#running.catch(() => {}) // whoever waits for that one hears of it
    await setImmediate()
    this.#next = undefined
    this.#disarm()
    this.#running = this.#writeAll()
    return this.#running
  }

  /** What is there now; what comes meanwhile waits for the next time, or a busy fleet would let nobody go. */
  async #writeAll(): Promise<void> {
    let [records, steps] = [this.#records.size, this.#steps.length]
    while (records > 0 || steps > 0) {
      const some = [...this.#records].slice(0, Math.min(MAX_RECORDS, records))
      records -= some.length
      // Steps may speak of records: they wait until all records that came before them are written.
      const count = records > 0 ? 0 : Math.min(MAX_STEPS, steps)
      steps -= count
      await this.#writeBatch(some, this.#steps.splice(0, count))
      await setImmediate()
    }
  }

  async #writeBatch(records: readonly AgentRecord[], steps: readonly Step[]): Promise<void> {
    for (const record of records) this.#records.delete(record)
    const parts = records.map((record) => ({ record, unsaved: record.unsaved }))
    for (const { record } of parts) record.unsaved = undefined
    try {
      await this.#store.transaction((tx) => write(tx, parts, steps))
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) return this.#writeOneByOne(parts, steps)
      for (const { record, unsaved } of parts) {
        record.unsaved = { ...unsaved, ...record.unsaved }
        this.#records.add(record)
      }
      this.#steps = [...steps, ...this.#steps]
      this.#arm(RETRY_MS)
      throw error
    }
  }

  /** Something in the batch cannot be written; nothing else may suffer for it. */
  async #writeOneByOne(parts: readonly Part[], steps: readonly Step[]): Promise<void> {
    const alone: (readonly [readonly Part[], readonly Step[]])[] = [
      ...parts.map((part) => [[part], []] as const),
      ...steps.map((step) => [[], [step]] as const),
    ]
    for (const [ownParts, ownSteps] of alone) {
      try {
        await this.#store.transaction((tx) => write(tx, ownParts, ownSteps))
      } catch (error) {
        this.#log.error({ err: error, agent: ownParts[0]?.record.id }, 'change of an agent dropped: it cannot be written')
      }
    }
  }

  #arm(delayMs: number): void {
    if (this.#timer !== undefined) return
    this.#timer = this.#timing.setTimeout(() => {
      this.#timer = undefined
      this.flush().catch((error: unknown) => this.#log.error({ err: error }, 'agents not written, trying again'))
    }, delayMs)
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#timing.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

interface Part {
  readonly record: AgentRecord
  readonly unsaved: AgentRecord['unsaved']
}

interface Step {
  readonly write: WriteTogether<unknown>
  readonly item: unknown
}

async function write(tx: Tx, parts: readonly Part[], steps: readonly Step[]): Promise<void> {
  const rows = parts.filter(({ record }) => !record.forgotten).map(({ record, unsaved }) => toRow(record, unsaved))
  await inPieces(rows, (piece) => upsert(tx, piece))
  const byWriter = Map.groupBy(steps, (step) => step.write)
  for (const [writeTogether, same] of byWriter)
    await inPieces(
      same.map(({ item }) => item),
      (items) => writeTogether(tx, items),
    )
}

/** Powers of two, so that few statements are prepared. */
async function inPieces<Item>(items: readonly Item[], work: (piece: readonly Item[]) => Promise<unknown>): Promise<void> {
  let size = WRITTEN_AT_ONCE
  for (let done = 0; done < items.length; done += size) {
    while (size > items.length - done) size /= 2
    if (done > 0) await setImmediate()
    await work(items.slice(done, done + size))
  }
}

async function runEach(tx: Tx, steps: readonly WriteStep[]): Promise<void> {
  for (const step of steps) await step(tx)
}

/** A large column that is null keeps what is stored. Labels, the wish to retry and the edit count are written by commands alone. */
async function upsert(tx: Tx, rows: readonly NewRow<'agents'>[]): Promise<void> {
  await tx
    .insertInto('agents')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((eb) => ({
        instance_uid: eb.ref('excluded.instance_uid'),
        previous_uids_json: eb.ref('excluded.previous_uids_json'),
        last_seen_at: eb.ref('excluded.last_seen_at'),
        description_json: eb.fn.coalesce('excluded.description_json', 'agents.description_json'),
        health_json: eb.fn.coalesce('excluded.health_json', 'agents.health_json'),
        capabilities: eb.ref('excluded.capabilities'),
        custom_capabilities_json: eb.ref('excluded.custom_capabilities_json'),
        remote_config_hash: eb.ref('excluded.remote_config_hash'),
        remote_config_status: eb.ref('excluded.remote_config_status'),
        remote_config_error: eb.ref('excluded.remote_config_error'),
        effective_config_hash: eb.ref('excluded.effective_config_hash'),
        effective_config_at: eb.ref('excluded.effective_config_at'),
        effective_config_mac: eb.ref('excluded.effective_config_mac'),
        components_hash: eb.ref('excluded.components_hash'),
        last_good_hash: eb.ref('excluded.last_good_hash'),
        desired_hash: eb.ref('excluded.desired_hash'),
        settings_offered_hash: eb.ref('excluded.settings_offered_hash'),
        settings_status_hash: eb.ref('excluded.settings_status_hash'),
        settings_status: eb.ref('excluded.settings_status'),
        settings_error: eb.ref('excluded.settings_error'),
        transport: eb.ref('excluded.transport'),
        credential: eb.ref('excluded.credential'),
        remote_address: eb.ref('excluded.remote_address'),
      })),
    )
    .execute()
}

function toRow(record: AgentRecord, unsaved: AgentRecord['unsaved']): NewRow<'agents'> {
  return {
    id: record.id,
    instance_uid: record.uid,
    previous_uids_json: JSON.stringify(record.previousUids),
    first_seen_at: record.firstSeenAt,
    last_seen_at: record.lastSeenAt,
    description_json: unsaved?.description ?? null,
    health_json: unsaved?.health ?? null,
    capabilities: record.capabilities.mask.toString(),
    custom_capabilities_json: JSON.stringify(record.customCapabilities),
    labels_json: JSON.stringify(record.labels),
    remote_config_hash: record.reported?.hash ?? null,
    remote_config_status: record.reported?.status ?? null,
    remote_config_error: record.reported?.errorMessage ?? null,
    effective_config_hash: record.effectiveHash,
    effective_config_at: record.effectiveAt,
    effective_config_mac: record.effectiveMac,
    components_hash: record.componentsHash,
    last_good_hash: lastGoodHash(record.ledger),
    desired_hash: record.desiredHash,
    retry_hash: record.ledger.retry,
    settings_offered_hash: record.settings.offered,
    settings_status_hash: record.settings.status?.hash ?? null,
    settings_status: record.settings.status?.status ?? null,
    settings_error: record.settings.status?.errorMessage ?? null,
    transport: record.transport,
    credential: record.credential,
    remote_address: record.remoteAddress,
    edit: record.edit,
  }
}

/** Everything of an agent, also what lists do not need. */
export function readAgent(from: ReadStore, id: string): Promise<Row<'agents'> | undefined> {
  return from.selectFrom('agents').selectAll().where('id', '=', id).executeTakeFirst()
}

/** With the hash of its effective configuration once more, if that is in the store. */
export type LoadedAgent = Row<'agents'> & { readonly effective_stored: string | null }

/** Page by page, so that a large fleet does not stand in memory twice. */
export async function* readAgents(from: ReadStore): AsyncGenerator<LoadedAgent[]> {
  const size = 1000
  for (let after = ''; ; ) {
    const rows = await from
      .selectFrom('agents')
      .leftJoin('blobs', 'blobs.hash', 'agents.effective_config_hash')
      .selectAll('agents')
      .select('blobs.hash as effective_stored')
      .where('id', '>', after)
      .orderBy('id')
      .limit(size)
      .execute()
    if (rows.length > 0) yield rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < size) return
    after = last.id
  }
}
