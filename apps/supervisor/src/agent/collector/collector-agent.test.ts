import { chmod, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { attributesToJson, CustomMessageSchema, parseInstanceUid } from '@drover/protocol'
import type { AgentDescription } from '@drover/protocol'
import { stubCollectorExecutable } from '@drover/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readProcess } from '../../process/process-identity.ts'
import { AgentBootstrapError, AgentStartError, ConfigRejectedError } from '../agent.ts'
import type { SupervisedAgent } from '../agent.ts'
import { Events, noSources, remoteSources, testConfig, testDeps, testFolder, testUid } from '../test-agents.ts'
import type { Folder, TestConfigOptions, TestLog } from '../test-agents.ts'
import { createCollectorAgent } from './collector-agent.ts'

const signal = new AbortController().signal
let programs: Folder
let executable = ''
let folder: Folder
let deps: TestLog
let agent: SupervisedAgent
let events: Events

beforeAll(async () => {
  programs = await testFolder()
  executable = await stubCollectorExecutable(programs.path)
})
afterAll(() => programs[Symbol.asyncDispose]())
beforeEach(async () => {
  folder = await testFolder()
  deps = testDeps()
})
afterEach(async () => {
  await agent[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

function open(options: Partial<TestConfigOptions> = {}): SupervisedAgent {
  agent = createCollectorAgent(testConfig({ executable, storageDirectory: folder.path, ...options }), deps)
  events = new Events(agent)
  return agent
}

async function bootstrapped(options: Partial<TestConfigOptions> = {}): Promise<SupervisedAgent> {
  await open(options).bootstrap(testUid, signal)
  return agent
}

const stub = (settings: string): string =>
  `receivers: { stub: ${settings} }\nexporters: { nop: }\nservice: { pipelines: { logs: { receivers: [stub], exporters: [nop] } } }\n`
const attributes = ({ identifyingAttributes, nonIdentifyingAttributes }: AgentDescription) => ({
  identifying: attributesToJson(identifyingAttributes),
  other: attributesToJson(nonIdentifyingAttributes),
})
const effective = () => readFile(join(folder.path, 'effective.yaml'), 'utf8')
const run = async (settings: string): Promise<void> => agent.run(agent.compose(remoteSources(stub(settings))))
const program = async (name: string, script: string): Promise<string> => {
  const path = join(folder.path, name)
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
  return path
}

describe('the bootstrap of a Collector', () => {
  it('finds out who it is and all its components, and leaves nothing', async () => {
    const facts = await open().bootstrap(testUid, signal)
    expect(attributes(facts.description).identifying).toMatchObject({ 'service.instance.id': testUid, 'service.name': expect.any(String) as string })
    expect(Object.keys(facts.components?.components ?? {}).toSorted()).toEqual(['connectors', 'exporters', 'extensions', 'processors', 'receivers'])
    expect(facts.components?.components['receivers']?.subComponentMap).toHaveProperty('otlp')
    expect(agent.pid).toBeUndefined()
    expect(await folder.names()).toEqual(['agent.log'])
    expect(events.all).toEqual([])
  })

  it('is content without components where they are not reported', async () => {
    const facts = await open({ capabilities: ['AcceptsRemoteConfig'] }).bootstrap(testUid, signal)
    expect(facts.components).toBeUndefined()
  })

  it('puts what the file says over what the Collector says', async () => {
    const description = { identifyingAttributes: { 'service.name': 'edge' }, nonIdentifyingAttributes: { site: 'north' }, includeResourceAttributes: false }
    const facts = await open({ agent: { description } }).bootstrap(testUid, signal)
    const { identifying, other } = attributes(facts.description)
    expect([identifying['service.name'], other['site']]).toEqual(['edge', 'north'])
    expect(Object.keys(other)).toEqual(Object.keys(other).toSorted())
  })

  it('says that there is no such program, or that it may not be executed', async () => {
    await expect(open({ executable: join(folder.path, 'missing') }).bootstrap(testUid, signal)).rejects.toMatchObject({
      code: 'cannot-start',
      message: `cannot start ${join(folder.path, 'missing')}: there is no such program`,
    })
    await writeFile(join(folder.path, 'plain'), '')
    await agent[Symbol.asyncDispose]()
    await expect(open({ executable: join(folder.path, 'plain') }).bootstrap(testUid, signal)).rejects.toThrow('it may not be executed')
  })

  it('says what the Collector printed when it ends, and that it lacks the extension', async () => {
    const path = await program('no-extension', `echo 'Error: invalid: unknown type: "opamp" for id: "opamp"' >&2; exit 1`)
    const failure: unknown = await open({ executable: path })
      .bootstrap(testUid, signal)
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(AgentBootstrapError)
    expect(failure).toMatchObject({ code: 'exited', logTail: 'Error: invalid: unknown type: "opamp" for id: "opamp"' })
    expect(String(failure)).toContain('the Collector ended with exit code 1: invalid: unknown type: "opamp"')
    expect(String(failure)).toContain('built without the extension "opamp"')
  })

  it('says what the Collector printed when it does not connect in time, and ends it', async () => {
    const path = await program('never-connects', 'echo "Everything is ready, token: abcdef123456" >&2; echo $$ > "$0.pid"; exec sleep 1000')
    const failure: unknown = await open({ executable: path, agent: { bootstrapTimeoutMs: 300 } })
      .bootstrap(testUid, signal)
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'timeout' })
    expect(String(failure)).toMatch(/did not connect to the supervisor within 0\.3 s.*It printed: Everything is ready, token: \[REDACTED\]/)
    expect(readProcess(Number(await readFile(`${path}.pid`, 'utf8')))).toBeUndefined()
  })

  it('says that the Collector uses another instance uid, and who it is', async () => {
    const other = '01939b3c-7d2e-7c3a-9f00-0123456789ff'
    const args = [`--set=extensions::opamp::instance_uid=${other}`]
    const failure: unknown = await open({ agent: { args } })
      .bootstrap(testUid, signal)
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'instance-id-mismatch' })
    expect(String(failure)).toContain(other)
    expect((failure as AgentBootstrapError).facts?.description.identifyingAttributes.length).toBeGreaterThan(0)
  })

  it('ends when it is told to, and may be done again', async () => {
    const controller = new AbortController()
    const ending = open().bootstrap(testUid, controller.signal)
    controller.abort(new Error('shutting down'))
    await expect(ending).rejects.toThrow('shutting down')
    expect((await agent.bootstrap(testUid, signal)).components).toBeDefined()
  })
})

