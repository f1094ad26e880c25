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

  it('keep the versions of secrets that they have until somebody asks for the latest', async () => {
    await console.api.setSecret({ params: { name: 'key' }, body: { value: 'one' } })
    const body = 'exporters:\n  otlphttp:\n    headers:\n      key: ${drover:secret.key}\n'
    await console.api.createConfig({ body: { name: 'out', files: [{ name: 'out.yaml', body }], fragment: true } })
    const group = { selector: '*', configs: [{ config: 'out', version: 1 }] }
    const created = await console.api.createGroup({ body: { name: 'g', ...group } })
    expect(created.data.revision.secrets).toEqual({ key: 1 })
    await console.api.setSecret({ params: { name: 'key' }, body: { value: 'two' } })
    const kept = await console.api.setGroup({ params: { name: 'g' }, body: { ...group, priority: 1 }, ifMatch: created.etag ?? '' })
    expect(kept.data.revision).toMatchObject({ number: 2, secrets: { key: 1 } })
    const latest = await console.api.setGroup({ params: { name: 'g' }, body: { ...group, priority: 1, secrets: 'latest' }, ifMatch: kept.etag ?? '' })
    expect(latest.data.revision).toMatchObject({ number: 3, secrets: { key: 2 } })
  })

  it('name each name without a value with file and line, and save nothing', async () => {
    const body =
      '# ${drover:var.in_a_comment}\nexporters:\n  otlphttp:\n    endpoint: ${drover:var.endpoint}\n    headers: {key: "${drover:secret.key}", site: "${drover:label.site}"}\n'
    await console.api.createConfig({ body: { name: 'out', files: [{ name: 'out.yaml', body }], fragment: true } })
    const group = {
      selector: '*',
      configs: [base, { config: 'out', version: 1 }],
      ownTelemetry: {
        metrics: { kind: 'otlp' as const, endpoint: 'https://otlp.example.com', headers: { key: '${drover:secret.other}' } },
        logs: null,
        traces: null,
      },
    }
    expect(await problemOf(console.api.createGroup({ body: { name: 'g', ...group } }))).toMatchObject({
      status: 422,
      errors: [
        { field: 'body.configs.1', message: expect.stringContaining('out@1 out.yaml:4 uses ${drover:var.endpoint}, but the variable endpoint is not set') },
        { field: 'body.configs.1', message: expect.stringContaining('out@1 out.yaml:5 uses ${drover:secret.key}, but there is no secret key') },
        { field: 'body.ownTelemetry.metrics.headers.key', message: expect.stringContaining('the header key of own metrics uses ${drover:secret.other}') },
      ],
    })
    expect(console.fleet.begun).toEqual([])
    for (const name of ['key', 'other']) await console.api.setSecret({ params: { name }, body: { value: 'v' } })
    const variables = { endpoint: 'https://otlp.example.com', unused: 'x' }
    const { data } = await console.api.previewGroup({ body: { ...group, variables } })
    expect(data.findings).toContainEqual(expect.objectContaining({ severity: 'warning', code: 'unused-variable', path: 'variables.unused' }))
    const created = await console.api.createGroup({ body: { name: 'g', ...group, variables } })
    expect(created.data.revision).toMatchObject({ secrets: { key: 1, other: 1 }, variables })
  })

  it('show what a rollout went back to, and cannot be changed on the way', async () => {
    const created = await console.api.createGroup({ body: { name: 'g', selector: '*', configs: [base] } })
    console.fleet.rolloutState = 'rollingBack'
    const changed = await console.api.setGroup({
      params: { name: 'g' },
      body: { selector: 'a = b', priority: 2, configs: [edge] },
      ifMatch: created.etag ?? '',
    })
    expect(changed.data).toMatchObject({
      selector: '*',
      priority: 0,
      current: 1,
      revision: { number: 1, configs: [base] },
      rollout: { to: 2, state: 'rollingBack' },
    })
    console.fleet.notChangeable = 'wait until the rollout rol_2 has ended'
    const body = { selector: '*', configs: [edge] }
    expect(await problemOf(console.api.setGroup({ params: { name: 'g' }, body, ifMatch: changed.etag ?? '' }))).toMatchObject({
      status: 409,
      code: 'not-changeable-now',
      detail: 'wait until the rollout rol_2 has ended',
    })
    const described = { selector: '*', configs: [base], description: 'all' }
    expect((await console.api.setGroup({ params: { name: 'g' }, body: described, ifMatch: changed.etag ?? '' })).data.description).toBe('all')
    expect((await console.api.listRevisions({ params: { name: 'g' } })).data.items.map(({ number }) => number)).toEqual([2, 1])
  })

  it('are in use with their current revision, those of the newest rollout, and those that its members hold', async () => {
    const { etag } = await console.api.createGroup({ body: { name: 'g', selector: '*', configs: [base] } })
    console.fleet.rolloutState = 'running'
    const second = await console.api.setGroup({ params: { name: 'g' }, body: { selector: '*', configs: [edge] }, ifMatch: etag ?? '' })
    const third = await console.api.setGroup({ params: { name: 'g' }, body: { selector: '*', configs: [base, edge] }, ifMatch: second.etag ?? '' })
    const inUse = async () => [...((await console.decisions.readGroups())[0]?.revisions.keys() ?? [])].toSorted()
    expect(await inUse()).toEqual([1, 3])
    await console.test.store.transaction((tx) =>
      tx
        .insertInto('rollout_members')
        .values({
          rollout_id: 'rol_3',
          agent_id: 'agt_1',
          wave: 0,
          point: 0,
          late: 0,
          holds: 2,
          state: 'pending',
          tries: 0,
          since: 1,
          pushed_at: null,
          before_json: null,
        })
        .execute(),
    )
    expect(await inUse()).toEqual([1, 2, 3])
    console.fleet.rolloutState = 'draft'
    await console.api.setGroup({ params: { name: 'g' }, body: { selector: '*', rollout: { draft: true } }, ifMatch: third.etag ?? '' })
    expect(await inUse()).toEqual([1, 2, 3])
    expect((await console.api.getConfig({ params: { name: 'edge' } })).data.usedBy).toEqual([{ group: 'g', version: 1 }])
    expect(await problemOf(console.api.deleteConfig({ params: { name: 'edge' } }))).toMatchObject({ code: 'config-in-use' })
  })

  it('are deleted only in so many words when agents would notice at once', async () => {
    const { etag } = await console.api.createGroup({ body: { name: 'g', selector: 'a = b', priority: 4, configs: [base] } })
    const gone = { params: { name: 'g' }, ifMatch: etag ?? '' }
    console.fleet.changing = 2
    expect(await problemOf(console.api.deleteGroup(gone))).toMatchObject({
      status: 409,
      code: 'changes-agents-at-once',
      detail: expect.stringMatching(/would change what 2 agents run, at once: take its configs out first, .* allAtOnce=true/),
    })
    expect(console.fleet.proposed).toMatchObject([{ group: 'g', revision: { rule: { priority: 4, configs: [] }, ownTelemetry: null } }])
    expect((await console.api.listGroups({})).data.total).toBe(1)
    await console.api.deleteGroup({ ...gone, query: { allAtOnce: 'true' } })
    const { events } = await console.events.page({ filter: { kinds: ['group.deleted'] }, limit: 1 })
    expect(events).toMatchObject([{ summary: 'admin deleted the group g, which changes 2 agents at once', data: { allAtOnce: true, changing: 2 } }])
  })

  it('are deleted under a rollout only in so many words too', async () => {
    console.fleet.rolloutState = 'soaking'
    const { etag } = await console.api.createGroup({ body: { name: 'g', selector: '*' } })
    expect(await problemOf(console.api.deleteGroup({ params: { name: 'g' }, ifMatch: etag ?? '' }))).toMatchObject({ status: 409, code: 'rollout-active' })
    await console.api.deleteGroup({ params: { name: 'g' }, query: { allAtOnce: 'true' }, ifMatch: etag ?? '' })
    expect(console.fleet.ended).toEqual(['g'])
  })

  it('say in the log of events when a change goes to all agents at once, or nowhere yet', async () => {
    await console.api.createGroup({ body: { name: 'now', selector: '*', rollout: { preset: 'everyone' } } })
    await console.api.createGroup({ body: { name: 'later', selector: '*', rollout: { draft: true } } })
    const { events } = await console.events.page({ filter: { kinds: ['group.created'] }, limit: 2 })
    expect(events).toMatchObject([
      { summary: 'admin created the group later, to be rolled out later', data: { draft: true } },
      { summary: 'admin created the group now, for all agents at once', data: { allAtOnce: true } },
    ])
  })

  it('refuse a plan that begins when no clock can say', async () => {
    const plan = { ...quickPlan, schedule: { notBefore: 9e15, windows: [] } }
    const problem = await problemOf(console.api.createGroup({ body: { name: 'late', selector: '*', configs: [base], rollout: { plan } } }))
    expect(problem).toMatchObject({ status: 422, errors: [{ field: 'body.rollout.plan.schedule.notBefore' }] })
  })

  it('refuse a plan of their own that means nothing', async () => {
    const body = { name: 'g', selector: '*', plan: { ...quickPlan, waves: [{ kind: 'percent' as const, percent: 0 }] } }
    expect(await problemOf(console.api.createGroup({ body }))).toMatchObject({ status: 422, errors: [{ field: 'body.plan.waves.0.percent' }] })
  })
})
