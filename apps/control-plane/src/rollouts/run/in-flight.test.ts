/** The moment between a commit and those who hear of it. */
import { describe, expect, it } from 'vitest'
import type { Tx } from '../../storage/store.ts'
import { InFlight } from './in-flight.ts'

function transaction(): { readonly tx: Tx; readonly notes: (() => void)[] } {
  const notes: (() => void)[] = []
  return { tx: { afterCommit: (note: () => void) => void notes.push(note) } as unknown as Tx, notes } // as: nothing else of it is used
}

/** So many turns of the queue of microtasks as a commit takes to be announced. */
async function afterMicrotasks(count: number, work: () => void): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
  work()
}

describe('a transaction that follows at once', () => {
  it('waits until the commit before is known', async () => {
    const inFlight = new InFlight()
    const first = transaction()
    let known = false
    inFlight.add(first.tx, () => (known = true))
    void afterMicrotasks(50, () => first.notes.forEach((note) => note()))
    await inFlight.settle(transaction().tx)
    expect(known).toBe(true)
  })

  it('does not wait for ever for one that was rolled back, and not at all for itself', async () => {
    const inFlight = new InFlight()
    const { tx } = transaction()
    inFlight.add(tx, () => {
      throw new Error('never')
    })
    let isDone = false
    void inFlight.settle(tx).then(() => (isDone = true))
    await Promise.resolve()
    expect(isDone).toBe(true)
    await inFlight.settle(transaction().tx)
    await inFlight.settle(transaction().tx)
  })
})
