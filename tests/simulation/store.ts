/** What survives the death of the driver. Everything in one commit is stored, or nothing is; what was not synced may be lost with the power. */
import type { Decision, Ledger, Member, Rollout } from '@drover/fleet'
import type { Facts, GroupName, Traits } from './scenario.ts'

/** What an Agent said of its own-telemetry settings, and what it was offered. */
export interface SettingsRow {
  readonly offered: string | null
  readonly status: { readonly hash: string; readonly status: 'applying' | 'applied' | 'failed' } | null
  /** Hashes that it failed and that nobody asked to try again. */
  readonly failed: readonly string[]
}

export interface Row {
  readonly agent: string
  readonly facts: Facts
  readonly traits: Traits
  readonly ledger: Ledger
  readonly settings: SettingsRow
  /** In the newest rollout of each group. */
  readonly members: Readonly<Record<GroupName, Member | undefined>>
}

export interface GroupRow {
  readonly name: GroupName
  /** Revision that the last completed rollout gave. */
  readonly current: number | null
  /** The newest one. */
  readonly rollout: Rollout | null
  /** Of the rollout: a later one has a higher number. */
  readonly order: number
}

export interface Change {
  readonly rows: readonly Row[]
  readonly gone: readonly string[]
  readonly groups: readonly GroupRow[]
  readonly decisions: readonly StoredDecision[]
}

export interface StoredDecision {
  readonly rollout: string
  readonly group: GroupName
  readonly decision: Decision
}

/** The driver is gone, with everything that it only remembered. */
export class DriverDied extends Error {}
/** Nothing was stored. */
export class StoreRefused extends Error {}

export interface StoreListener {
  /** May throw DriverDied or StoreRefused. */
  before(): void
  stored(change: Change, before: Before): void
  /** May throw DriverDied. */
  after(): void
}

/** What a commit replaced. */
export interface Before {
  readonly rows: readonly { readonly agent: string; readonly row: Row | undefined }[]
  readonly groups: readonly { readonly name: GroupName; readonly group: GroupRow | undefined }[]
  /** How many there were. */
  readonly decisions: number
}

export class MemoryStore {
  readonly rows = new Map<string, Row>()
  readonly groups = new Map<GroupName, GroupRow>()
  readonly decisions: StoredDecision[] = []
  commits = 0
  private readonly listener: StoreListener
  /** One list for each commit that was not synced, newest last. */
  private unsynced: Before[] = []
  private readonly durable = new Map<string, Row | undefined>()

  constructor(listener: StoreListener) {
    this.listener = listener
  }

  /** `sync`: it is on disk when this returns, and everything before it too. */
  commit(change: Change, sync: boolean): void {
    this.listener.before()
    const undo = this.undoOf(change)
    for (const row of change.rows) this.rows.set(row.agent, row)
    for (const agent of change.gone) this.rows.delete(agent)
    for (const group of change.groups) this.groups.set(group.name, group)
    this.decisions.push(...change.decisions)
    this.commits++
    if (sync) this.sync()
    else this.keep(undo)
    this.listener.stored(change, undo)
    this.listener.after()
  }

  private undoOf({ rows, gone, groups }: Change): Before {
    const agents = rows.length === 1 && gone.length === 0 ? rows : [...rows, ...gone.map((agent) => ({ agent }))]
    return {
      rows: agents.map(({ agent }) => ({ agent, row: this.rows.get(agent) })),
      groups: groups.map(({ name }) => ({ name, group: this.groups.get(name) })),
      decisions: this.decisions.length,
    }
  }

  private sync(): void {
    if (this.unsynced.length === 0 && this.durable.size === 0) return
    this.unsynced = []
    this.durable.clear()
  }

  private keep(before: Before): void {
    this.unsynced.push(before)
    for (const { agent, row } of before.rows) if (!this.durable.has(agent)) this.durable.set(agent, row)
    // The operating system writes by itself in the end.
    if (this.unsynced.length > 500) this.sync()
  }

  /** The row as it would be after a loss of power. */
  durableRow(agent: string): Row | undefined {
    return this.durable.has(agent) ? this.durable.get(agent) : this.rows.get(agent)
  }

  get unsyncedCommits(): number {
    return this.unsynced.length
  }

  /** The last so many commits that were not synced never happened. */
  losePower(commits: number): void {
    for (let count = 0; count < commits; count++) {
      const before = this.unsynced.pop()
      if (before === undefined) break
      this.decisions.length = before.decisions
      for (const { agent, row } of before.rows) put(this.rows, agent, row)
      for (const { name, group } of before.groups) put(this.groups, name, group)
    }
    this.sync()
  }

  /** As a driver reads it after its start: values without any identity. */
  load(): { readonly rows: readonly Row[]; readonly groups: readonly GroupRow[] } {
    const all = { rows: [...this.rows.values()], groups: [...this.groups.values()] }
    // Copying a large fleet at each of many starts would take most of the time.
    return this.rows.size > 1000 ? all : (JSON.parse(JSON.stringify(all)) as typeof all)
  }
}

function put<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}
