/** `drover apply`: a folder of documents against a real control plane. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { good, startFixture } from './test-rollouts.ts'
import type { Fixture } from './test-rollouts.ts'

let fixture: Fixture
const drover: Fixture['drover'] = (...given) => fixture.drover(...given)
const json: Fixture['json'] = (args) => fixture.json(args)
const write = (path: string, body: string): void => {
  const full = join(fixture.folder, 'fleet', path)
  mkdirSync(dirname(full), { recursive: true })
  writeFileSync(full, body)
}
const apply = (...args: readonly string[]) => drover(['apply', '-f', 'fleet', ...args])

const gateways = `kind: Config
name: gateway
files: [gateway.yaml]
---
kind: Group
name: gateways
description: all of them
selector: service.name =~ "otelcol.*"
configs: [gateway]
variables: { endpoint: otlp.example.com }
plan: at-once-enough
`
const plans = `kind: Plan
name: at-once-enough
extends: quick
waves: [{ kind: percent, percent: 100 }]
soak: 0s
gates: []
`

beforeAll(async () => {
  fixture = await startFixture({ agents: 2 })
})
afterAll(() => fixture[Symbol.asyncDispose]())
beforeEach(() => {
  write('gateways.drover.yaml', gateways)
  write('plans/slow.drover.yaml', plans)
  write('gateway.yaml', good)
})
afterEach(() => rmSync(join(fixture.folder, 'fleet'), { recursive: true, force: true }))

describe('apply', () => {
  it('reads no file outside of the folder that was given, not even through a link', async () => {
    writeFileSync(join(fixture.folder, 'private.yaml'), good)
    for (const files of ['../private.yaml', join(fixture.folder, 'private.yaml')]) {
      write('gateways.drover.yaml', gateways.replace('gateway.yaml', files))
      expect(await apply('--dry-run')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('is outside of') })
    }
    write('gateways.drover.yaml', gateways.replace('gateway.yaml', 'link.yaml'))
    symlinkSync(join(fixture.folder, 'private.yaml'), join(fixture.folder, 'fleet', 'link.yaml'))
    expect(await apply('--dry-run')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('is outside of') })
  })

  it('shows what it would do and does nothing with --dry-run', async () => {
    const shown = await apply('--dry-run')
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(/^config gateway: new\n/) })
    expect(shown.stdout).toContain('+receivers:')
    expect(shown.stdout).toContain('group gateways: new\n')
    expect(shown.stdout).toContain('  configs: gateway@1\n')
    expect((await json(['configs', 'list'])).total).toBe(0)
    expect((await json(['groups', 'list'])).total).toBe(0)
    expect(await json(['apply', '-f', 'fleet', '--dry-run'])).toMatchObject({
      dryRun: true,
      configs: [{ name: 'gateway', action: 'create', version: 1 }],
      groups: [{ name: 'gateways', action: 'create' }],
    })
  })

  it('asks before it makes changes, and makes them when told to', async () => {
    expect(await apply()).toMatchObject({ code: 2, stderr: expect.stringContaining('Make 2 changes? Say --yes') })
    expect(await drover(['apply', '-f', 'fleet'], { answers: ['no'] })).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing was done') })
    expect((await json(['groups', 'list'])).total).toBe(0)
    const made = await apply('--yes', '-m', 'first')
    expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining('config gateway@1 is made') })
    expect(made.stderr).toMatch(/group gateways is at revision 1; follow it with: drover rollouts watch rol_\w+\n/)
    expect(await drover(['rollouts', 'watch', 'gateways'])).toMatchObject({ code: 0 })
    expect(await json(['groups', 'show', 'gateways'])).toMatchObject({
      description: 'all of them',
      current: 1,
      plan: { soakMs: 0, waves: [{ kind: 'percent', percent: 100 }] },
      revision: { configs: [{ config: 'gateway', version: 1 }], variables: { endpoint: 'otlp.example.com' }, message: 'first' },
    })
  })

  it('has nothing to do the second time', async () => {
    const again = await apply()
    expect(again).toMatchObject({ code: 0, stdout: 'config gateway: as it is\ngroup gateways: as it is\n', stderr: 'Everything is as the documents say.\n' })
    write('gateways.drover.yaml', gateways.replace('service.name =~', 'service.name   =~'))
    expect((await apply()).stdout).toContain('group gateways: as it is')
  })

  it('takes a changed file beside the documents through the group to the agents', async () => {
    write('gateway.yaml', good.replace('debug: {}', 'debug:\n    verbosity: basic'))
    write('gateways.drover.yaml', gateways.replace('otlp.example.com', 'other.example.com'))
    const shown = await apply('--dry-run')
    expect(shown.stdout).toContain('config gateway: changed, version 2\n')
    expect(shown.stdout).toContain('+    verbosity: basic')
    expect(shown.stdout).toContain('  configs: gateway@1 → gateway@2\n')
    expect(shown.stdout).toContain('  variables: {"endpoint":"otlp.example.com"} → {"endpoint":"other.example.com"}\n')
    expect(await apply('--yes', '--draft')).toMatchObject({ code: 0, stderr: expect.stringMatching(/start it with: drover rollouts start rol_/) })
    expect(await drover(['rollouts', 'start', 'gateways'])).toMatchObject({ code: 0 })
    expect(await drover(['rollouts', 'watch', 'gateways'])).toMatchObject({ code: 0 })
    expect((await json(['groups', 'show', 'gateways'])).current).toBe(2)
  })

  it('asks before it sends to all agents at once, and says to how many', async () => {
    write('gateways.drover.yaml', gateways.replace('selector:', 'priority: 3\nselector:'))
    const question = 'Make 2 changes, and give them to all 2 agents of "gateways" at the same time, without waves?'
    expect(await apply('--all-at-once')).toMatchObject({ code: 2, stderr: expect.stringContaining(`${question} Say --yes`) })
    expect(await apply('--all-at-once', '--draft')).toMatchObject({ code: 2, stderr: expect.stringContaining('Make 2 changes? Say --yes') })
    expect((await json(['groups', 'show', 'gateways'])).revision.priority).toBe(0)
  })

  it('takes presets as plans, a plan within the group, and refuses other names', async () => {
    const planned = async (plan: string) => {
      write('gateways.drover.yaml', gateways.replace('plan: at-once-enough', `plan: ${plan}`))
      return apply('--yes')
    }
    expect(await planned('careful')).toMatchObject({ code: 0, stdout: expect.stringContaining('  plan: another one\n') })
    expect((await json(['groups', 'show', 'gateways'])).plan).toMatchObject({ soakMs: 3_600_000 })
    expect(await planned('{ extends: quick, soak: 2s }')).toMatchObject({ code: 0 })
    expect((await json(['groups', 'show', 'gateways'])).plan).toMatchObject({ soakMs: 2000 })
    expect(await planned('standard')).toMatchObject({ code: 0 })
    expect((await json(['groups', 'show', 'gateways'])).plan).toBeNull()
    expect(await planned('nothing')).toMatchObject({
      code: 1,
      stderr: 'drover: fleet/gateways.drover.yaml, document 2: there is no plan "nothing": name a Plan document, or one of careful, standard, quick\n',
    })
    expect(await planned('everyone')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('document 2: all agents at once is no plan for every change: say --all-at-once'),
    })
    expect(await planned('{ soak: long }')).toMatchObject({ code: 1, stderr: expect.stringContaining('fleet/gateways.drover.yaml, document 2: soak: "long"') })
  })

  it('sends newer values of secrets when the documents ask for them, once', async () => {
    const withSecret = good.replace('debug: {}', 'otlp:\n    endpoint: a:1\n    headers: { x-key: "${drover:secret.api_key}" }').replace('[debug]', '[otlp]')
    await drover(['secrets', 'set', 'api_key'], { stdin: 'one' })
    write('gateway.yaml', withSecret)
    write('gateways.drover.yaml', gateways.replace('plan:', 'secrets: latest\nplan:'))
    expect(await apply('--yes')).toMatchObject({ code: 0 })
    expect((await apply()).stderr).toBe('Everything is as the documents say.\n')
    await drover(['secrets', 'set', 'api_key'], { stdin: 'two' })
    expect(await apply('--yes')).toMatchObject({ code: 0, stdout: expect.stringContaining('  secret api_key: version 1 → 2\n') })
    expect((await json(['groups', 'show', 'gateways'])).revision.secrets).toEqual({ api_key: 2 })
    expect((await apply()).stderr).toBe('Everything is as the documents say.\n')
  })

  it('reads documents from stdin', async () => {
    const stdin = `kind: Config\nname: inline\ncontent: |\n${good.replaceAll(/^(?=.)/gm, '  ')}`
    expect(await drover(['apply', '-f', '-', '--yes'], { stdin })).toMatchObject({ code: 0, stdout: expect.stringMatching(/^config inline: new\n/) })
    expect(await json(['configs', 'show', 'inline'])).toMatchObject({ version: 1 })
  })
})

describe('mistakes in documents', () => {
  const group = 'kind: Group\nname: a\nselector: "*"\n'
  const mistake = async (documents: string): Promise<string> => {
    write('wrong.drover.yaml', documents)
    const before = await json(['configs', 'list'])
    const { code, stderr, stdout } = await drover(['apply', '-f', 'fleet/wrong.drover.yaml', '--yes'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(await json(['configs', 'list'])).toEqual(before)
    return stderr
  }

  it('are all named, with file and document', async () => {
    const stderr = await mistake('kind: Config\nname: A B\ncontent: a\n---\nkind: Group\nname: b\nselector: "*"\nprioriti: 3\n---\nkind: Config\nname: c\n')
    expect(stderr).toContain('fleet/wrong.drover.yaml, document 1: name: ')
    expect(stderr).toContain('fleet/wrong.drover.yaml, document 2: Unrecognized key: "prioriti"')
    expect(stderr).toContain('fleet/wrong.drover.yaml, document 3: give either files or content')
  })

  it.each([
    ['an unknown kind', 'kind: Fleet\nname: a\n', /^drover: fleet\/wrong\.drover\.yaml: kind: .*Config.*Group.*Plan/],
    ['no kind', 'name: a\n', /wrong\.drover\.yaml: kind: /],
    ['no map', '- a\n', /wrong\.drover\.yaml: /],
    ['no YAML', 'kind: [\n', /wrong\.drover\.yaml: Flow sequence/],
    ['the same twice', `${group}---\n${group}`, /document 2: a is in fleet\/wrong\.drover\.yaml, document 1 already/],
    ['nothing in it', '# nothing\n', /there is no Config and no Group in these documents/],
  ])('such as %s are told', async (_, documents, told) => {
    expect(await mistake(documents)).toMatch(told)
  })

  it.each([
    ['a config that is nowhere', `${group}configs: [nowhere]\n`, 'there is no config "nowhere", neither on the server nor in these documents'],
    ['a version that is nowhere', `${group}configs: [gateway@99]\n`, 'configs.0: there is no gateway@99'],
    ['a selector that is none', group.replace('"*"', '"a ="'), 'selector: expected a value after ='],
    ['a file that is not there', 'kind: Config\nname: a\nfiles: [nowhere.yaml]\n', 'files: cannot read /'],
    ['two files of one name', 'kind: Config\nname: a\nfiles: [a/x.yaml, b/x.yaml]\n', 'files: two are named x.yaml'],
    [
      'a plan that cannot be',
      `${group}plan: { waves: [{ kind: percent, percent: 20 }, { kind: percent, percent: 10 }] }\n`,
      'plan.waves.1.percent: must be more than the 20',
    ],
  ])('such as %s are told before anything is made', async (_, document, told) => {
    const fine = `kind: Config\nname: never\ncontent: |\n${good.replaceAll(/^(?=.)/gm, '  ')}`
    expect(await mistake(`${fine}---\n${document}`)).toContain(`fleet/wrong.drover.yaml, document 2: ${told}`)
  })

  it('in what a new version names are told with file and line, and nothing is made', async () => {
    const names = good.replace(
      'debug: {}',
      () => 'debug:\n    verbosity: ${drover:var.level}\n    token: ${drover:secret.nowhere}\n    kept: $${drover:var.text}',
    )
    const config = (text: string) => `kind: Config\nname: named\ncontent: |\n${text.replaceAll(/^(?=.)/gm, '  ')}`
    const documents = (text: string, more = '') => `${config(text)}---\n${group}configs: [gateway, named]\n${more}`
    const place = 'drover: fleet/wrong.drover.yaml, document 2: configs.1: named@1 named.yaml'
    expect(await mistake(documents(names))).toBe(
      `${place}:7 uses \${drover:var.level}, but the variable level is not set: set it in the group\n${place.replace('drover: ', '')}:8 uses \${drover:secret.nowhere}, but there is no secret nowhere: give it a value first\n`,
    )
    expect(await mistake(documents(names, 'variables: { level: basic }\n'))).toBe(
      `${place}:8 uses \${drover:secret.nowhere}, but there is no secret nowhere: give it a value first\n`,
    )
    write('wrong.drover.yaml', documents(names.replace('secret.nowhere', 'var.level'), 'variables: { level: basic, unused: x }\n'))
    expect(await drover(['apply', '-f', 'fleet/wrong.drover.yaml', '--dry-run'])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('the variable unused is set, but no config uses it'),
    })
  })

  it('in a configuration are told with its line, and nothing is made', async () => {
    const stderr = await mistake(`kind: Config\nname: broken\ncontent: |\n${good.replace('[debug]', '[nowhere]').replaceAll(/^(?=.)/gm, '  ')}`)
    expect(stderr).toMatch(/^broken\.yaml:11:\d+: error: .*nowhere/m)
    expect(stderr).toContain('fleet/wrong.drover.yaml: config "broken" has errors; nothing was changed')
  })

  it('in what is given: no file, none there, both plans', async () => {
    expect(await drover(['apply'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--file') })
    expect(await drover(['apply', '-f', 'none'])).toMatchObject({ code: 1, stderr: 'drover: cannot read none: there is no such file\n' })
    expect(await apply('--plan', 'quick', '--all-at-once')).toMatchObject({ code: 2 })
    mkdirSync(join(fixture.folder, 'fleet', 'empty'))
    expect(await drover(['apply', '-f', 'fleet/empty'])).toMatchObject({ code: 1, stderr: expect.stringContaining('fleet/empty has no .drover.yaml files') })
  })
})
