/** Calls with one key that are under way at the same time. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTestStore } from '../storage/test-store.ts'
import type { TestStore } from '../storage/test-store.ts'
import { createIdempotency } from './idempotency.ts'
import type { Idempotency } from './idempotency.ts'

let test: TestStore
let idempotency: Idempotency
beforeEach(() => {
  test = openTestStore()
  idempotency = createIdempotency(test.store, { now: () => 1 })
})
afterEach(() => test[Symbol.asyncDispose]())

const call = { scope: 'token api_1 createConfig', key: 'k', input: { name: 'a' } }

describe('createIdempotency', () => {
  it('lets a repetition wait for the first call and gives it the same answer', async () => {
    const gate = Promise.withResolvers<void>()
    let runs = 0
    const run = () =>
      idempotency.once<{ data: number }>(call, async (keep) => {
        runs++
        await gate.promise
        return test.store.transaction((tx) => keep(tx, { data: runs }))
      })
    const answers = [run(), run(), run()]
    gate.resolve()
    expect(await Promise.all(answers)).toEqual([{ data: 1 }, { data: 1 }, { data: 1 }])
    expect(runs).toBe(1)
  })

  it('lets a repetition try for itself when the first call fails', async () => {
    let runs = 0
    const run = () =>
      idempotency.once<{ data: number }>(call, (keep) =>
        test.store.transaction((tx) => {
          if (++runs === 1) throw new Error('no')
          return keep(tx, { data: runs })
        }),
      )
    const [first, second] = await Promise.allSettled([run(), run()])
    expect(first.status).toBe('rejected')
    expect(second).toEqual({ status: 'fulfilled', value: { data: 2 } })
  })

  it('keeps nothing of an answer whose transaction fails', async () => {
    const failing = idempotency.once<{ data: number }>(call, (keep) =>
      test.store.transaction(async (tx) => {
        await keep(tx, { data: 1 })
        throw new Error('no')
      }),
    )
    await expect(failing).rejects.toThrow('no')
    expect(await idempotency.once<{ data: number }>(call, async () => ({ data: 2 }))).toEqual({ data: 2 })
  })
})
