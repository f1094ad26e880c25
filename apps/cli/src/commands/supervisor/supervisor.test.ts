/** What a person sees of `drover supervisor check` and `status`; nothing is supervised here. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SupervisorStatus } from '@drover/supervisor'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runTestCli } from '../../test-io.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-cli-supervisor-'))
  file = join(folder, 'supervisor.yaml')
  writeFileSync(join(folder, 'otelcol'), '')
  chmodSync(join(folder, 'otelcol'), 0o755)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const good = () => `server:
  endpoint: wss://user:canary@drover.example.com/v1/opamp?token=canary
  headers:
    Authorization: Bearer canary
capabilities:
  accepts_remote_config: true
agent:
  executable: ${folder}/otelcol
  args: ["--set=exporters.otlp.headers.api_key=canary"]
  env: {SECRET: canary}
storage:
  directory: ${folder}/state
`

describe('drover supervisor check', () => {
  it('explains what would be done, without secrets', async () => {
    writeFileSync(file, good())
    const { code, stdout, stderr } = await runTestCli(['supervisor', 'check', '--config', file])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('endpoint        wss://drover.example.com/v1/opamp\ntransport       WebSocket\n')
    expect(stdout).toMatch(new RegExp(`^storage +${folder}/state$`, 'm'))
    expect(stdout).toMatch(/^3\. {2}what the Server offers \(\$REMOTE_CONFIG\)$/m)
    expect(stdout).toContain('Other than the stock supervisor\n- A new configuration is checked')
    expect(stdout).toContain(`${file}:5:1: note: capabilities: without reports_remote_config: true`)
    expect(stdout).not.toContain('canary')
  })

  it('gives programs the same as data', async () => {
    writeFileSync(file, good())
    const { code, stdout } = await runTestCli(['supervisor', 'check', '--config', file, '-o', 'json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      valid: true,
      findings: [{ severity: 'note', path: 'capabilities', line: 5, column: 1 }],
      sections: [{ title: 'Server', facts: expect.arrayContaining([{ name: 'transport', value: 'WebSocket' }]) }, {}, {}, {}],
      differences: expect.any(Array),
    })
    expect(stdout).not.toContain('canary')
  })

  it('says where and what is wrong, all of it', async () => {
    writeFileSync(file, 'server:\n  endpoint: ftp://x\nagent:\n  executable: /none\n')
    const { code, stdout, stderr } = await runTestCli(['supervisor', 'check', '--config', file])
    expect({ code, stderr }).toEqual({ code: 1, stderr: `drover: ${file} has 2 errors\n` })
    expect(stdout).toBe(
      `${file}: note: capabilities: without accepts_remote_config: true the Server cannot configure the agent\n${file}:2:3: error: server.endpoint: takes an address that begins with ws://, wss://, http:// or https://\n${file}:4:3: error: agent.executable: there is no file /none\n`,
    )
    expect(await runTestCli(['supervisor', 'check', '--config', file, '-o', 'json'])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('"valid": false'),
    })
  })

  it('needs a file that is there', async () => {
    expect(await runTestCli(['supervisor', 'check'])).toEqual({ code: 2, stdout: '', stderr: 'drover: say which file: --config supervisor.yaml\n' })
    expect(await runTestCli(['supervisor', 'check', '--config', join(folder, 'none')])).toMatchObject({
      code: 1,
      stdout: `${folder}/none: error: cannot read ${folder}/none: there is no such file\n`,
      stderr: `drover: ${folder}/none has an error\n`,
    })
  })
})

describe('drover supervisor', () => {
  it('is a command and has commands', async () => {
    expect(await runTestCli(['supervisor'])).toEqual({ code: 2, stdout: '', stderr: 'drover: say which file: --config supervisor.yaml\n' })
    expect(await runTestCli(['supervisor', 'chek'])).toMatchObject({
      code: 2,
      stderr: 'drover: there is no command "chek"; drover supervisor --help lists them\n',
    })
    expect(await runTestCli(['supervisor', '--conf'])).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown option '--conf'") })
    const { stdout } = await runTestCli(['supervisor', '--help'])
    expect(stdout).toContain('--config <file>')
    expect(stdout).toContain('check [options]')
    expect(stdout).toContain('# with the file that the stock supervisor had\n  drover supervisor --config /etc/drover/supervisor.yaml\n')
    expect((await runTestCli(['--help'])).stdout).toMatch(/^ {2}supervisor .*Run a Collector or another agent, and speak OpAMP for it$/m)
  })

  it('does not start with a file that is wrong', async () => {
    writeFileSync(file, 'server: {}\nagent:\n  executable: /none\n')
    expect(await runTestCli(['supervisor', '--config', file])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /:1:1: error: server: endpoint must be given[^\n]*\n[^\n]*:3:3: error: agent\.executable: there is no file \/none\n(.*\n)*drover: \S+ has 2 errors\n$/,
      ),
    })
  })
})

const status: SupervisorStatus = {
  pid: 4711,
  startedAt: '2026-01-02T00:00:00.000Z',
  instanceUid: '01890a5d-ac96-774b-bcce-b302099a8057',
  storageDirectory: '/var/lib/otelcol/supervisor',
  versions: { supervisor: '0.1.0', node: '24.21.0', agent: '0.149.0' },
  connection: {
    state: 'waiting',
    endpoint: 'wss://drover.example.com/v1/opamp',
    retryAt: '2026-01-02T03:00:30.000Z',
    lastError: 'connection refused',
    offered: true,
  },
  config: {
    state: 'failed',
    hash: 'bb',
    lastGoodHash: 'aa',
    lastFailure: { hash: 'bb', at: '2026-01-02T02:00:00.000Z', reason: 'exporters: unknown type "nope"\nlong log' },
  },
  agent: {
    kind: 'collector',
    executable: '/usr/bin/otelcol',
    pid: 4712,
    runningSince: '2026-01-02T02:30:00.000Z',
    restarts: 2,
    healthy: false,
    status: 'StatusRecoverableError',
    lastError: 'cannot \u001b[31msend',
    unhealthy: [{ path: 'pipeline:traces/exporter:otlp', status: 'StatusRecoverableError', lastError: 'refused' }],
    parts: 7,
  },
}

async function serveReply(reply: unknown): Promise<Disposable> {
  const server = createServer((socket) => socket.end(`${JSON.stringify(reply)}\n`))
  server.listen(join(folder, 'supervisor.sock'))
  await once(server, 'listening')
  return { [Symbol.dispose]: () => void server.close() }
}

describe('drover supervisor status', () => {
  it('says how the supervisor is, in a few lines', async () => {
    using _server = await serveReply({ 'drover-supervisor': 1, pid: 4711, status })
    const { code, stdout, stderr } = await runTestCli(['supervisor', 'status', '--storage', folder], { now: Date.parse('2026-01-02T03:00:00.000Z') })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(`Supervisor    process 4711, up 3h, version 0.1.0, Node 24.21.0
Instance uid  01890a5d-ac96-774b-bcce-b302099a8057
Storage       /var/lib/otelcol/supervisor
Server        not connected: wss://drover.example.com/v1/opamp (offered by the Server), next attempt in 30s
              connection refused
Config        bb, failed, the last good one runs
Last good     aa
Last failure  bb, 1h ago: exporters: unknown type "nope"
Agent         process 4712, up 30m, restarted 2 times: /usr/bin/otelcol, version 0.149.0
Health        unhealthy, StatusRecoverableError
              cannot \\u001b[31msend

Unhealthy, of 7 parts
PART                           STATUS                  ERROR
pipeline:traces/exporter:otlp  StatusRecoverableError  refused
`)
  })

  it('gives programs all of it', async () => {
    using _server = await serveReply({ 'drover-supervisor': 1, pid: 4711, status })
    writeFileSync(file, `storage: {directory: "${folder}"}\nnonsense: true\n`)
    const { code, stdout } = await runTestCli(['supervisor', 'status', '--config', file, '-o', 'json'])
    expect({ code, value: JSON.parse(stdout) }).toEqual({ code: 0, value: status })
  })

  it('says that it is starting', async () => {
    using _server = await serveReply({ 'drover-supervisor': 1, pid: 4711 })
    expect(await runTestCli(['supervisor', 'status', '--storage', folder])).toEqual({
      code: 0,
      stdout: '',
      stderr: 'the supervisor (process 4711) is starting\n',
    })
  })

  it('says what to do when none runs there', async () => {
    expect(await runTestCli(['supervisor', 'status', '--storage', folder])).toEqual({
      code: 1,
      stdout: '',
      stderr: `drover: no supervisor runs with the storage directory ${folder}: start one with drover supervisor --config FILE, or say which one with --config or --storage\n`,
    })
  })

  it('says that it is not understood', async () => {
    using _server = await serveReply({ hello: 1 })
    expect(await runTestCli(['supervisor', 'status', '--storage', folder])).toMatchObject({
      code: 1,
      stderr: `drover: the supervisor of ${folder} does not answer, or is of another version\n`,
    })
  })

  it('wants to know one place', async () => {
    expect(await runTestCli(['supervisor', 'status', '--storage', folder, '--config', file])).toMatchObject({
      code: 2,
      stderr: 'drover: give either --config or --storage\n',
    })
    expect(await runTestCli(['supervisor', 'status', '--config', join(folder, 'none')])).toMatchObject({
      code: 1,
      stderr: `drover: ${folder}/none has an error: cannot read ${folder}/none: there is no such file\n`,
    })
  })
})
