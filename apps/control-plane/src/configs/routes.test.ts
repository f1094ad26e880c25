/** Configs over real HTTP and a real store. */
import { ApiError } from '@drover/api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestConsole } from '../test-console.ts'
import type { TestConsole } from '../test-console.ts'

let console: TestConsole
beforeEach(async () => {
  console = await startTestConsole()
})
afterEach(() => console[Symbol.asyncDispose]())

const complete = (port: number) => `receivers:
  otlp:
    protocols:
      grpc:
        endpoint: localhost:${port}
exporters:
  debug: {}
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [debug]
`
const files = (body: string, name = 'base.yaml') => [{ name, body }]
const create = (name: string, body = complete(4317)) => console.api.createConfig({ body: { name, files: files(body) } })
const problemOf = async (call: Promise<unknown>) => {
  const error: unknown = await call.catch((thrown: unknown) => thrown)
  if (error instanceof ApiError) return error.problem
  throw new Error(`not refused: ${JSON.stringify(error)}`)
}

describe('configs', () => {
  it('are created with a first version, shown, listed and found by part of their name', async () => {
    const created = await create('base')
    expect(created.data).toMatchObject({ name: 'base', latest: { version: 1, author: 'admin' }, usedBy: [] })
    expect((await console.api.getConfig({ params: { name: 'base' } })).data).toEqual(created.data)
    await create('other')
    expect((await console.api.listConfigs({ query: { search: 'as' } })).data.items.map((config) => config.name)).toEqual(['base'])
    const first = await console.api.listConfigs({ query: { limit: 1 } })
    expect(first.data).toMatchObject({ total: 2, items: [{ name: 'base' }] })
    const second = await console.api.listConfigs({ query: { limit: 1, cursor: first.data.nextCursor ?? '' } })
    expect(second.data).toMatchObject({ items: [{ name: 'other' }], nextCursor: null })
  })

  it('get further versions only from somebody who knows the latest one', async () => {
    const { etag } = await create('base')
    const add = (ifMatch: string | null) =>
      console.api.createVersion({ params: { name: 'base' }, body: { message: 'port', files: files(complete(4318)) }, ...(ifMatch === null ? {} : { ifMatch }) })
    expect(await problemOf(add(null))).toMatchObject({ status: 428, code: 'precondition-required', errors: [{ field: 'headers.if-match' }] })
    const second = await add(etag)
    expect(second.data).toMatchObject({ config: 'base', version: 2, message: 'port' })
    expect(await problemOf(add(etag))).toMatchObject({ status: 409, code: 'version-conflict', current: { latest: { version: 2 } } })
    expect((await add(second.etag)).data.version).toBe(3)
  })

  it('say what a version changed, as text and by path', async () => {
    const { etag } = await create('base')
    await console.api.createVersion({ params: { name: 'base' }, body: { files: files(complete(4318)) }, ifMatch: etag ?? '' })
    const { data } = await console.api.diffVersions({ params: { name: 'base', version: 2 } })
    expect(data.changes).toEqual([{ path: 'receivers.otlp.protocols.grpc.endpoint', kind: 'changed', from: 'localhost:4317', to: 'localhost:4318' }])
    expect(data.unified).toContain('+        endpoint: localhost:4318')
    const fromNothing = await console.api.diffVersions({ params: { name: 'base', version: 1 } })
    expect(fromNothing.data).toMatchObject({ from: { version: 0 }, changes: expect.arrayContaining([expect.objectContaining({ kind: 'added' })]) })
  })

  it('refuse a version with errors and name file, line and field; nothing is stored', async () => {
    const problem = await problemOf(create('bad', 'receivers:\n  otlp: {\n'))
    expect(problem).toMatchObject({ status: 422, code: 'invalid-configuration' })
    expect(problem.errors?.[0]).toMatchObject({ field: 'body.files.0.body', message: expect.stringMatching(/^base\.yaml:\d+:\d+: /) })
    const unknown = await problemOf(create('bad', complete(1).replace('exporters: [debug]', 'exporters: [nope]')))
    expect(unknown.errors?.some((error) => error.message.includes('nope'))).toBe(true)
    expect((await console.api.listConfigs({})).data.total).toBe(0)
    expect(await console.test.store.read.selectFrom('blobs').select('hash').execute()).toEqual([])
  })

  it('take a fragment that leans on another config, with a warning', async () => {
    const fragment = 'service:\n  pipelines:\n    traces:\n      processors: [batch]\n'
    const { data } = await create('overlay', fragment)
    const version = await console.api.getVersion({ params: { name: 'overlay', version: data.latest.version } })
    expect(version.data.findings.every((finding) => finding.severity === 'warning')).toBe(true)
    const told = await problemOf(console.api.createConfig({ body: { name: 'strict', files: files(fragment), fragment: false } }))
    expect(told.code).toBe('invalid-configuration')
  })

  it('are checked against what the targets contain', async () => {
    console.fleet.components = [
      {
        components: [
          { kind: 'receiver', type: 'otlp' },
          { kind: 'exporter', type: 'debug' },
        ],
        agents: 5,
        names: ['a'],
      },
      { components: [{ kind: 'receiver', type: 'otlp' }], agents: 2, names: ['web-1', 'web-2'] },
    ]
    const { data } = await console.api.validateConfig({ body: { files: files(complete(1)), target: { selector: '*' } } })
    expect(data).toMatchObject({
      valid: true,
      targets: { agents: 8, checked: 7, missing: [{ kind: 'exporter', type: 'debug', lacking: 2, agents: ['web-1', 'web-2'] }] },
    })
    const lacking = data.findings.find((finding) => finding.code === 'component-not-available')
    expect(lacking).toMatchObject({ message: '2 of 8 agents lack the exporter debug: web-1, web-2', path: 'exporters.debug', file: 'base.yaml' })
    expect(complete(1).split('\n')[(lacking?.line ?? 0) - 1]).toMatch(/^\s+debug:/)
    expect(await problemOf(console.api.validateConfig({ body: { files: files(complete(1)), target: { selector: 'a =' } } }))).toMatchObject({
      status: 422,
      errors: [{ field: 'body.target.selector' }],
    })
    expect(await problemOf(console.api.validateConfig({ body: { files: files(complete(1)), target: { group: 'none' } } }))).toMatchObject({
      errors: [{ field: 'body.target.group' }],
    })
  })

  it('stay while a group uses them, and never use a version number twice', async () => {
    const { etag } = await create('base')
    await console.api.createVersion({ params: { name: 'base' }, body: { files: files(complete(2)) }, ifMatch: etag ?? '' })
    const group = await console.api.createGroup({ body: { name: 'all', selector: '*', configs: [{ config: 'base', version: 2 }] } })
    expect((await console.api.getConfig({ params: { name: 'base' } })).data.usedBy).toEqual([{ group: 'all', version: 2 }])
    expect(await problemOf(console.api.deleteConfig({ params: { name: 'base' } }))).toMatchObject({
      status: 409,
      code: 'config-in-use',
      detail: expect.stringContaining('all'),
    })
    await console.api.deleteGroup({ params: { name: 'all' }, ifMatch: group.etag ?? '' })
    await console.api.deleteConfig({ params: { name: 'base' } })
    expect(await problemOf(console.api.getVersion({ params: { name: 'base', version: 1 } }))).toMatchObject({ status: 404 })
    expect(await console.decisions.readFiles('base', 1)).toMatchObject([{ name: 'base.yaml' }])

    const again = await create('base')
    expect(again.data.latest.version).toBe(3)
    expect(again.etag).not.toBe(etag)
    expect((await console.api.listVersions({ params: { name: 'base' } })).data).toMatchObject({ total: 1, items: [{ version: 3 }] })
    expect((await console.api.diffVersions({ params: { name: 'base', version: 3 } })).data.from.version).toBe(2)
  })

  it('are refused with every wrong field named', async () => {
    const problem = await problemOf(console.api.createConfig({ body: { name: 'Not OK', files: [], colour: 'red' } as never }))
    expect(problem.status).toBe(422)
    expect(problem.errors?.map((error) => error.field).toSorted()).toEqual(['body.colour', 'body.files', 'body.name'])
    expect(await problemOf(console.api.listConfigs({ query: { limit: 1e9 } }))).toMatchObject({ status: 400, errors: [{ field: 'query.limit' }] })
    expect(await problemOf(console.api.listConfigs({ query: { cursor: 'x' } }))).toMatchObject({ status: 400, errors: [{ field: 'query.cursor' }] })
    const twice = await problemOf(console.api.createConfig({ body: { name: 'twice', files: [...files('a: 1'), ...files('b: 1')] } }))
    expect(twice.errors?.[0]?.field).toBe('body.files')
  })
})