describe('composing', () => {
  it('gives equal bytes for equal sources, and others for others', async () => {
    await bootstrapped()
    const one = agent.compose(remoteSources(stub('{}')))
    expect(agent.compose(remoteSources(stub('{}')))).toEqual(one)
    expect(agent.compose(remoteSources(stub('{ start_delay_ms: 1 }'))).fingerprint).not.toBe(one.fingerprint)
    expect(one).toMatchObject({ runsNothing: false, fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string })
    expect(agent.compose({ ...noSources, remote: [] }).runsNothing).toBe(true)
  })

  it('throws for offered text that is no YAML, and leaves out a local file that is not', async () => {
    const bad = join(folder.path, 'bad.yaml')
    await writeFile(bad, 'a: [')
    await bootstrapped({ agent: { configFiles: [{ kind: 'file', path: bad }, { kind: 'own-telemetry' }, { kind: 'opamp-extension' }, { kind: 'remote' }] } })
    expect(() => agent.compose(remoteSources('a: ['))).toThrow(ConfigRejectedError)
    expect(agent.compose(remoteSources(stub('{}'))).text).toContain('stub')
    expect(deps.lines.map(({ fields }) => fields['file'])).toContain(bad)
  })

  it('holds a reference against the environment that the Collector has', async () => {
    await bootstrapped({ agent: { env: { DATA: '/srv/data' } }, drover: { restrictions: { components: {}, paths: ['/srv'] } } })
    expect(agent.compose(remoteSources(stub('{ a: "${env:DATA}/x" }'))).text).toContain('${env:DATA}/x')
    expect(() => agent.compose(remoteSources(stub('{ a: "${env:NO_DATA}/x" }')))).toThrow(ConfigRejectedError)
  })

  it('takes a fallback as it is, with the link to the supervisor', async () => {
    const local = join(folder.path, 'local.yaml')
    await writeFile(local, 'receivers: { nop/local: }')
    await bootstrapped({
      agent: { configFiles: [{ kind: 'file', path: local }, { kind: 'own-telemetry' }, { kind: 'opamp-extension' }, { kind: 'remote' }] },
      // It is the administrator's own.
      drover: { restrictions: { components: { receiver: [] } } },
    })
    expect(() => agent.compose(remoteSources(stub('{}')))).toThrow('no receivers are allowed here')
    const { text } = agent.compose({ ...noSources, fallback: [{ name: 'fallback.yaml', contentType: '', body: stub('{}') }] })
    expect(text).toContain('stub')
    expect(text).not.toContain('nop/local')
    expect(text).toContain('opamp')
  })

  it('names the new uid in the resource, too, when the Server has assigned one', async () => {
    await bootstrapped()
    const instanceUid = parseInstanceUid('01939b3c-7d2e-7c3a-9f00-0123456789cc')
    const { text } = agent.compose({ ...remoteSources(stub('{}')), instanceUid })
    expect(text).not.toContain(testUid)
    expect(text.split(instanceUid)).toHaveLength(3)
  })
})

