/** What every store of a client must do, whatever it is made of. */
import { describe, expect, it } from 'vitest'
import type { ClientStore } from '../store.ts'
import { StoreError } from './store-error.ts'

export interface StoreUnderTest {
  /** A store over nothing yet. */
  make(maxValueBytes?: number): Promise<ClientStore>
  /** Another store over the same values, as a restarted process opens it; absent where nothing is kept. */
  reopen?(): Promise<ClientStore>
}

const bytes = (text: string) => new TextEncoder().encode(text)

/** Registers the tests that every implementation must pass. */
export function testStore(name: string, { make, reopen }: StoreUnderTest): void {
  describe(name, () => {
    testValues(make)
    testOrder(make)
    testRefusals(make)
    if (reopen !== undefined) testReopening(make, reopen)
  })
}

function testValues(make: StoreUnderTest['make']): void {
  it('has nothing under a name that was never written', async () => {
    expect(await (await make()).read('settings')).toBeUndefined()
  })

  it('gives back what was written last, each name for itself', async () => {
    const store = await make()
    await store.write('settings', bytes('old'))
    await store.write('settings-candidate', bytes('other'))
    await store.write('settings', bytes('new'))
    expect(await store.read('settings')).toEqual(bytes('new'))
    expect(await store.read('settings-candidate')).toEqual(bytes('other'))
  })

  it('keeps empty values and all bytes', async () => {
    const store = await make()
    const all = Uint8Array.from({ length: 256 }, (_, index) => index)
    await store.write('empty', new Uint8Array())
    await store.write('all', all)
    expect(await store.read('empty')).toEqual(new Uint8Array())
    expect(await store.read('all')).toEqual(all)
  })

  it('forgets what was removed, and removing nothing is no error', async () => {
    const store = await make()
    await store.write('settings', bytes('value'))
    await store.remove('settings')
    await store.remove('settings')
    expect(await store.read('settings')).toBeUndefined()
  })
}

function testOrder(make: StoreUnderTest['make']): void {
  it('shares no memory with its callers', async () => {
    const store = await make()
    const value = bytes('value')
    const written = store.write('settings', value)
    value.fill(0)
    await written
    const read = await store.read('settings')
    read?.fill(0)
    expect(await store.read('settings')).toEqual(bytes('value'))
  })

  it('makes overlapping calls take effect in their order', async () => {
    const store = await make()
    const results = Array.from({ length: 20 }, async (_, index) => {
      await store.write('settings', bytes(`value ${index}`))
    })
    const read = store.read('settings')
    await Promise.all(results)
    expect(await read).toEqual(bytes('value 19'))
    await Promise.all([store.write('settings', bytes('last')), store.remove('settings')])
    expect(await store.read('settings')).toBeUndefined()
  })
}

function testRefusals(make: StoreUnderTest['make']): void {
  it.each(['', '.', '..', '.hidden', 'a/b', 'a\\b', '../up', 'Upper', 'nul\u0000', 'x'.repeat(65), 'blank name'])('refuses the name %j', async (badName) => {
    const store = await make()
    await expect(store.read(badName)).rejects.toThrow(StoreError)
    await expect(store.write(badName, bytes('x'))).rejects.toThrow(StoreError)
    await expect(store.remove(badName)).rejects.toThrow(StoreError)
  })

  it('refuses a value above its limit and keeps the one it has', async () => {
    const store = await make(8)
    await store.write('settings', bytes('12345678'))
    await expect(store.write('settings', bytes('123456789'))).rejects.toThrow('8 that are taken')
    expect(await store.read('settings')).toEqual(bytes('12345678'))
  })
}

function testReopening(make: StoreUnderTest['make'], reopen: NonNullable<StoreUnderTest['reopen']>): void {
  it('still has its values after it was opened anew', async () => {
    const store = await make()
    expect(store.isDurable).toBe(true)
    await store.write('kept', bytes('value'))
    await store.write('removed', bytes('value'))
    await store.remove('removed')
    const again = await reopen()
    expect(await again.read('kept')).toEqual(bytes('value'))
    expect(await again.read('removed')).toBeUndefined()
  })
}
