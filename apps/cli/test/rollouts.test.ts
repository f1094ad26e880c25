/** `drover rollouts …` and `drover groups set --plan` against a real control plane. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FAILURE_MARKER } from '@drover/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { good, quickPlan, slowPlan, startFixture } from './test-rollouts.ts'
import type { Fixture } from './test-rollouts.ts'

const agents = 5
let fixture: Fixture
const drover: Fixture['drover'] = (...given) => fixture.drover(...given)
const json: Fixture['json'] = (args) => fixture.json(args)

beforeAll(async () => {
  fixture = await startFixture({ agents })
  writeFileSync(join(fixture.folder, 'quick.yaml'), quickPlan)
  writeFileSync(join(fixture.folder, 'slow.yaml'), slowPlan)
  writeFileSync(join(fixture.folder, 'good.yaml'), good)
  await drover(['configs', 'create', 'gateway', '--file', 'good.yaml'])
  await drover(['groups', 'create', 'all', '--selector', '*', '--config', 'gateway', '--all-at-once', '--yes'])
  await watch('all')
})
afterAll(() => fixture[Symbol.asyncDispose]())

let changes = 0
/** A new version of the config; what is in the comment decides what agents make of it. */
async function newVersion(comment = ''): Promise<void> {
  changes += 1
  const { code, stderr } = await drover(['configs', 'update', 'gateway', '--file', '-'], { stdin: `# ${changes} ${comment}\n${good}` })
  expect({ code, stderr }).toMatchObject({ code: 0 })
}
/** Changes the group by the plan; the id of the rollout. */
async function change(plan: string, ...more: readonly string[]): Promise<string> {
  await newVersion()
  return (await json(['groups', 'set', 'all', '--upgrade', 'gateway', '--plan', plan, ...more])).rollout.id
}
/** The rollout watches its first wave: the one agent of it has the change. */
async function untilSoaking(id: string): Promise<void> {
  const { io, ended } = fixture.begin(['rollouts', 'watch', id])
  await io.untilWritten('soaking, wave 1 of 2: 1 of 5 agents applied')
  io.signal()
  expect(await ended).toBe(0)
}
const watch = (id: string) => drover(['rollouts', 'watch', id])

describe('a change by a plan', () => {
  it('goes out in waves; watch follows it to the end, list and show tell of it', async () => {
    await newVersion()
    const sent = await drover(['groups', 'set', 'all', '--upgrade', 'gateway', '--plan', 'quick.yaml', '--reason', 'less to store'])
    expect(sent).toMatchObject({
      code: 0,
      stdout: 'all (revision 2)\n',
      stderr: expect.stringMatching(/^gateway@\d+ goes to 5 agents, in waves\. Follow it with: drover rollouts watch rol_/),
    })
    const watched = await watch('all')
    expect(watched.code).toBe(0)
    expect(watched.stdout).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}\S/)
    expect(watched.stdout).toContain('completed, wave 2 of 2: 5 of 5 agents applied')
    const { items, total } = await json(['rollouts', 'list', '--group', 'all'])
    expect({ total, items }).toMatchObject({
      total: 2,
      items: [{ group: 'all', from: 1, to: 2, state: 'completed', reason: 'less to store', counts: { applied: 5 } }, { to: 1 }],
    })
    expect((await drover(['rollouts', 'list'])).stdout).toMatch(/^ID .*\nrol_\w+ +all +revision 1 → 2 +completed +2\/2 +5 +5 +0 /)
    const shown = (await drover(['rollouts', 'show', 'all'])).stdout
    expect(shown).toMatch(/^Rollout +rol_/)
    expect(shown).toMatch(/Plan +its own\n/)
    expect(shown).toMatch(/2 +.*passed +4 +4 +0/)
    const decisions = (await json(['rollouts', 'show', 'all', '--decisions'])).items.map(({ kind }: { kind: string }) => kind)
    expect(decisions.at(-1)).toBe('completed')
    const members = await json(['rollouts', 'show', 'all', '--members', '--wave', '1'])
    expect(members).toMatchObject({ total: 1, items: [{ wave: 0, state: 'applied', connected: true, error: null }] })
  })

  it('lists by agent and state, and says so when there is none', async () => {
    const [{ name }] = (await json(['agents', 'list'])).items
    expect((await json(['rollouts', 'list', '--agent', name, '--state', 'over'])).items).toMatchObject([{ member: { state: 'applied' } }, {}])
    expect(await drover(['rollouts', 'list', '--state', 'active'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('There are no such rollouts'),
    })
    expect(await drover(['rollouts', 'list', '--state', 'nonsense'])).toMatchObject({ code: 2 })
    expect(await drover(['rollouts', 'show', 'nobody'])).toMatchObject({
      code: 1,
      stderr: 'drover: there is no rollout of a group "nobody"; drover rollouts list shows all\n',
    })
    expect(await drover(['rollouts', 'show', 'rol_0'])).toMatchObject({ code: 1 })
  })

  it('is taken back when it fails: watch ends with exit code 1 and says why', async () => {
    await newVersion(FAILURE_MARKER)
    await drover(['groups', 'set', 'all', '--upgrade', 'gateway', '--plan', 'quick.yaml', '-m', 'less'])
    const watched = await watch('all')
    expect(watched).toMatchObject({ code: 1, stderr: expect.stringMatching(/^drover: \S.*\.\n$/) })
    const rollout = await json(['rollouts', 'show', 'all'])
    expect(rollout).toMatchObject({ state: 'rolledBack', from: 2, to: 3, wave: { number: 1 } })
    // Who went back still says why.
    expect((await drover(['rollouts', 'show', 'all'])).stdout).toMatch(/1 +1 agent +taken back +1 +0 .*\n +2 .*not opened/)
    const { items } = await json(['rollouts', 'show', rollout.id, '--members', '--state', 'restored'])
    expect(items[0]).toMatchObject({ state: 'restored', error: expect.stringContaining('exited unexpectedly') })
    expect(watched.stderr).toBe(`drover: ${rollout.summary}\n`)
    expect((await json(['groups', 'show', 'all'])).revision.number).toBe(2)
  })
})