describe('checking a configuration', () => {
  it('asks the Collector itself about that configuration, beside the one that runs', async () => {
    await bootstrapped()
    await run('{}')
    await events.healthy()
    const { pid } = agent
    expect(await agent.validate(agent.compose(remoteSources(stub('{}'))), signal)).toBeUndefined()
    const rejection = await agent.validate(agent.compose(remoteSources(stub('{ invalid: "no such thing, password: hunter2222" }'))), signal)
    expect(rejection?.reason).toContain('no such thing')
    expect(JSON.stringify(rejection)).not.toContain('hunter')
    expect(agent.pid).toBe(pid)
    expect(await folder.names()).not.toContain('candidate.yaml')
    expect(await effective()).not.toContain('no such thing')
  })

  it('goes by the same arguments as running it, with another file', async () => {
    const path = await program('recording', `echo "$@" >> "$0.args"; exec ${executable} "$@"`)
    const args = ['--set=service::telemetry::metrics::level=none']
    await bootstrapped({ executable: path, agent: { args } })
    const config = agent.compose(remoteSources(stub('{}')))
    await agent.validate(config, signal)
    await agent.run(config)
    await events.healthy()
    const [, , checked, ran] = (await readFile(`${path}.args`, 'utf8')).split('\n')
    expect(checked).toBe(`validate --config=${join(folder.path, 'candidate.yaml')} --feature-gates=service.AllowNoPipelines ${args[0]}`)
    expect(ran).toBe(`--config ${join(folder.path, 'effective.yaml')} --feature-gates=service.AllowNoPipelines ${args[0]}`)
  })

  it('does not reject what a Collector cannot check', async () => {
    const path = await program(
      'old',
      `case "$1" in validate) echo 'Error: unknown command "validate" for "otelcol"' >&2; exit 1;; esac; exec ${executable} "$@"`,
    )
    await bootstrapped({ executable: path })
    expect(await agent.validate(agent.compose(remoteSources(stub('{ invalid: x }'))), signal)).toBeUndefined()
  })
})

