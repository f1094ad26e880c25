/** Commits that memory does not know of yet: between the end of a transaction and its notifications another one may begin. */
import { setImmediate } from 'node:timers/promises'
import type { Tx } from '../../storage/store.ts'

export class InFlight {
  readonly #open = new Set<Tx>()

  /** Calls `apply` after the commit. */
  add(tx: Tx, apply: () => void): void {
    this.#open.add(tx)
    tx.afterCommit(() => {
      this.#open.delete(tx)
      apply()
    })
  }

  /**
   * Call it first in each transaction that decides by what is in memory. Transactions run one after the other, so the others have ended; their
   * notifications are called before the event loop gets its next turn, and those that are not called then belong to what was rolled back.
   */
  async settle(tx: Tx): Promise<void> {
    const others = [...this.#open].filter((other) => other !== tx)
    if (others.length === 0) return
    await setImmediate()
    for (const other of others) this.#open.delete(other)
  }
}
