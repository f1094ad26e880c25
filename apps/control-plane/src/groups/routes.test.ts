/** Groups over real HTTP and a real store. */
import { ApiError, RolloutPlan } from '@drover/api'
import { presets } from '@drover/fleet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestConsole } from '../test-console.ts'
import type { TestConsole } from '../test-console.ts'

let console: TestConsole
beforeEach(async () => {
  console = await startTestConsole()
  for (const name of ['base', 'edge']) await console.api.createConfig({ body: { name, files: [{ name: 'a.yaml', body: `extensions:\n  ${name}: {}\n` }] } })
})
afterEach(() => console[Symbol.asyncDispose]())

const base = { config: 'base', version: 1 }
const edge = { config: 'edge', version: 1 }
const quickPlan = RolloutPlan.parse(presets.quick)
const problemOf = async (call: Promise<unknown>) => {
  const error: unknown = await call.catch((thrown: unknown) => thrown)
  if (error instanceof ApiError) return error.problem
  throw new Error(`not refused: ${JSON.stringify(error)}`)
}

describe('groups', () => {
  it('are created with revision 1 and wake the agents part after the commit', async () => {
    const { data } = await console.api.createGroup({ body: { name: 'all', selector: '*', configs: [base], message: 'first' } })
    expect(data).toMatchObject({ name: 'all', selector: '*', priority: 0, revision: { number: 1, configs: [base], author: 'admin', message: 'first' } })
    expect(console.fleet.changes).toBe(1)
    expect(console.fleet.begun).toMatchObject([{ group: 'all', to: 1, state: { current: null, revision: 1 }, start: { reason: 'first' }, by: 'admin' }])
    const [group] = await console.decisions.readGroups()
    expect(group).toMatchObject({ name: 'all', current: 1 })
    expect([...(group?.revisions ?? [])]).toMatchObject([[1, { rule: { name: 'all', priority: 0, revision: 1, configs: [base] } }]])
  })

  it('make a new revision and a rollout of whatever changes what agents run, and of nothing else', async () => {
    const first = await console.api.createGroup({ body: { name: 'g', selector: 'a=b', configs: [base] } })
    const body = { selector: 'a = c', priority: 5, configs: [base] }
    const moved = await console.api.setGroup({ params: { name: 'g' }, body, ifMatch: first.etag ?? '' })
    expect(moved.data).toMatchObject({ selector: 'a = c', priority: 5, revision: { number: 2 }, rollout: { id: 'rol_2', to: 2 } })
    const described = await console.api.setGroup({
      params: { name: 'g' },
      body: { ...body, description: 'all of a', plan: quickPlan },
      ifMatch: moved.etag ?? '',
    })
    expect(described.data).toMatchObject({ description: 'all of a', revision: { number: 2 }, plan: { soakMs: 60_000 } })
    expect(console.fleet.begun.map(({ to }) => to)).toEqual([1, 2])
    const changed = await console.api.setGroup({
      params: { name: 'g' },
      body: { ...body, configs: [base, edge], message: 'edge too' },
      ifMatch: described.etag ?? '',
    })
    expect(changed.data.revision).toMatchObject({ number: 3, configs: [base, edge], message: 'edge too' })
    expect((await console.api.listRevisions({ params: { name: 'g' } })).data.items.map((revision) => revision.number)).toEqual([3, 2, 1])
    expect(console.fleet.begun.at(-1)).toMatchObject({ to: 3, state: { current: 2, plan: { soakMs: 60_000 } } })
    expect(console.fleet.changes).toBe(3)
  })

  it('show what changed to an editor who comes too late, and keep the first change', async () => {
    const { etag } = await console.api.createGroup({ body: { name: 'g', selector: '*' } })
    await console.api.setGroup({ params: { name: 'g' }, body: { selector: '*', configs: [base] }, ifMatch: etag ?? '' })
    const late = console.api.setGroup({ params: { name: 'g' }, body: { selector: '*', configs: [edge] }, ifMatch: etag ?? '' })
    expect(await problemOf(late)).toMatchObject({ status: 409, code: 'version-conflict', current: { revision: { configs: [base] } } })
    expect(await problemOf(console.api.deleteGroup({ params: { name: 'g' }, ifMatch: etag ?? '' }))).toMatchObject({ code: 'version-conflict' })
    expect((await console.api.getGroup({ params: { name: 'g' } })).data.revision.configs).toEqual([base])
    expect(console.fleet.changes).toBe(2)
  })

  it('name what is wrong: selector, unknown version, a config twice, a name that is taken', async () => {
    const create = (body: object) => console.api.createGroup({ body: { name: 'g', selector: '*', ...body } })
    expect(await problemOf(create({ selector: 'a = ' }))).toMatchObject({ status: 422, errors: [{ field: 'body.selector' }] })
    expect(await problemOf(create({ configs: [base, { config: 'base', version: 9 }, { config: 'none', version: 1 }] }))).toMatchObject({
      status: 422,
      errors: [{ field: 'body.configs.1.config' }, { field: 'body.configs.2', message: 'there is no none@1' }],
    })
    await create({})
    expect(await problemOf(create({}))).toMatchObject({ status: 409, code: 'already-exists' })
    expect(await problemOf(console.api.getGroup({ params: { name: 'nope' } }))).toMatchObject({ status: 404, code: 'not-found' })
  })

  it('are listed highest priority first, page by page', async () => {
    for (const [name, priority] of [
      ['low', -1],
      ['b', 3],
      ['a', 3],
    ] as const)
      await console.api.createGroup({ body: { name, selector: '*', priority } })
    const first = await console.api.listGroups({ query: { limit: 2 } })
    expect(first.data).toMatchObject({ total: 3, items: [{ name: 'b' }, { name: 'a' }] })
    const foreign = Buffer.from('["a","b"]').toString('base64url')
    expect(await problemOf(console.api.listGroups({ query: { cursor: foreign } }))).toMatchObject({ status: 400, errors: [{ field: 'query.cursor' }] })
    const rest = await console.api.listGroups({ query: { limit: 2, cursor: first.data.nextCursor ?? '' } })
    expect(rest.data).toMatchObject({ items: [{ name: 'low' }], nextCursor: null })
  })

  it('go on counting revisions when a name is used again', async () => {
    const { etag } = await console.api.createGroup({ body: { name: 'g', selector: '*', configs: [base] } })
    await console.api.deleteGroup({ params: { name: 'g' }, ifMatch: etag ?? '' })
    const again = await console.api.createGroup({ body: { name: 'g', selector: '*', configs: [edge] } })
    expect(again.data.revision.number).toBe(2)
    expect((await console.api.listRevisions({ params: { name: 'g' } })).data.total).toBe(1)
    expect(again.etag).not.toBe(etag)
  })

  it('preview the effect, with the check of every mix that members would get', async () => {
    const fragment = (group: string, ref: typeof base, file: string) => ({ group, priority: 0, revision: 1, ...ref, file })
    console.fleet.effect = {
      ...console.fleet.effect,
      matching: 3,
      changing: 2,
      combinations: [{ groups: ['all', 'g'], agents: 3, fragments: [fragment('all', base, '000'), fragment('g', edge, '001')], overrides: [] }],
    }
    console.fleet.components = [{ components: [], agents: 3, names: ['x'] }]
    const { data } = await console.api.previewGroup({ body: { name: 'g', selector: '*', configs: [edge] } })
    expect(data).toMatchObject({ matching: 3, changing: 2, missing: [{ kind: 'extension', type: 'edge', lacking: 3 }] })
    expect(data.findings.length).toBeGreaterThan(0)
    expect(console.fleet.changes).toBe(0)
  })
})
