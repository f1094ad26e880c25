import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { CustomMessageSchema, attributesToText, parseInstanceUid } from '@drover/protocol'
import type { AgentToServer } from '@drover/protocol'
import { createOpampServer } from '@drover/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stubCollectorExecutable } from './executable.ts'

const uid = parseInstanceUid('01939b3c-7d2e-7c3a-9f00-0123456789ab')
const waitLimitMs = 20_000
const quiet = 'receivers:\n  nop:\nexporters:\n  nop:\nservice:\n  pipelines:\n    logs/one:\n      receivers: [nop]\n      exporters: [nop]\n'

/** A configuration with a receiver that misbehaves. */
const misbehaving = (...settings: readonly string[]) =>
  `receivers:\n  stub:\n${settings.map((line) => `    ${line}\n`).join('')}exporters:\n  nop:\nservice:\n  pipelines:\n    logs:\n      receivers: [stub]\n      exporters: [nop]\n`

interface Ended {
  readonly code: number | null
  readonly signal: string | null
}

let folder: string
let executable: string
const children = new Set<ChildProcess>()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-stub-'))
  executable = await stubCollectorExecutable(folder)
})

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
  await rm(folder, { recursive: true, force: true })
})

function start(...args: readonly string[]) {
  const child = spawn(executable, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }) as Ended) // as: the event's arguments
  return { child, ended, output: () => output }
}

async function fileWith(text: string, name = 'config.yaml'): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, text)
  return file
}