describe('a running Collector', () => {
  it('runs what was composed, says so, and reports health, description and effective configuration', async () => {
    await bootstrapped()
    const config = agent.compose(remoteSources(stub('{}')))
    await agent.run(config)
    expect((await events.next('started')).pid).toBe(agent.pid)
    await events.healthy()
    expect(await effective()).toBe(config.text)
    expect((await stat(join(folder.path, 'effective.yaml'))).mode & 0o777).toBe(0o600)
    const kinds = new Set(events.all.map(({ kind }) => kind))
    expect([...kinds].toSorted()).toEqual(expect.arrayContaining(['description', 'effective-config', 'health', 'started']))
  })

  it('is another process after a restart and after another configuration; what the first one says at its end comes before', async () => {
    await bootstrapped()
    await run('{}')
    await events.healthy()
    const first = agent.pid
    await agent.restart()
    const second = agent.pid
    await events.healthy()
    await run('{ start_delay_ms: 1 }')
    await events.healthy()
    expect(new Set([first, second, agent.pid]).size).toBe(3)
    expect(events.all.filter(({ kind }) => kind === 'crashed')).toEqual([])
    for (const pid of [first, second]) expect(readProcess(pid ?? 0)).toBeUndefined()
  })

  it('tells why it crashed, how long it had run, and the end of its log without secrets', async () => {
    await bootstrapped()
    await run('{ fails_at_start: "cannot bind 127.0.0.1:4318, token: abcdef123456" }')
    const crash = await events.next('crashed')
    expect(crash).toMatchObject({ exitCode: 1, signal: null, ranForMs: expect.any(Number) as number })
    expect(crash.rejection.reason).toMatch(/^the Collector ended with exit code 1: .*cannot bind 127\.0\.0\.1:4318/)
    expect(crash.rejection.logTail).toContain('cannot bind')
    expect(JSON.stringify(crash)).not.toContain('abcdef123456')
    expect(agent.pid).toBeUndefined()
    await run('{}')
    await events.healthy()
  })

  it('tells that it was killed', async () => {
    await bootstrapped()
    await run('{}')
    await events.healthy()
    process.kill(agent.pid ?? 0, 'SIGKILL')
    const { rejection, signal: by } = await events.next('crashed')
    expect([by, rejection.reason]).toEqual(['SIGKILL', expect.stringContaining('was killed, as the kernel does when memory runs out')])
    await agent.restart()
    await events.healthy()
  })

  it('is stopped for a configuration of nothing, and started for the next', async () => {
    await bootstrapped()
    await run('{}')
    await events.healthy()
    await agent.run(agent.compose({ ...noSources, remote: [] }))
    expect(agent.pid).toBeUndefined()
    await agent.restart()
    expect(agent.pid).toBeUndefined()
    await run('{}')
    await events.healthy()
  })

  it('is killed when it does not stop in time', async () => {
    await bootstrapped({ drover: { stopTimeoutMs: 200 } })
    await run('{ ignores_sigterm: true }')
    await events.healthy()
    const pid = agent.pid ?? 0
    await agent.stop()
    expect(readProcess(pid)).toBeUndefined()
    expect(events.all.filter(({ kind }) => kind === 'crashed')).toEqual([])
  })

  it('is unhealthy, with the reason, when its configuration lets it use another uid', async () => {
    await bootstrapped()
    await agent.run(agent.compose(remoteSources(`${stub('{}')}extensions: { opamp: { instance_uid: 01939b3c-7d2e-7c3a-9f00-0123456789ff } }\n`)))
    const { health } = await events.next('health')
    expect([health.healthy, health.lastError]).toEqual([false, expect.stringContaining('01939b3c-7d2e-7c3a-9f00-0123456789ff')])
  })

  it('says that it cannot be started when the program is gone', async () => {
    const path = await program('fleeting', `exec ${executable} "$@"`)
    await bootstrapped({ executable: path })
    const config = agent.compose(remoteSources(stub('{}')))
    await chmod(path, 0o600)
    await expect(agent.run(config)).rejects.toThrow(AgentStartError)
    await expect(agent.restart()).rejects.toThrow(`cannot start ${path}: it may not be executed`)
    await chmod(path, 0o755)
    await agent.restart()
    await events.healthy()
  })

  it('keeps its certificates in files of their own, and removes them when they are not needed', async () => {
    await bootstrapped()
    const metrics = { endpoint: 'https://127.0.0.1:1/v1/metrics', headers: [], tls: { ca: '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n' } }
    const config = agent.compose({ ...remoteSources(stub('{}')), ownTelemetry: { metrics } })
    await agent.run(config)
    await events.next('started')
    const own = join(folder.path, 'own-telemetry')
    const [name = ''] = await readdir(own)
    expect(config.text).toContain(join(own, name))
    expect(await readFile(join(own, name), 'utf8')).toContain('BEGIN CERTIFICATE')
    expect((await stat(join(own, name))).mode & 0o777).toBe(0o600)
    // One configuration back is still there, as it may be run again.
    await run('{}')
    expect(await readdir(own)).toHaveLength(1)
    await run('{ start_delay_ms: 1 }')
    expect(await readdir(own)).toEqual([])
  })

  it('passes custom messages both ways', async () => {
    await bootstrapped()
    agent.setServerCustomCapabilities(['io.drover.test'])
    await run('{ custom_capability: io.drover.test }')
    expect((await events.next('custom-capabilities')).capabilities).toContain('io.drover.test')
    await events.healthy()
    agent.sendCustomMessage(create(CustomMessageSchema, { capability: 'io.drover.test', type: 'ping', data: Uint8Array.of(1, 2) }))
    expect((await events.next('custom-message')).message).toMatchObject({ capability: 'io.drover.test', type: 'echo' })
  })
})