describe('a person', () => {
  it('pauses, resumes and ends a wave early, with a reason that is kept', async () => {
    const id = await change('slow.yaml')
    await untilSoaking(id)
    expect(await drover(['rollouts', 'pause', 'all', '-m', 'incident elsewhere'])).toMatchObject({ code: 0, stdout: `${id} paused\n` })
    expect((await json(['rollouts', 'show', id, '--decisions'])).items.at(-1)).toMatchObject({
      kind: 'paused',
      reason: 'incident elsewhere',
      by: expect.any(String),
    })
    expect(await drover(['rollouts', 'pause', 'all'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/a rollout that is paused cannot be paused: it can be /),
    })
    expect(await drover(['rollouts', 'resume', 'all'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^rol_\w+ (running|soaking)\n$/) })
    expect(await drover(['rollouts', 'promote', 'all'])).toMatchObject({ code: 2, stderr: expect.stringContaining('Say --yes') })
    expect(await drover(['rollouts', 'promote', 'all'], { answers: ['n'] })).toMatchObject({ code: 1, stderr: 'drover: nothing was done\n' })
    expect(await drover(['rollouts', 'promote', 'all', '--yes'])).toMatchObject({ code: 0 })
    expect((await json(['rollouts', 'show', id])).waves[0]).toMatchObject({ state: 'passed' })
    expect(await drover(['rollouts', 'rollback', id, '--yes', '-m', 'drops spans'])).toMatchObject({ code: 0 })
    expect(await watch(id)).toMatchObject({ code: 1 })
    expect(await json(['rollouts', 'show', id])).toMatchObject({ state: 'rolledBack' })
  })

  it('is told what to do about a rollout that waits for one, and --exit-on-pause does not wait', async () => {
    const draft = await change('slow.yaml', '--draft')
    expect(await drover(['rollouts', 'watch', draft, '--exit-on-pause'])).toEqual({
      code: 3,
      stdout: expect.stringContaining('draft, '),
      stderr: `drover: Waits for a person. Prepared, not started. Decide with: drover rollouts start ${draft}\n`,
    })
    await drover(['rollouts', 'start', draft])
    await untilSoaking(draft)
    const { io, ended } = fixture.begin(['rollouts', 'watch', draft])
    await io.untilWritten('soaking, ')
    expect(io.written.stderr).toBe('')
    await drover(['rollouts', 'pause', draft, '-m', 'looking'])
    await io.untilComplained('Waits for a person')
    expect(io.written.stderr).toMatch(
      /^Waits for a person\. Paused in wave 1 of 2: looking; .*Decide with: drover rollouts resume rol_\w+; .*drover rollouts rollback rol_/,
    )
    io.signal()
    expect(await ended).toBe(0)
    expect(await drover(['rollouts', 'watch', draft, '--exit-on-pause', '-o', 'json'])).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('"waitsForPerson":true'),
      stderr: expect.stringContaining(`drover rollouts resume ${draft}`),
    })
    await drover(['rollouts', 'rollback', draft, '--yes'])
    expect(await drover(['rollouts', 'watch', draft, '--exit-on-pause'])).toMatchObject({ code: 1 })
  })

  it('waits for another one to approve: that, too, is said', async () => {
    writeFileSync(join(fixture.folder, 'approved.yaml'), `${quickPlan}approval: anotherPerson\n`)
    const id = await change('approved.yaml')
    const watched = await drover(['rollouts', 'watch', id, '--exit-on-pause'])
    expect(watched).toMatchObject({ code: 3, stderr: expect.stringContaining('Waits for a person. Waits for another person to approve') })
    await drover(['rollouts', 'stop', id, '--yes'])
  })

  it('stops a rollout, which leaves the group divided, and may take it back later', async () => {
    const id = await change('slow.yaml')
    await untilSoaking(id)
    expect(await drover(['rollouts', 'stop', 'all', '--yes'])).toMatchObject({ code: 0, stdout: `${id} stopped\n` })
    expect(await watch(id)).toMatchObject({ code: 1 })
    expect(await json(['rollouts', 'show', id])).toMatchObject({ state: 'stopped', counts: { applied: 1 } })
    expect(await drover(['rollouts', 'resume', id])).toMatchObject({ code: 1 })
    expect(await drover(['rollouts', 'rollback', id, '--yes'])).toMatchObject({ code: 0 })
    expect((await watch(id)).code).toBe(1)
    expect((await json(['rollouts', 'show', id])).counts).toEqual({ restored: 1, pending: 4 })
  })

  it('cannot approve what he started himself', async () => {
    writeFileSync(join(fixture.folder, 'four-eyes.yaml'), `${quickPlan}approval: anotherPerson\n`)
    const id = await change('four-eyes.yaml')
    expect(await json(['rollouts', 'show', id])).toMatchObject({ state: 'waiting' })
    expect(await drover(['rollouts', 'approve', id])).toMatchObject({ code: 1, stderr: expect.stringContaining('somebody other than the person who started') })
    const { token } = await json(['tokens', 'create', 'colleague', '--api', '--access', 'write'])
    expect(await drover(['rollouts', 'approve', id, '-m', 'looks right'], { env: { DROVER_TOKEN: token } })).toMatchObject({ code: 0 })
    expect((await watch(id)).code).toBe(0)
  })

  it('tries the failed ones again, and is told when there are none', async () => {
    expect(await drover(['rollouts', 'retry', 'all'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'drover: no agent has failed it, so nobody would be tried again\n',
    })
    writeFileSync(join(fixture.folder, 'pausing.yaml'), `${quickPlan}onFail: pause\n`)
    await newVersion(FAILURE_MARKER)
    const { rollout } = await json(['groups', 'set', 'all', '--upgrade', 'gateway', '--plan', 'pausing.yaml'])
    const watching = fixture.begin(['rollouts', 'watch', rollout.id])
    await watching.io.untilWritten('paused, wave 1 of 2: 0 of 5 agents applied, 1 bad')
    const { items: events } = await json(['events', '--limit', '1'])
    const { items } = await json(['rollouts', 'show', rollout.id, '--members', '--state', 'failed'])
    expect(items).toMatchObject([{ error: expect.stringContaining('drover-demo') }])
    expect(await drover(['rollouts', 'retry', rollout.id, '-m', 'disk is free again'])).toMatchObject({ code: 0 })
    const failures = fixture.begin(['events', '--follow', '--after', String(events[0].id), '--kind', 'attempt.failed'])
    await failures.io.untilLines(1)
    failures.io.signal()
    await failures.ended
    expect(await drover(['rollouts', 'rollback', rollout.id, '--yes'])).toMatchObject({ code: 0 })
    expect(await watching.ended).toBe(1)
  })
})

