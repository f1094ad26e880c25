/** Secrets over real HTTP and a real store. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ApiError } from '@drover/api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestConsole } from '../test-console.ts'
import type { TestConsole } from '../test-console.ts'

let console: TestConsole
beforeEach(async () => {
  console = await startTestConsole()
})
afterEach(() => console[Symbol.asyncDispose]())

const CANARY = 'canary-5f1c9e2a77'
const params = { name: 'api_key' }
const problemOf = async (call: Promise<unknown>) => {
  const error: unknown = await call.catch((thrown: unknown) => thrown)
  if (error instanceof ApiError) return error.problem
  throw new Error(`not refused: ${JSON.stringify(error)}`)
}
const useIn = async (group: string): Promise<void> => {
  const body = 'exporters:\n  otlphttp:\n    headers:\n      key: ${drover:secret.api_key}\n'
  await console.api.createConfig({ body: { name: `${group}-config`, files: [{ name: 'a.yaml', body }], fragment: true } })
  await console.api.createGroup({ body: { name: group, selector: '*', configs: [{ config: `${group}-config`, version: 1 }] } })
}

describe('secrets', () => {
  it('count their values, and show none', async () => {
    expect((await console.api.setSecret({ params, body: { value: CANARY, description: 'of the backend' } })).data).toMatchObject({
      name: 'api_key',
      version: 1,
    })
    const { data } = await console.api.setSecret({ params, body: { value: `${CANARY}-2` } })
    expect(data).toEqual({
      name: 'api_key',
      description: 'of the backend',
      version: 2,
      usedBy: [],
      createdAt: data.createdAt,
      updatedAt: data.updatedAt,
      updatedBy: 'admin',
    })
    expect((await console.api.getSecret({ params })).data).toEqual(data)
    expect((await console.api.listSecrets({})).data).toEqual({ items: [data], nextCursor: null, total: 1 })
    expect(await console.decisions.readSecret('api_key', 1)).toBe(CANARY)
    expect(await console.decisions.readSecret('api_key', 2)).toBe(`${CANARY}-2`)
    expect(await console.decisions.readSecret('api_key', 3)).toBeUndefined()
  })

  it('are in no file of the data folder and in no event', async () => {
    await console.api.setSecret({ params, body: { value: CANARY } })
    await useIn('g')
    const { events } = await console.events.page({ filter: { kinds: [] }, limit: 50 })
    expect(events.map(({ kind }) => kind)).toContain('secret.set')
    expect(JSON.stringify(events)).not.toContain(CANARY)
    const files = readdirSync(console.test.dir).map((name) => readFileSync(join(console.test.dir, name), 'latin1'))
    expect(files.some((text) => text.includes('drover:secret.api_key'))).toBe(true)
    expect(files.some((text) => text.includes(CANARY))).toBe(false)
  })

  it('say which groups have which version, and stay as long as one has any', async () => {
    await console.api.setSecret({ params, body: { value: CANARY } })
    await useIn('g')
    await console.api.setSecret({ params, body: { value: `${CANARY}-2` } })
    await useIn('h')
    const { data } = await console.api.getSecret({ params })
    expect(data.usedBy.toSorted((a, b) => (a.group < b.group ? -1 : 1))).toEqual([
      { group: 'g', version: 1 },
      { group: 'h', version: 2 },
    ])
    expect(await problemOf(console.api.deleteSecret({ params }))).toMatchObject({ status: 409, code: 'secret-in-use' })
    expect(await console.decisions.readSecret('api_key', 1)).toBe(CANARY)
  })

  it('are gone with all values when they are deleted, and never use a number again', async () => {
    await console.api.setSecret({ params, body: { value: CANARY } })
    await console.api.deleteSecret({ params })
    expect(await problemOf(console.api.getSecret({ params }))).toMatchObject({ status: 404 })
    expect(await console.decisions.readSecret('api_key', 1)).toBeUndefined()
    expect((await console.api.setSecret({ params, body: { value: 'again' } })).data.version).toBe(2)
    expect(await console.decisions.readSecret('api_key', 1)).toBeUndefined()
    expect(await problemOf(console.api.setSecret({ params: { name: 'no dots.here' }, body: { value: 'x' } }))).toMatchObject({ status: 400 })
  })

  it('are listed by name, page by page', async () => {
    for (const name of ['c', 'a', 'b']) await console.api.setSecret({ params: { name }, body: { value: name } })
    const first = await console.api.listSecrets({ query: { limit: 2 } })
    expect(first.data).toMatchObject({ total: 3, items: [{ name: 'a' }, { name: 'b' }] })
    expect((await console.api.listSecrets({ query: { cursor: first.data.nextCursor ?? '' } })).data.items).toMatchObject([{ name: 'c' }])
  })
})
