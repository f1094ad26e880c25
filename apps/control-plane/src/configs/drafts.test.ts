/** Drafts over real HTTP and a real store. */
import { ApiError } from '@drover/api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestConsole } from '../test-console.ts'
import type { TestConsole } from '../test-console.ts'

let console: TestConsole
beforeEach(async () => {
  console = await startTestConsole()
})
afterEach(() => console[Symbol.asyncDispose]())

const params = { config: 'base' }
const fileOf = (body: string) => [{ name: 'a.yaml', body }]
const good = fileOf('extensions:\n  zpages: {}\n')
const problemOf = async (call: Promise<unknown>) => {
  const error: unknown = await call.catch((thrown: unknown) => thrown)
  if (error instanceof ApiError) return error.problem
  throw new Error(`not refused: ${JSON.stringify(error)}`)
}

describe('drafts', () => {
  it('may have errors, which are told, and go nowhere until they have none', async () => {
    const saved = await console.api.saveDraft({ params, body: { files: fileOf('a: [\n'), description: 'of all' } })
    expect(saved.data).toMatchObject({
      config: 'base',
      baseVersion: null,
      description: 'of all',
      updatedBy: 'admin',
      findings: [{ severity: 'error', file: 'a.yaml' }],
    })
    expect(await problemOf(console.api.publishDraft({ params, body: {}, ifMatch: saved.etag ?? '' }))).toMatchObject({
      status: 422,
      code: 'invalid-configuration',
    })
    expect((await console.api.listConfigs({})).data.total).toBe(0)
    expect((await console.api.getDraft({ params })).data.files).toMatchObject(fileOf('a: [\n'))
  })

  it('become the first version of a config, then the next, and are gone', async () => {
    const first = await console.api.saveDraft({ params, body: { files: good, description: 'of all', message: 'begun' } })
    const created = await console.api.publishDraft({ params, body: {}, ifMatch: first.etag ?? '' })
    expect(created.data).toMatchObject({ config: 'base', version: 1, message: 'begun', files: good })
    expect((await console.api.getConfig({ params: { name: 'base' } })).data.description).toBe('of all')
    expect(await problemOf(console.api.getDraft({ params }))).toMatchObject({ status: 404 })
    const second = await console.api.saveDraft({ params, body: { files: fileOf('extensions:\n  pprof: {}\n') } })
    expect(second.data).toMatchObject({ baseVersion: 1, description: 'of all' })
    expect((await console.api.publishDraft({ params, body: { message: 'pprof' }, ifMatch: second.etag ?? '' })).data).toMatchObject({
      version: 2,
      message: 'pprof',
    })
    const { events } = await console.events.page({ filter: { kinds: ['config'], subject: 'base' }, limit: 10 })
    expect(events.map(({ kind }) => kind).toSorted()).toEqual(['config.created', 'config.versioned'])
  })

  it('are not overwritten by somebody who has not seen the newest', async () => {
    const first = await console.api.saveDraft({ params, body: { files: good } })
    const second = await console.api.saveDraft({ params, body: { files: fileOf('extensions: {}\n'), edited: first.etag ?? '' } })
    expect(await problemOf(console.api.saveDraft({ params, body: { files: good } }))).toMatchObject({ status: 409, code: 'version-conflict' })
    expect(await problemOf(console.api.saveDraft({ params, body: { files: good, edited: first.etag ?? '' } }))).toMatchObject({
      code: 'version-conflict',
      current: { files: fileOf('extensions: {}\n') },
    })
    expect(await problemOf(console.api.publishDraft({ params, body: {}, ifMatch: first.etag ?? '' }))).toMatchObject({ code: 'version-conflict' })
    await console.api.deleteDraft({ params })
    expect(await problemOf(console.api.saveDraft({ params, body: { files: good, edited: second.etag ?? '' } }))).toMatchObject({
      status: 409,
      code: 'draft-gone',
    })
    const again = await console.api.saveDraft({ params, body: { files: good } })
    expect(again.etag).not.toBe(second.etag)
  })

  it('replace no version that their author has not seen', async () => {
    await console.api.createConfig({ body: { name: 'base', files: good } })
    const draft = await console.api.saveDraft({ params, body: { files: good } })
    const { etag } = await console.api.getConfig({ params: { name: 'base' } })
    await console.api.createVersion({ params: { name: 'base' }, body: { files: fileOf('extensions: {}\n') }, ifMatch: etag ?? '' })
    expect(await problemOf(console.api.publishDraft({ params, body: {}, ifMatch: draft.etag ?? '' }))).toMatchObject({ code: 'version-conflict' })
    const seen = await console.api.getDraft({ params })
    expect(seen.data).toMatchObject({ baseVersion: 1, findings: [{ severity: 'warning', code: 'newer-version' }] })
    expect((await console.api.publishDraft({ params, body: {}, ifMatch: seen.etag ?? '' })).data.version).toBe(3)
  })

  it('are listed the last changed first, and their text is kept as long as they are', async () => {
    for (const config of ['c', 'a', 'b']) {
      console.clock.time += 1_000
      await console.api.saveDraft({ params: { config }, body: { files: fileOf(`# ${config}\n`) } })
    }
    const first = await console.api.listDrafts({ query: { limit: 2 } })
    expect(first.data).toMatchObject({ total: 3, items: [{ config: 'b' }, { config: 'a' }] })
    expect((await console.api.listDrafts({ query: { limit: 2, cursor: first.data.nextCursor ?? '' } })).data.items).toMatchObject([{ config: 'c' }])
    await console.api.deleteDraft({ params: { config: 'c' } })
    expect(await console.test.store.transaction((tx) => console.blobs.prune(tx))).toBe(1)
    expect((await console.api.getDraft({ params: { config: 'a' } })).data.files).toMatchObject(fileOf('# a\n'))
  })
})
