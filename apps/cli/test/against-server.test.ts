/** The commands against a real control plane in this process, with scripted agents. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadConfig, startControlPlane } from '@drover/control-plane'
import type { ControlPlane } from '@drover/control-plane'
import { runCli } from '../src/cli.ts'
import { runTestCli, testIo } from '../src/test-io.ts'
import type { TestIoOptions } from '../src/test-io.ts'

const good =
  'receivers:\n  otlp:\n    protocols:\n      grpc: {}\nexporters:\n  debug: {}\nservice:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      exporters: [debug]\n'
const bad = good.replace('[debug]', '[nowhere]')
const agents = 3

let folder: string
let server: ControlPlane
let env: Record<string, string>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'drover-cli-'))
  const flags = { data: join(folder, 'data'), 'agents-listen': '127.0.0.1:0', 'console-listen': '127.0.0.1:0', demo: String(agents), 'log-level': 'silent' }
  server = await startControlPlane(loadConfig({ flags }))
  env = { DROVER_URL: server.consoleUrl, DROVER_DATA: server.dataDir }
  await untilAgents()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const drover = (args: readonly string[], options: TestIoOptions = {}) => runTestCli(args, { cwd: folder, ...options, env: { ...env, ...options.env } })

// any: each test looks into another answer.
// oxlint-disable-next-line typescript/no-explicit-any
async function json(args: readonly string[]): Promise<any> {
  const { code, stdout, stderr } = await drover([...args, '-o', 'json'])
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}

/** The scripted agents are there when as many of them were seen in the event log. */
async function untilAgents(): Promise<void> {
  const io = testIo({ env, cwd: folder })
  const done = runCli(['events', '--follow', '--after', '0', '--kind', 'agent.enrolled', '-o', 'json'], io)
  await io.untilLines(agents)
  io.signal()
  await done
}

describe('agents', () => {
  it('lists them as a table, JSON and YAML with the same names', async () => {
    const page = await json(['agents', 'list'])
    const names = page.items.map((agent: { name: string }) => agent.name)
    expect(page).toMatchObject({ total: agents, nextCursor: null })
    expect(page.items[0]).toMatchObject({ instanceUid: expect.any(String), connected: true })
    expect(parse((await drover(['agents', 'list', '-o', 'yaml'])).stdout).items.map((agent: { name: string }) => agent.name)).toEqual(names)
    const { stdout } = await drover(['agents', 'list'])
    expect(stdout.split('\n')[0]).toMatch(/^ID +NAME +SERVICE/)
    for (const name of names) expect(stdout).toContain(name)
  })

  it('says on stderr that there are more', async () => {
    expect(await drover(['agents', 'list', '--limit', '1'])).toMatchObject({ code: 0, stderr: '1 of 3 agents; --limit 0 lists all.\n' })
  })

  it('shows an agent by id, instance uid and name, and explains it', async () => {
    const [agent] = (await json(['agents', 'list'])).items
    for (const given of [agent.id, agent.instanceUid, agent.name]) expect((await json(['agents', 'show', given])).id).toBe(agent.id)
    expect((await drover(['agents', 'show', agent.name])).stdout).toMatch(/^Id +agt_/)
    expect((await drover(['agents', 'why', agent.name])).code).toBe(0)
    expect(await drover(['agents', 'show', 'no-such-agent'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'drover: there is no agent "no-such-agent"; drover agents list shows them\n',
    })
    expect((await drover(['agents', 'show', 'agt_nosuchagent'])).code).toBe(1)
  })

  it('sets and removes labels, and keeps the others', async () => {
    const [{ name }] = (await json(['agents', 'list'])).items
    await drover(['agents', 'label', name, 'site=ber', 'ring=a=b'])
    expect(await json(['agents', 'label', name, 'ring-'])).toEqual({ site: 'ber' })
    expect((await json(['agents', 'list', '--filter', 'label.site = ber'])).total).toBe(1)
    expect(await drover(['agents', 'label', name, 'nonsense'])).toMatchObject({ code: 2 })
  })

  it('names what is wrong with a selector', async () => {
    expect(await drover(['agents', 'list', '--filter', 'a ='])).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/query\.filter/) })
  })

  it('prints an agent again when it changes, until ctrl-c', async () => {
    const [{ name }] = (await json(['agents', 'list'])).items
    const io = testIo({ env, cwd: folder })
    const watching = runCli(['agents', 'watch', '-o', 'json'], io)
    await io.untilWritten(name)
    await drover(['agents', 'label', name, 'watched=yes'])
    await io.untilWritten('"watched":"yes"')
    io.signal()
    expect(await watching).toBe(0)
  })
})