describe('drafts and revisions', () => {
  it('prepares a rollout, shows what it would do, starts or deletes it', async () => {
    const id = await change('quick.yaml', '--draft')
    expect(await json(['rollouts', 'show', id])).toMatchObject({ state: 'draft', startedAt: null })
    expect(await drover(['rollouts', 'start', 'all', '--plan', 'careful'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('a draft has its plan already'),
    })
    expect(await drover(['rollouts', 'delete', id])).toMatchObject({ code: 2 })
    expect(await drover(['rollouts', 'delete', id, '--yes'])).toMatchObject({ code: 0, stderr: `Rollout ${id} is deleted.\n` })
    const again = await change('quick.yaml', '--draft')
    expect(await drover(['rollouts', 'start', 'all', '--reason', 'after lunch'])).toMatchObject({
      code: 0,
      stdout: `${again}\n`,
      stderr: expect.stringContaining(`drover rollouts watch ${again}`),
    })
    expect((await watch(again)).code).toBe(0)
    expect(await drover(['rollouts', 'delete', again, '--yes'])).toMatchObject({ code: 1 })
  })

  it('takes a group to an earlier revision, in waves or, when a person says so, all at once', async () => {
    const { current } = await json(['groups', 'show', 'all'])
    const started = await drover(['rollouts', 'start', 'all', '--revision', '1', '--plan', 'quick.yaml'])
    expect(started).toMatchObject({ code: 0, stdout: expect.stringMatching(/^rol_\w+\n$/) })
    expect((await watch('all')).code).toBe(0)
    expect(await json(['groups', 'show', 'all'])).toMatchObject({ current: 1, revision: { number: 1 } })
    expect(await drover(['rollouts', 'start', 'all', '--revision', String(current), '--all-at-once'])).toMatchObject({ code: 2 })
    expect(await drover(['rollouts', 'start', 'all', '--revision', String(current), '--all-at-once', '--plan', 'quick'])).toMatchObject({ code: 2 })
    expect(await drover(['rollouts', 'start', 'all', '--revision', String(current), '--all-at-once', '--yes'])).toMatchObject({ code: 0 })
    expect((await watch('all')).code).toBe(0)
    expect((await json(['rollouts', 'show', 'all'])).preset).toBe('everyone')
    expect(await drover(['rollouts', 'start', 'all', '--revision', '999'])).toMatchObject({ code: 1 })
  })

  it('previews waves, and the difference for one agent', async () => {
    await newVersion()
    expect(await json(['rollouts', 'preview', 'all', '--upgrade', 'gateway', '--plan', 'quick.yaml'])).toMatchObject({
      agents,
      changing: agents,
      waves: [{ agents: 1 }, { agents: 4 }],
    })
    const preview = await drover(['rollouts', 'preview', 'all', '--upgrade', 'gateway', '--plan', 'careful'])
    expect(preview).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Agents +5, of which 5 get another configuration\n/) })
    expect(preview.stdout).toMatch(/Takes at least +\d/)
    const [{ name }] = (await json(['agents', 'list'])).items
    const { stdout } = await drover(['rollouts', 'preview', 'all', '--variable', 'unused=1', '--agent', name])
    expect(stdout).toBe('')
  })
})