describe('a reload by SIGHUP', () => {
  const hup = { agent: { useHupConfigReload: true } }

  it('keeps the process, and counts only what is said of the new configuration', async () => {
    await bootstrapped(hup)
    await run('{}')
    const { pid } = await events.next('started')
    await events.healthy()
    const before = events.all.length
    await run('{ start_delay_ms: 300 }')
    await events.healthy()
    expect(agent.pid).toBe(pid)
    expect(events.all.slice(before).filter(({ kind }) => kind === 'started' || kind === 'crashed')).toEqual([])
    const texts = events.all
      .slice(before)
      .flatMap((event) => (event.kind === 'effective-config' ? [new TextDecoder().decode(event.config.configMap?.configMap['']?.body)] : []))
    expect(texts.every((text) => text.includes('start_delay_ms'))).toBe(true)
    expect(texts.length).toBeGreaterThan(0)
    const statuses = events.all.slice(before).flatMap((event) => (event.kind === 'health' ? [event.health.status] : []))
    expect(statuses).not.toContain('StatusStopping')
  })

  it('waits until the Collector is ready to take it', async () => {
    await bootstrapped(hup)
    await run('{ start_delay_ms: 300 }')
    const { pid } = agent
    await run('{}')
    await events.healthy()
    expect(agent.pid).toBe(pid)
  })

  it('is a restart for a Collector that is not ready in time, or has ended', async () => {
    await bootstrapped({ agent: { useHupConfigReload: true, bootstrapTimeoutMs: 2_000 } })
    await run('{ silent: true }')
    const { pid } = agent
    await run('{ exit_code: 0 }')
    expect(agent.pid).not.toBe(pid)
    await events.healthy()
    process.kill(agent.pid ?? 0, 'SIGKILL')
    await events.next('crashed')
    await run('{}')
    await events.healthy()
  })

  it('that the Collector does not survive is a crash', async () => {
    await bootstrapped(hup)
    await run('{}')
    await events.healthy()
    await run('{ fails_at_start: "no" }')
    expect((await events.next('crashed')).rejection.reason).toContain('no')
  })
})
