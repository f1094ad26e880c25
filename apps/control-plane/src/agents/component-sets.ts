/** What agents contain, once per distinct set: a fleet has a handful of builds. */
import type { ReadStore, Tx } from '../storage/store.ts'
import type { Component } from './report-values.ts'

export interface ComponentSet {
  readonly hash: string
  /** False while only the hash came. */
  readonly complete: boolean
  readonly items: readonly Component[]
}

/** A full list that was asked for and did not come is asked for again, of whoever reports the hash then. */
const ASK_AGAIN_MS = 120_000

export class ComponentSets {
  readonly #byHash = new Map<string, ComponentSet>()
  readonly #askedAt = new Map<string, number>()

  async load(from: ReadStore): Promise<void> {
    for (const row of await from.selectFrom('component_sets').selectAll().execute()) {
      this.#byHash.set(row.hash, { hash: row.hash, complete: row.complete === 1, items: JSON.parse(row.items_json) as Component[] }) // as: only save() writes it
    }
  }

  get(hash: string | null): ComponentSet | undefined {
    return hash === null ? undefined : this.#byHash.get(hash)
  }

  /** Whether to ask the agent that reported the hash for the full list; asking is remembered. */
  shouldAsk(hash: string, now: number): boolean {
    if (this.#byHash.get(hash)?.complete === true) return false
    const askedAt = this.#askedAt.get(hash)
    if (askedAt !== undefined && now - askedAt < ASK_AGAIN_MS) return false
    this.#askedAt.set(hash, now)
    return true
  }

  /** Undefined when it is known already. */
  add(hash: string, items: readonly Component[]): ComponentSet | undefined {
    this.#askedAt.delete(hash)
    if (this.#byHash.get(hash)?.complete === true) return undefined
    const set = { hash, complete: true, items }
    this.#byHash.set(hash, set)
    return set
  }
}

export async function saveComponentSet(tx: Tx, set: ComponentSet, now: number): Promise<void> {
  await tx
    .insertInto('component_sets')
    .values({ hash: set.hash, complete: set.complete ? 1 : 0, items_json: JSON.stringify(set.items), first_seen_at: now })
    .onConflict((conflict) =>
      conflict.column('hash').doUpdateSet({ complete: (eb) => eb.ref('excluded.complete'), items_json: (eb) => eb.ref('excluded.items_json') }),
    )
    .execute()
}
