/** Configurations with names in them: what agents get, what is shown, what is kept, and what it costs. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { agentRoutes } from '@drover/api'
import { parseSelector, readTemplate } from '@drover/fleet'
import type { GivenRevision } from '@drover/fleet'
import { agentTraits } from '@drover/testing'
import type { ScriptedAgent } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { createSealer } from '../storage/sealer.ts'
import { DesiredState } from './desired-state.ts'
import { BAD, GOOD, TestFleet, ruleOf } from './test-fleet.ts'

const APPLY_MS = 6_000
const params = (index: number) => ({ agentId: agentTraits(index).uid })
const canary = 'c4n4ry-S3cr3t-9f2b7d'
const withNames = (text: string) => GOOD.replace('debug: {}', () => `debug:\n    ${text}`)
const host = (index: number) => String(agentTraits(index).nonIdentifying['host.name'])

function lastConfig(agent: ScriptedAgent): string {
  return agent.memory.config ?? ''
}

describe('names in configurations', () => {
  it('are filled in with attributes, labels and variables of the revision', async () => {
    await using fleet = await TestFleet.open()
    fleet.config(
      'base@1',
      withNames('verbosity: ${drover:var.verbosity}\n    name: "${drover:agent.host.name}@${drover:label.site}"\n    pass: ${env:HOME} $${drover:x}'),
    )
    const agent = await fleet.connected(1)
    await fleet.setGroups({ name: 'all', configs: ['base@1'], variables: { verbosity: 'detailed' } })
    expect(agent.tally.offers).toHaveLength(0)
    expect(fleet.agents.counts()).toMatchObject({ failed: 1 })
    const { data } = await fleet.call(agentRoutes.getDesiredConfig, { params: params(1) })
    expect(data).toMatchObject({
      hash: null,
      state: 'failed',
      reason: expect.stringContaining('base@1 config.yaml line 6 uses ${drover:label.site}, but the agent has no label site: set it.'),
      unresolved: [{ reference: '${drover:label.site}', line: 6 }],
    })
    const shown = await fleet.call(agentRoutes.getAgent, { params: params(1) })
    expect(shown.data.configError).toContain('${drover:label.site}')
    expect(fleet.agents.fleet.outcome(shown.data.id, 'all')).toBe('failed')
    await fleet.call(agentRoutes.setLabels, { params: params(1), body: { labels: { site: 'ber' } }, ifMatch: shown.etag ?? '' })
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(agent.tally.offers).toHaveLength(1)
    expect(lastConfig(agent)).toContain(`name: ${host(1)}@ber`)
    expect(lastConfig(agent)).toContain('verbosity: detailed')
    expect(lastConfig(agent)).toContain('${env:HOME} $${drover:x}')
  })

  it('are filled in anew when the agent is another, and leave others alone', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', withNames('name: ${drover:agent.service.version}'))
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    const agents = await Promise.all([1, 2].map((index) => fleet.connected(index)))
    await fleet.clock.advanceAsync(APPLY_MS)
    const traits = agentTraits(1)
    agents[0]?.setTraits({ ...traits, identifying: { ...traits.identifying, 'service.version': '99.0.0' } })
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(agents.map((agent) => agent.tally.offers.length)).toEqual([2, 1])
    expect(agents.map(lastConfig)[0]).toContain('99.0.0')
  })

  it('whose values no reader would take are refused before anything is sent', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('keys@1', `${GOOD}extra:\n  \${drover:var.key}: 1\n`)
    const many = (name: string) => `${name}:\n${'- "${drover:var.value}"\n'.repeat(250)}`
    for (const name of ['a', 'b', 'c', 'd']) fleet.config(`${name}@1`, many(name))
    const agent = await fleet.connected(1)
    const reason = async () => (await fleet.call(agentRoutes.getDesiredConfig, { params: params(1) })).data.reason
    await fleet.setGroups({ name: 'all', configs: ['keys@1'], variables: { key: 'k'.repeat(1025) } })
    expect(await reason()).toContain(
      'keys@1 config.yaml line 11 uses ${drover:var.key}, but the value of ${drover:var.key} makes a key of more than 1,024 characters, which no reader of YAML takes.',
    )
    await fleet.setGroups({ name: 'all', configs: ['a@1', 'b@1', 'c@1', 'd@1'], variables: { value: 'v'.repeat(4096) } })
    expect(await reason()).toContain('d@1 (group all): together the files are larger than 3145728 bytes.')
    expect(agent.tally.offers).toHaveLength(0)
  })

  it('that only one of two revisions knows hinder nobody who gets the other', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    fleet.config('base@2', withNames('x: ${drover:var.missing}'))
    const agent = await fleet.connected(1)
    await fleet.setRevisions({
      current: 1,
      revisions: [
        { name: 'all', configs: ['base@1'] },
        { name: 'all', revision: 2, configs: ['base@2'] },
      ],
    })
    await fleet.clock.advanceAsync(APPLY_MS)
    expect(fleet.agents.counts()).toMatchObject({ applied: 1 })
    expect(agent.tally.offers).toHaveLength(1)
  })

  it('cost one rendering for ten thousand agents with the same values, and one for each other value', () => {
    const rule = ruleOf({ name: 'all', configs: ['base@1'], variables: { v: 'x' } })
    const files = [{ name: 'a.yaml', contentType: 'text/yaml', body: withNames('site: ${drover:label.site}\n    v: ${drover:var.v}') }]
    const state = new DesiredState({
      groups: [{ name: 'all', current: 1, revisions: new Map([[1, rule]]) }],
      templates: new Map([['base@1', files.map(readTemplate)]]),
      secrets: new Map(),
      sealer: createSealer('a secret for this test alone'),
    })
    const given = (): GivenRevision => ({ revision: 1, because: 'target' })
    const rendered = Array.from({ length: 10_000 }, (_, index) => {
      const lookup = (key: string) => (key === 'label.site' ? `site-${index % 4}` : `agent-${index}`)
      return state.render(state.assign(state.select(lookup), given), lookup)
    })
    expect(state.renderings).toBe(4)
    expect(new Set(rendered).size).toBe(4)
    expect(new Set(rendered.map(({ prepared }) => prepared?.encoded)).size).toBe(4)
    expect(new Set(rendered.map(({ hash }) => hash)).size).toBe(4)
  })

  it('with a value for each agent do not fill the memory', () => {
    const rule = ruleOf({ name: 'all', configs: ['base@1'] })
    const body = withNames(`name: \${drover:agent.host.name}\n    text: ${'x'.repeat(100_000)}`)
    const state = new DesiredState({
      groups: [{ name: 'all', current: 1, revisions: new Map([[1, rule]]) }],
      templates: new Map([['base@1', [readTemplate({ name: 'a.yaml', contentType: 'text/yaml', body })]]]),
      secrets: new Map(),
      sealer: createSealer('a secret for this test alone'),
    })
    const render = (index: number) => {
      const lookup = () => `host-${index}`
      return state.render(
        state.assign(state.select(lookup), () => ({ revision: 1, because: 'target' })),
        lookup,
      )
    }
    const [first] = Array.from({ length: 1_000 }, (_, index) => render(index).hash)
    expect(state.renderings).toBe(1_000)
    expect(render(999).hash).toBe(render(999).hash)
    expect(state.renderings).toBe(1_000)
    // The oldest had to go, and is the same when it is made again.
    expect(render(0).hash).toBe(first)
    expect(state.renderings).toBe(1_001)
  })
})

describe('secrets in configurations', () => {
  const secretConfig = withNames(
    'headers:\n      authorization: Bearer ${drover:secret.key}\n    note: "${drover:secret.key}"\n    harmless: prefix-${drover:secret.key}-suffix',
  )

  async function withSecret(body = secretConfig, value = canary) {
    const fleet = await TestFleet.open()
    fleet.secrets.set('key@1', value)
    fleet.config('base@1', body)
    const agent = await fleet.connected(1)
    await fleet.setGroups({ name: 'all', configs: ['base@1'], secrets: { key: 1 } })
    await fleet.clock.advanceAsync(APPLY_MS)
    return { fleet, agent }
  }

  async function everythingShown(fleet: TestFleet): Promise<string> {
    const answers = await Promise.all([
      fleet.call(agentRoutes.getAgent, { params: params(1) }),
      fleet.call(agentRoutes.getDesiredConfig, { params: params(1) }),
      fleet.call(agentRoutes.getEffectiveConfig, { params: params(1) }),
      fleet.call(agentRoutes.listAgentAttempts, { params: params(1) }),
    ])
    return JSON.stringify([...answers, await fleet.events()])
  }

  it('reach the agent, and are nowhere else: neither in answers nor in the data folder', async () => {
    const { fleet, agent } = await withSecret()
    await using _ = fleet
    expect(lastConfig(agent)).toContain(`Bearer ${canary}`)
    const { data } = await fleet.call(agentRoutes.getDesiredConfig, { params: params(1) })
    expect(data).toMatchObject({ state: 'applied', drift: [], unresolved: [] })
    expect(data.merged).toContain('Bearer ${drover:secret.key}')
    expect(await everythingShown(fleet)).not.toContain(canary)
    const id = (await fleet.call(agentRoutes.getAgent, { params: params(1) })).data.id
    const change = { group: 'all', revision: ruleOf({ name: 'all', revision: 2, configs: ['base@1'], secrets: { key: 1 } }) }
    expect(JSON.stringify(await fleet.agents.fleet.changeOf(id, change))).not.toContain(canary)
    await fleet.stop()
    for (const file of readdirSync(fleet.dir)) expect(readFileSync(join(fleet.dir, file)).includes(canary)).toBe(false)
    await fleet.start()
  })

  it('have a hash that tells nobody whether a guess is right', async () => {
    const { fleet, agent } = await withSecret()
    await using _ = fleet
    const rule = ruleOf({ name: 'all', configs: ['base@1'], secrets: { key: 1 } })
    const hashUnder = (serverSecret: string) => {
      const state = new DesiredState({
        groups: [{ name: 'all', current: 1, revisions: new Map([[1, rule]]) }],
        templates: new Map([['base@1', [readTemplate({ name: 'config.yaml', contentType: 'text/yaml', body: secretConfig })]]]),
        secrets: new Map([['key@1', canary]]),
        sealer: createSealer(serverSecret),
      })
      return state.render(
        state.assign(
          state.select(() => undefined),
          () => ({ revision: 1, because: 'target' }),
        ),
        () => undefined,
      ).hash
    }
    expect(hashUnder('a server secret for tests')).toBe(agent.tally.offers[0])
    expect(hashUnder('another server secret')).not.toBe(agent.tally.offers[0])
  })

  it('are taken out of what agents say, also when they look like any other word', async () => {
    const { fleet, agent } = await withSecret(withNames('note: "the ${drover:secret.key} battery"'), 'correct horse')
    await using _ = fleet
    expect((await fleet.call(agentRoutes.getEffectiveConfig, { params: params(1) })).data.files[0]?.body).toContain('note: the [REDACTED] battery')
    agent.setHealth(false, `dial: header correct horse refused`)
    await fleet.clock.advanceAsync(10_000)
    const shown = await everythingShown(fleet)
    expect(shown).toContain('header [REDACTED] refused')
    expect(shown).not.toContain('correct horse')
  })

  it('come back with the last good configuration, from the sealed store after a restart', async () => {
    const { fleet, agent } = await withSecret()
    await using _ = fleet
    const [good] = agent.tally.offers
    agent.stop()
    await fleet.clock.advanceAsync(1_000)
    await fleet.stop()
    await fleet.start()
    fleet.config('bad@1', BAD)
    await fleet.setGroups({ name: 'all', configs: ['bad@1'] })
    agent.start()
    await fleet.clock.advanceAsync(3 * APPLY_MS)
    expect(agent.tally.offers.at(-1)).toBe(good)
    expect(lastConfig(agent)).toContain(canary)
    expect(await everythingShown(fleet)).not.toContain(canary)
  })

  it('without a value keep the configuration from being offered', async () => {
    const { fleet, agent } = await withSecret(withNames('a: ${drover:secret.other}'))
    await using _ = fleet
    expect(agent.tally.offers).toHaveLength(0)
    expect((await fleet.call(agentRoutes.getDesiredConfig, { params: params(1) })).data.reason).toContain('there is no value for the secret other')
  })
})

describe('previews', () => {
  it('say which agents lack what a change names, before anything is sent', async () => {
    await using fleet = await TestFleet.open()
    fleet.config('base@1', GOOD)
    fleet.config('base@2', withNames('site: ${drover:label.site}\n    v: ${drover:var.v}').replaceAll('debug', 'kafka'))
    await fleet.setGroups({ name: 'all', configs: ['base@1'] })
    for (let index = 0; index < 20; index++) fleet.agent(index).start()
    await fleet.clock.advanceAsync(APPLY_MS)
    const ids = [...fleet.agents.fleet.agents()].map(({ id }) => id)
    const params0 = { agentId: ids[0] ?? '' }
    const { etag = '' } = await fleet.call(agentRoutes.getAgent, { params: params0 })
    await fleet.call(agentRoutes.setLabels, { params: params0, body: { labels: { site: 'ber' } }, ifMatch: etag })
    const proposed = (variables: Record<string, string>) => ({ group: 'all', revision: ruleOf({ name: 'all', revision: 2, configs: ['base@2'], variables }) })
    const { fleet: view } = fleet.agents
    expect((await view.unresolved(ids, proposed({}))).map(({ reference, lacking }) => `${reference} ${lacking}`).toSorted()).toEqual([
      '${drover:label.site} 19',
      '${drover:var.v} 20',
    ])
    expect(await view.unresolved(ids, proposed({ v: '1' }))).toMatchObject([{ place: 'base@2 config.yaml', line: 5, lacking: 19, agents: { length: 19 } }])
    expect(await view.effectOf(ids, proposed({ v: '1' }))).toEqual({ changing: 1, notAccepting: 0 })
    const withKafka = Array.from({ length: 20 }, (_, index) => agentTraits(index)).filter((traits) => traits.components['exporters']?.includes('kafka')).length
    expect(await view.missing(ids, proposed({ v: '1' }).revision)).toMatchObject([{ kind: 'exporter', type: 'kafka', lacking: 20 - withKafka }])
    const changed = await view.changeOf(ids[0] ?? '', proposed({ v: '7' }))
    expect(changed?.from).toMatchObject({ source: 'base@1 (group all)', merged: expect.stringContaining('debug') })
    expect(changed?.to).toMatchObject({ source: 'base@2 (group all)', merged: expect.stringContaining('site: ber\n    v: 7') })
    // Nothing of it happened.
    expect(fleet.agents.counts()).toMatchObject({ applied: 20 })
    const draft = await fleet.agents.previewDraft({
      name: 'all',
      selector: parseSelector('*'),
      priority: 0,
      configs: [{ config: 'base', version: 2 }],
      variables: { v: '1' },
    })
    expect(draft).toMatchObject({ matching: 20, changing: 1, unresolved: [{ reference: '${drover:label.site}', lacking: 19 }] })
  })
})