describe('configs and groups', () => {
  it('refuses a config with errors, and says where they are', async () => {
    const { code, stdout, stderr } = await drover(['configs', 'create', 'broken', '--file', '-'], { stdin: bad })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^config\.yaml:11:\d+: error: .*nowhere/m)
    expect(stderr).toContain('drover: the configuration has errors and was not stored')
  })

  it('goes from a file to the agents', async () => {
    writeFileSync(join(folder, 'gateway.yaml'), good)
    expect(await drover(['configs', 'validate', 'gateway.yaml', '--selector', '*'])).toMatchObject({ code: 0, stdout: '' })
    expect(await drover(['configs', 'create', 'gateway', '--file', 'gateway.yaml'])).toMatchObject({ code: 0, stdout: 'gateway@1\n' })
    expect((await json(['groups', 'preview', '--selector', '*', '--config', 'gateway'])).matching).toBe(agents)
    expect(await drover(['groups', 'create', 'all', '--selector', '*', '--config', 'gateway'])).toMatchObject({ code: 0, stdout: 'all (revision 1)\n' })
    const [{ name }] = (await json(['agents', 'list'])).items
    expect(parse((await drover(['configs', 'render', '--agent', name])).stdout)).toEqual(parse(good))
    expect(parse((await drover(['configs', 'render', '--group', 'all'])).stdout)).toEqual(parse(good))
    expect((await drover(['agents', 'why', name])).stdout).toContain('gateway@1  group all')
  })

  it('adds a version, shows what it changed, and sends it', async () => {
    const next = good.replace('debug: {}', 'debug:\n    verbosity: basic')
    expect((await drover(['configs', 'diff', 'gateway', '--file', '-'], { stdin: next })).stdout).toContain('+    verbosity: basic')
    expect(await drover(['configs', 'update', 'gateway', '--file', '-', '-m', 'less'], { stdin: next })).toMatchObject({
      code: 0,
      stdout: 'gateway@2\n',
      stderr: expect.stringContaining('drover groups set all --upgrade gateway'),
    })
    const changes = await drover(['configs', 'diff', 'gateway'])
    expect(changes).toMatchObject({ code: 0, stdout: expect.stringContaining('+    verbosity: basic') })
    // The file keeps its name although this version came from stdin.
    expect(changes.stdout).toContain('--- a/gateway.yaml')
    expect(changes.stdout).toContain('+++ b/gateway.yaml')
    expect(await drover(['groups', 'set', 'all', '--upgrade', 'gateway'])).toMatchObject({ code: 0, stdout: 'all (revision 2)\n' })
    expect((await json(['groups', 'show', 'all'])).revision.configs).toEqual([{ config: 'gateway', version: 2 }])
  })

  it('refuses what somebody else was faster with', async () => {
    expect(await drover(['configs', 'update', 'gateway', '--file', '-', '--if-version', '1'], { stdin: good })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is at version 2, not 1'),
    })
    expect(await drover(['groups', 'set', 'all', '--priority', '3', '--if-revision', '1'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is at revision 2, not 1'),
    })
  })

  it('keeps what is not given when a group is set', async () => {
    await drover(['groups', 'set', 'all', '--description', 'everything'])
    expect(await json(['groups', 'show', 'all'])).toMatchObject({
      description: 'everything',
      selector: '*',
      revision: { configs: [{ config: 'gateway', version: 2 }] },
    })
  })

  it('asks before it deletes, and says what is in the way', async () => {
    expect((await drover(['configs', 'delete', 'gateway'], { answers: ['no'] })).stderr).toBe('drover: nothing was done\n')
    expect(await drover(['configs', 'delete', 'gateway', '--yes'])).toMatchObject({ code: 1, stderr: expect.stringContaining('all') })
    expect(await drover(['groups', 'delete', 'all'], { answers: ['y'] })).toMatchObject({ code: 1, stdout: '' })
    expect((await drover(['groups', 'delete', 'all', '--all-at-once'], { answers: ['y'] })).code).toBe(0)
    expect((await drover(['configs', 'delete', 'gateway', '--yes'])).code).toBe(0)
    expect((await json(['configs', 'list'])).items).toEqual([])
  })
})

describe('tokens', () => {
  it('prints only the file to paste on stdout', async () => {
    const { code, stdout, stderr } = await drover(['tokens', 'create', '--for', 'supervisor'])
    expect(code).toBe(0)
    expect(stdout.match(/^\s*executable:/gm)).toHaveLength(1)
    expect(stdout.match(/^\s*directory:/gm)).toHaveLength(1)
    expect(parse(stdout)).toMatchObject({ server: { endpoint: server.agentsUrl } })
    expect(stderr).toContain('Keep it now')
    expect(parse((await drover(['tokens', 'create', 'x', '--for', 'extension'])).stdout)).toMatchObject({ service: { extensions: ['opamp'] } })
  })

  it('makes, uses and revokes an API token', async () => {
    const { token } = await json(['tokens', 'create', 'reader', '--api', '--expires-in', '1h'])
    const asReader = { env: { DROVER_TOKEN: token } }
    expect((await drover(['status'], asReader)).code).toBe(0)
    expect((await drover(['tokens', 'create', 'y'], asReader)).code).toBe(1)
    expect((await drover(['tokens', 'revoke', 'reader', '--yes'])).code).toBe(0)
    expect(await drover(['status'], asReader)).toMatchObject({ code: 1, stderr: expect.stringContaining('DROVER_TOKEN') })
  })

  it('lists them without their values', async () => {
    const { token } = await json(['tokens', 'create', 'listed'])
    const { stdout } = await drover(['tokens', 'list', '-o', 'json'])
    expect(stdout).toContain('listed')
    expect(stdout).not.toContain(token)
  })
})

describe('the server itself', () => {
  it('tells its state, and gives a sign-in link', async () => {
    expect(await json(['status'])).toMatchObject({ agentsEndpoint: server.agentsUrl, demoAgents: agents })
    expect((await drover(['status'])).stdout).toMatch(/^Server +http/)
    expect((await drover(['console'])).stdout).toMatch(/^http\S+sign-in\S+\n$/)
  })

  it('tells what happened, oldest first, and goes on from a cursor', async () => {
    const { items } = await json(['events', '--limit', '5'])
    const ids = items.map(({ id }: { id: number }) => id)
    expect(ids).toEqual(ids.toSorted((a: number, b: number) => a - b))
    expect((await json(['events', '--after', String(ids.at(-2))])).items.map(({ id }: { id: number }) => id)).toEqual(ids.slice(-1))
  })

  it('completes names of what it has', async () => {
    const [{ name }] = (await json(['agents', 'list'])).items
    expect((await drover(['__complete', '--', 'agents', 'show', ''])).stdout.split('\n')).toContain(name)
  })
})