describe('the plan of a group', () => {
  it('is a preset or a file, and is used for each change that names none', async () => {
    expect(await drover(['groups', 'set', 'all', '--default-plan', 'careful'])).toMatchObject({ code: 0, stderr: 'Nothing changes for its members.\n' })
    expect((await json(['groups', 'show', 'all'])).plan).toMatchObject({ soakMs: 3_600_000 })
    await drover(['groups', 'set', 'all', '--default-plan', 'quick.yaml'])
    await newVersion()
    const { rollout } = await json(['groups', 'set', 'all', '--upgrade', 'gateway'])
    expect((await watch(rollout.id)).code).toBe(0)
    expect((await json(['rollouts', 'show', rollout.id])).plan).toMatchObject({ soakMs: 0, waves: [{ count: 1 }, { percent: 100 }] })
    await drover(['groups', 'set', 'all', '--default-plan', 'none'])
    expect((await json(['groups', 'show', 'all'])).plan).toBeNull()
    expect(await drover(['groups', 'set', 'all', '--default-plan', 'everyone'])).toMatchObject({ code: 2 })
  })

  it('is refused with the field that is wrong', async () => {
    expect(await drover(['groups', 'set', 'all', '--default-plan', 'carefull'])).toMatchObject({
      code: 1,
      stderr: 'drover: there is no plan "carefull": give careful, standard, quick or a file\n',
    })
    const wrong = async (text: string) => {
      writeFileSync(join(fixture.folder, 'wrong.yaml'), text)
      return drover(['groups', 'set', 'all', '--plan', 'wrong.yaml', '--priority', '1'])
    }
    expect(await wrong('soak: 5 minutes')).toMatchObject({
      code: 1,
      stderr: 'drover: wrong.yaml: soak: "5 minutes" is not a time span such as 30s, 5m or 1h\n',
    })
    expect(await wrong('soaks: 5m')).toMatchObject({ code: 1, stderr: expect.stringContaining('wrong.yaml: a plan has no soaks; it has version, waves') })
    expect(await wrong('extends: everyone')).toMatchObject({ code: 1, stderr: expect.stringContaining('say --all-at-once') })
    expect(await wrong('extends: nothing')).toMatchObject({ code: 1, stderr: expect.stringContaining('wrong.yaml: extends:') })
    expect(await wrong('waves: [{ kind: percent, percent: 101 }]')).toMatchObject({ code: 1, stderr: expect.stringContaining('waves.0.percent') })
    expect(await wrong('waves: [{ kind: ring, name: a, selector: "a =" }]')).toMatchObject({ code: 1, stderr: expect.stringContaining('selector') })
    expect(await wrong('- a')).toMatchObject({ code: 1, stderr: expect.stringContaining('a plan is a map') })
    expect(await drover(['groups', 'set', 'all', '--plan', 'everyone'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--all-at-once') })
    expect((await json(['groups', 'show', 'all'])).revision.priority).toBe(0)
  })

  it('is left aside for one change that is sent to all at once, and it is said so', async () => {
    await newVersion()
    const sent = await drover(['groups', 'set', 'all', '--upgrade', 'gateway', '--all-at-once', '--yes'])
    expect(sent).toMatchObject({ code: 0, stderr: expect.stringContaining('all at the same time. Follow it with') })
    expect((await watch('all')).code).toBe(0)
    const asked = `Give the change of "all" to all 5 agents that it selects (5 of the fleet get another configuration) at the same time, without waves?`
    await newVersion()
    const again = ['groups', 'set', 'all', '--upgrade', 'gateway', '--all-at-once']
    expect(await drover(again)).toMatchObject({ code: 2, stderr: `drover: ${asked} Say --yes, as there is no terminal to ask on.\n` })
    expect(await drover(again, { answers: ['n'] })).toMatchObject({ code: 1, stderr: 'drover: nothing was done\n' })
    const create = ['groups', 'create', 'every', '--selector', '*', '--priority', '-5', '--all-at-once']
    expect(await drover(create)).toMatchObject({ code: 2, stderr: expect.stringContaining('Give the change of "every" to all 5 agents that it selects (0 of') })
    expect(await drover(create, { answers: ['n'] })).toMatchObject({ code: 1 })
    expect((await json(['groups', 'list'])).items).toHaveLength(1)
    const prepared = await drover([...again, '--draft'])
    expect(prepared).toMatchObject({ code: 0, stderr: expect.stringContaining('prepared') })
    expect(await drover(['rollouts', 'start', 'all'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Give revision \d+ to all 5 agents of "all" \(5 get another/),
    })
    expect(await drover(['rollouts', 'start', 'all'], { answers: ['y'] })).toMatchObject({ code: 0 })
    expect((await watch('all')).code).toBe(0)
    expect((await json(['events', '--kind', 'rollout.started', '--limit', '500'])).items.at(-1).summary).toMatch(/at once|same time/)
  })
})