/** A supervisor's side: records reports, and waits for one that fits. */
async function listen() {
  const reports: AgentToServer[] = []
  const goodbyes: string[] = []
  const listeners = new Set<() => void>()
  const changed = () => listeners.forEach((listener) => listener())
  const opamp = createOpampServer({
    capabilities: ['AcceptsStatus', 'AcceptsEffectiveConfig'],
    customCapabilities: ['org.example.stub'],
    handler: {
      authenticate: () => ({ kind: 'accept', principal: 'stub' }),
      onReport: ({ message }) => {
        reports.push(message)
        changed()
        return undefined
      },
      onDisconnect: ({ reason }) => {
        goodbyes.push(reason)
        changed()
      },
      onDuplicate: () => undefined,
    },
  })
  const server = createServer()
  opamp.attach(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // as: a TCP listener's address is never text
  return {
    opamp,
    goodbyes,
    reports,
    extension: (more = '') =>
      `extensions:\n  opamp:\n    instance_uid: ${uid}\n    server:\n      ws:\n        endpoint: ws://127.0.0.1:${port}/v1/opamp\n${more}service:\n  extensions: [opamp]\n`,
    async until<T>(look: () => T | undefined): Promise<T> {
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      const check = () => {
        const found = look()
        if (found !== undefined) resolve(found)
      }
      const timer = setTimeout(() => reject(new Error(`not reported within ${waitLimitMs} ms; ${reports.length} reports came`)), waitLimitMs)
      listeners.add(check)
      check()
      return promise.finally(() => {
        clearTimeout(timer)
        listeners.delete(check)
      })
    },
    async [Symbol.asyncDispose]() {
      await opamp.drain(0)
      server.closeAllConnections()
      server.close()
    },
  }
}

type Supervisor = Awaited<ReturnType<typeof listen>>
const healthyReport = (supervisor: Supervisor, after = 0) => supervisor.until(() => supervisor.reports.slice(after).find((one) => one.health?.healthy === true))

describe('the subcommands', () => {
  it.each([
    { title: 'says its version', args: ['--version'], code: 0, says: 'otelcol version 0.149.0' },
    { title: 'lists feature gates', args: ['featuregate'], code: 0, says: 'service.AllowNoPipelines' },
    { title: 'lists its components', args: ['components'], code: 0, says: 'name: otlphttp' },
    { title: 'refuses an unknown gate', args: ['--feature-gates', 'nothing.Known', '--config', 'x'], code: 2, says: 'no such feature gate' },
    { title: 'refuses to run without a configuration', args: [], code: 1, says: 'at least one config flag' },
  ])('$title', async ({ args, code, says }) => {
    const { ended, output } = start(...args)
    expect((await ended).code).toBe(code)
    expect(output()).toContain(says)
  })

  it.each([
    { title: 'a configuration that is fine', text: quiet, code: 0, says: '' },
    {
      title: 'an unknown component',
      text: quiet.replace('exporters:\n  nop:', 'exporters:\n  nop:\n  kafka:'),
      code: 1,
      says: `'exporters' unknown type: "kafka"`,
    },
    {
      title: 'a dangling reference',
      text: quiet.replace('exporters: [nop]', 'exporters: [debug]'),
      code: 1,
      says: 'references exporter "debug" which is not configured',
    },
    { title: 'text that is no YAML', text: 'a: [', code: 1, says: 'cannot resolve the configuration' },
    { title: 'no pipelines', text: 'service: {}', code: 1, says: 'at least one pipeline' },
    { title: 'what is marked as invalid', text: misbehaving('invalid: not like this'), code: 1, says: 'not like this' },
    { title: 'a mark that does not exist', text: misbehaving('invalit: x'), code: 1, says: 'has invalid keys: invalit' },
    { title: 'what only fails later', text: misbehaving('fails_at_start: no', 'crash_after_ms: 1'), code: 0, says: '' },
  ])('validate judges $title', async ({ text, code, says }) => {
    const { ended, output } = start('validate', '--config', await fileWith(text))
    expect((await ended).code).toBe(code)
    expect(output()).toContain(says)
  })

  it('merges several configurations, expands the environment and sets properties', async () => {
    const [first, second] = [
      await fileWith(quiet, 'a.yaml'),
      await fileWith('service:\n  pipelines:\n    logs/one:\n      exporters: ["${env:STUB_EXPORTER:-absent}"]\n', 'b.yaml'),
    ]
    const refused = start('validate', '--config', first, '--config', second)
    expect((await refused.ended).code).toBe(1)
    expect(refused.output()).toContain('references exporter "absent"')
    const mended = start(
      'validate',
      '--config',
      first,
      '--config',
      second,
      '--set=exporters.absent/x={}',
      '--set=service::pipelines::logs/one::exporters=[nop]',
    )
    expect((await mended.ended).code).toBe(1)
    expect(mended.output()).toContain('unknown type: "absent"')
  })
})

describe('the opamp extension', () => {
  it('reports description, health tree, effective configuration, and components with the list on request', async () => {
    await using supervisor = await listen()
    const { child, ended } = start(
      '--config',
      await fileWith(quiet),
      '--config',
      await fileWith(supervisor.extension(), 'opamp.yaml'),
      '--set=exporters.nop/set={}',
    )
    const healthy = await healthyReport(supervisor)
    expect(Object.keys(healthy.health?.componentHealthMap ?? {})).toEqual(['extensions', 'pipeline:logs/one'])
    const [first] = supervisor.reports
    expect(Object.fromEntries(attributesToText([...(first?.agentDescription?.identifyingAttributes ?? [])]))).toEqual({
      'service.instance.id': uid,
      'service.name': 'otelcol',
      'service.version': '0.149.0',
    })
    const effective = first?.effectiveConfig?.configMap?.configMap['']
    expect(effective?.contentType).toBe('text/yaml')
    expect(new TextDecoder().decode(effective?.body)).toContain('nop/set')
    expect(first?.availableComponents?.hash.length).toBe(32)
    expect(first?.availableComponents?.components).toEqual({})
    supervisor.opamp.offer(uid, { reportAvailableComponents: true })
    const full = await supervisor.until(() => supervisor.reports.find((one) => one.availableComponents?.components['receivers'] !== undefined))
    expect(full.availableComponents?.hash).toEqual(first?.availableComponents?.hash)
    child.kill('SIGTERM')
    expect(await ended).toEqual({ code: 0, signal: null })
    await supervisor.until(() => (supervisor.goodbyes.includes('agent-disconnect') ? true : undefined))
  })

  it('says everything again when asked for its full state', async () => {
    await using supervisor = await listen()
    start('--config', await fileWith(quiet), '--config', await fileWith(supervisor.extension(), 'opamp.yaml'))
    await healthyReport(supervisor)
    const before = supervisor.reports.length
    supervisor.opamp.offer(uid, { reportFullState: true })
    const full = await supervisor.until(() => supervisor.reports.slice(before).find((one) => one.agentDescription !== undefined))
    expect(full).toMatchObject({ health: { healthy: true }, effectiveConfig: { configMap: {} } })
  })

  it('announces its custom capability, echoes messages of it, sends its own, and changes its description', async () => {
    await using supervisor = await listen()
    const text = misbehaving('custom_capability: org.example.stub', 'custom_messages: 2', 'later_note: changed')
    start('--config', await fileWith(text), '--config', await fileWith(supervisor.extension(), 'opamp.yaml'))
    await supervisor.until(() =>
      supervisor.reports.find((one) => one.customMessage?.type === 'notice' && new TextDecoder().decode(one.customMessage.data) === 'message 1'),
    )
    expect(supervisor.reports[0]?.customCapabilities?.capabilities).toEqual(['org.example.stub'])
    supervisor.opamp.offer(uid, {
      customMessage: create(CustomMessageSchema, { capability: 'org.example.stub', type: 'question', data: new TextEncoder().encode('42') }),
    })
    const echo = await supervisor.until(() => supervisor.reports.find((one) => one.customMessage?.type === 'echo'))
    expect(new TextDecoder().decode(echo.customMessage?.data)).toBe('42')
    const notes = supervisor.reports.map((one) => attributesToText([...(one.agentDescription?.nonIdentifyingAttributes ?? [])]).get('stub.note'))
    expect(notes).toContain('changed')
  })

  it('ends when the process that started it is gone', async () => {
    const parent = spawn('sleep', ['60'])
    const config = await fileWith(quiet)
    await using supervisor = await listen()
    const more = `    ppid: ${parent.pid}\n    ppid_poll_interval: 100ms\n`
    const { ended, output } = start('--config', config, '--config', await fileWith(supervisor.extension(more), 'opamp.yaml'))
    await healthyReport(supervisor)
    parent.kill('SIGKILL')
    expect((await ended).code).toBe(0)
    expect(output()).toContain('orphaned')
  })
})

describe('a running stub', () => {
  it('reads its configuration again on SIGHUP, and ends when that is refused', async () => {
    await using supervisor = await listen()
    const config = await fileWith(quiet)
    const { child, ended, output } = start('--config', config, '--config', await fileWith(supervisor.extension(), 'opamp.yaml'))
    await healthyReport(supervisor)
    const before = supervisor.reports.length
    await writeFile(config, quiet.replaceAll('logs/one', 'traces/two'))
    child.kill('SIGHUP')
    const healthy = await healthyReport(supervisor, before)
    expect(Object.keys(healthy.health?.componentHealthMap ?? {})).toContain('pipeline:traces/two')
    await writeFile(config, misbehaving('invalid: never'))
    child.kill('SIGHUP')
    expect((await ended).code).toBe(1)
    expect(output()).toContain('never')
  })

  it('lets telemetry through, and ends when its port is taken', async () => {
    const received: string[] = []
    const sink = createServer((request: IncomingMessage, response) => {
      request.setEncoding('utf8').on('data', (text: string) => received.push(`${request.url} ${text}`))
      request.on('end', () => response.end('{}'))
    })
    sink.listen(0, '127.0.0.1')
    await once(sink, 'listening')
    const { port } = sink.address() as AddressInfo // as: a TCP listener's address is never text
    const free = createServer().listen(0, '127.0.0.1')
    await once(free, 'listening')
    const receiverPort = (free.address() as AddressInfo).port // as: a TCP listener's address is never text
    free.close()
    await using supervisor = await listen()
    const text = `receivers:\n  otlp:\n    protocols:\n      http:\n        endpoint: 127.0.0.1:${receiverPort}\nexporters:\n  otlphttp/out:\n    endpoint: http://127.0.0.1:${port}\nservice:\n  pipelines:\n    logs:\n      receivers: [otlp]\n      exporters: [otlphttp/out]\n`
    const args = ['--config', await fileWith(text), '--config', await fileWith(supervisor.extension(), 'opamp.yaml')]
    start(...args)
    await healthyReport(supervisor)
    const response = await fetch(`http://127.0.0.1:${receiverPort}/v1/logs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"a":1}',
    })
    expect(response.status).toBe(200)
    expect(received).toEqual(['/v1/logs {"a":1}'])
    const second = start('--config', await fileWith(text, 'second.yaml'))
    expect((await second.ended).code).toBe(1)
    expect(second.output()).toContain('bind: address already in use')
    sink.close()
  })

  it.each([
    { title: 'fails at its start', settings: ['fails_at_start: no such device'], ends: { code: 1, signal: null }, says: 'no such device' },
    { title: 'crashes after it was healthy', settings: ['crash_after_ms: 50', 'exit_code: 7'], ends: { code: 7, signal: null }, says: 'panic' },
    { title: 'is killed when it took too much memory', settings: ['eat_mib: 32'], ends: { code: null, signal: 'SIGKILL' }, says: 'Everything is ready' },
    { title: 'writes a lot before it fails', settings: ['log_kib: 64', 'fails_at_start: after all that'], ends: { code: 1, signal: null }, says: 'flood 63' },
  ])('$title, when told to', async ({ settings, ends, says }) => {
    const { ended, output } = start('--config', await fileWith(misbehaving(...settings)))
    expect(await ended).toEqual(ends)
    expect(output()).toContain(says)
  })

  it('flaps, stays silent or unhealthy, and ignores SIGTERM, when told to', async () => {
    await using supervisor = await listen()
    const opamp = await fileWith(supervisor.extension(), 'opamp.yaml')
    const flapping = start('--config', await fileWith(misbehaving('flap_every_ms: 20', 'ignores_sigterm: true')), '--config', opamp)
    await supervisor.until(() => (supervisor.reports.filter((one) => one.health?.lastError === 'flapping').length > 1 ? true : undefined))
    flapping.child.kill('SIGTERM')
    const before = supervisor.reports.length
    await supervisor.until(() => supervisor.reports.slice(before).find((one) => one.health?.healthy === true))
    flapping.child.kill('SIGKILL')
    expect((await flapping.ended).signal).toBe('SIGKILL')
    const later = supervisor.reports.length
    const unhealthy = start('--config', await fileWith(misbehaving('unhealthy: the disk is full'), 'unhealthy.yaml'), '--config', opamp)
    await supervisor.until(() => supervisor.reports.slice(later).find((one) => one.health?.lastError === 'the disk is full'))
    unhealthy.child.kill('SIGTERM')
    expect((await unhealthy.ended).code).toBe(0)
  })
})
