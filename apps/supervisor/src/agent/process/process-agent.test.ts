import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { watch } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { attributesToJson, parseInstanceUid } from '@drover/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ProcessAgentSettings } from '../../config/supervisor-config.ts'
import { AgentStartError } from '../agent.ts'
import type { ConfigSources, SupervisedAgent } from '../agent.ts'
import { createAgent } from '../create-agent.ts'
import { Events, noSources, testConfig, testDeps, testFolder, testUid } from '../test-agents.ts'
import type { Folder } from '../test-agents.ts'

const signal = new AbortController().signal
const main = fileURLToPath(new URL('./test-agent-program.ts', import.meta.url))
const node = process.execPath
const reloadBySignal = { reload: { kind: 'signal', signal: 'SIGHUP' } } as const

let folder: Folder
let configFile = ''
let agent: SupervisedAgent
let events: Events

beforeEach(async () => {
  folder = await testFolder()
  configFile = join(folder.path, 'program.conf')
})
afterEach(async () => {
  await agent[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

async function bootstrapped(more: Partial<ProcessAgentSettings> = {}) {
  const settings: ProcessAgentSettings = {
    name: 'test-program',
    versionCommand: [node, main, 'version'],
    configFile,
    validateCommand: [node, main, 'check', '{config}'],
    ...more,
  }
  const config = testConfig({
    executable: node,
    storageDirectory: folder.path,
    agent: {
      args: [main, 'run', '{config}'],
      description: { identifyingAttributes: {}, nonIdentifyingAttributes: { site: 'north' }, includeResourceAttributes: false },
    },
    drover: { agent: { kind: 'process', ...settings } },
  })
  agent = createAgent(config, testDeps())
  events = new Events(agent)
  return agent.bootstrap(testUid, signal)
}

const sources = (body: string): ConfigSources => ({ ...noSources, remote: [{ name: 'program.conf', contentType: 'text/plain', body }] })
const run = async (body: string): Promise<void> => agent.run(agent.compose(sources(body)))

async function logged(text: string): Promise<void> {
  const watcher = watch(folder.path)
  try {
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = async () => {
      if ((await readFile(join(folder.path, 'agent.log'), 'utf8').catch(() => '')).includes(text)) resolve()
    }
    watcher.on('change', () => void look())
    await look()
    await promise
  } finally {
    watcher.close()
  }
}

describe('a program that a file describes', () => {
  it('is described by its file, its version command and the machine, and starts nothing for that [AD-01] [AD-04] [AD-05]', async () => {
    const { description, components } = await bootstrapped()
    expect(attributesToJson(description.identifyingAttributes)).toEqual({
      'service.instance.id': testUid,
      'service.name': 'test-program',
      'service.version': '1.2.3',
    })
    expect(attributesToJson(description.nonIdentifyingAttributes)).toMatchObject({
      'host.name': expect.any(String) as string,
      'os.type': process.platform,
      site: 'north',
    })
    expect([components, agent.pid, events.all]).toEqual([undefined, undefined, []])
  })

  it('has the version of its file, or none when nothing prints one', async () => {
    expect(attributesToJson((await bootstrapped({ version: '9' })).description.identifyingAttributes)['service.version']).toBe('9')
    await agent[Symbol.asyncDispose]()
    const { description } = await bootstrapped({ versionCommand: ['/no/such/program'] })
    expect(attributesToJson(description.identifyingAttributes)).not.toHaveProperty('service.version')
  })

  it('runs the offered file, is healthy while it runs, and that file is its effective configuration [RC-13] [RC-14]', async () => {
    await bootstrapped()
    await run('name=one\n')
    expect((await events.next('started')).pid).toBe(agent.pid)
    const { config } = await events.next('effective-config')
    expect(new TextDecoder().decode(config.configMap?.configMap['']?.body)).toBe('name=one\n')
    expect(config.configMap?.configMap['']?.contentType).toBe('text/plain')
    await events.healthy()
    await logged('runs with one')
    expect(await readFile(configFile, 'utf8')).toBe('name=one\n')
    expect((await stat(configFile)).mode & 0o777).toBe(0o600)
  })

  it('is asked whether it would take a configuration, beside the one that runs', async () => {
    await bootstrapped()
    await run('name=one\n')
    expect(await agent.validate(agent.compose(sources('name=two\n')), signal)).toBeUndefined()
    expect(await agent.validate(agent.compose(sources('invalid=no password: hunter2222\n')), signal)).toEqual({
      reason: 'test-program refuses the configuration (exit code 2): line 1: no password: [REDACTED]',
      logTail: 'Error: line 1: no password: [REDACTED]',
    })
    expect(await readFile(configFile, 'utf8')).toBe('name=one\n')
    expect((await folder.names()).filter((name) => name.includes('candidate'))).toEqual([])
  })

  it('is not asked where it has no command for it', async () => {
    agent = createAgent(
      testConfig({ executable: node, storageDirectory: folder.path, drover: { agent: { kind: 'process', name: 'x', configFile } } }),
      testDeps(),
    )
    expect(await agent.validate(agent.compose(sources('invalid=no\n')), signal)).toBeUndefined()
  })

  it('is restarted for another configuration, and reloads it where it can', async () => {
    await bootstrapped()
    await run('name=one\n')
    const first = agent.pid
    await run('name=two\n')
    expect(agent.pid).not.toBe(first)
    await logged('runs with two')
    await agent[Symbol.asyncDispose]()
    await bootstrapped(reloadBySignal)
    await run('name=three\n')
    await logged('runs with three')
    await events.healthy()
    const pid = agent.pid
    await run('name=four\n')
    await logged('now runs with four')
    expect(agent.pid).toBe(pid)
  })

  it('may be reloaded by a command; what the command refuses was not run', async () => {
    const command = ['/bin/sh', '-c', 'if grep -q bad "$1"; then echo "Error: no reload, it is bad"; exit 1; fi', 'sh', '{config}']
    await bootstrapped({ reload: { kind: 'command', command } })
    await run('name=one\n')
    const { pid } = agent
    await events.healthy()
    await run('name=two\n')
    await expect(run('name=bad\n')).rejects.toThrow(new AgentStartError('test-program did not reload its configuration (exit code 1): no reload, it is bad'))
    expect(agent.pid).toBe(pid)
    await events.healthy()
    expect(await readFile(configFile, 'utf8')).toBe('name=two\n')
    await agent.restart()
    await logged('runs with two')
  })

  it('tells why it crashed', async () => {
    await bootstrapped()
    await run('name=one\ncrash=no memory left\n')
    expect(await events.next('crashed')).toMatchObject({ exitCode: 2, rejection: { reason: 'test-program ended with exit code 2: fatal: no memory left' } })
    await run('name=two\n')
    await agent.restart()
    expect(agent.pid).toBeDefined()
  })

  it('runs the file that is there until one is offered, does not show its secrets, and keeps it', async () => {
    await writeFile(configFile, 'name=local\npassword=hunter2222\n')
    await chmod(configFile, 0o640)
    await bootstrapped()
    await agent.run(agent.compose(noSources))
    const { config } = await events.next('effective-config')
    expect(new TextDecoder().decode(config.configMap?.configMap['']?.body)).toBe('name=local\npassword=[REDACTED]\n')
    expect(await readFile(configFile, 'utf8')).toContain('hunter2222')
    await run('name=offered\n')
    expect((await stat(configFile)).mode & 0o777).toBe(0o640)
    expect(await readFile(join(folder.path, 'original.conf'), 'utf8')).toBe('name=local\npassword=hunter2222\n')
    await run('name=other\n')
    expect(agent.compose(noSources).text).toContain('name=local')
  })

  it('is stopped when nothing is to run', async () => {
    await bootstrapped()
    await run('name=one\n')
    await agent.run(agent.compose({ ...noSources, remote: [] }))
    expect(agent.pid).toBeUndefined()
    await agent.restart()
    expect(agent.pid).toBeUndefined()
    const configs = events.all.flatMap((event) => (event.kind === 'effective-config' ? [Object.keys(event.config.configMap?.configMap ?? {})] : []))
    expect(configs).toEqual([[''], []])
  })

  it('is described anew under another uid, and goes on running', async () => {
    await bootstrapped()
    await run('name=one\n')
    const { pid } = agent
    const uid = parseInstanceUid('01939b3c-7d2e-7c3a-9f00-0123456789cc')
    const composed = agent.compose({ ...sources('name=one\n'), instanceUid: uid })
    expect(composed.fingerprint).toBe(agent.compose({ ...sources('name=one\n'), instanceUid: uid }).fingerprint)
    const { description } = await events.next('description')
    expect(attributesToJson(description.identifyingAttributes)['service.instance.id']).toBe(uid)
    expect(agent.pid).toBe(pid)
  })

  it('says that its file cannot be written, and goes on running', async () => {
    await bootstrapped()
    await run('name=one\n')
    const { pid } = agent
    await mkdir(`${configFile}.new`)
    await expect(run('name=two\n')).rejects.toThrow(`cannot write ${configFile}`)
    expect(agent.pid).toBe(pid)
    // What is on disk already needs no writing.
    await run('name=one\n')
    await events.healthy()
  })
})
