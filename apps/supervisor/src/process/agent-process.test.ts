import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@drover/server'
import type { Clock } from '@drover/server'
import { FakeClock } from '@drover/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { AgentOutput } from './agent-output.ts'
import { AgentProcess } from './agent-process.ts'
import { readPidFile } from './pid-file.ts'
import { readProcess } from './process-identity.ts'
import type { ProcessEnd } from './running-process.ts'
import { polite, staying } from './test-programs.ts'

let folder = ''
let output: AgentOutput
let agent: AgentProcess
let ends: ProcessEnd[] = []
let ended = Promise.withResolvers<void>()
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-process-'))
  ends = []
  ended = Promise.withResolvers()
  output = new AgentOutput({ storageDirectory: folder, passthrough: false, maxFileBytes: 1_000_000, maxFiles: 2, snippetKib: 0, log: () => undefined })
  agent = agentWith(systemClock)
})
afterEach(async () => {
  await agent.stop()
  await output.close()
  await rm(folder, { recursive: true })
})

function agentWith(clock: Clock): AgentProcess {
  return new AgentProcess({
    command: '/bin/sh',
    env: { GREETING: 'hello' },
    storageDirectory: folder,
    stopTimeoutMs: 5_000,
    clock,
    output,
    onUnexpectedEnd: (end) => {
      ends.push(end)
      ended.resolve()
    },
  })
}

const start = (script: string) => agent.start(['-c', script])

it('says how it ended when nobody asked it to, with all that it wrote', async () => {
  const pid = await start('echo "$GREETING"; echo last word >&2; exit 9')
  await ended.promise
  expect(ends).toEqual([{ pid, exitCode: 9, signal: null, ranForMs: expect.any(Number) as number }])
  expect(output.reportTail().split('\n').toSorted()).toEqual(['hello', 'last word'])
  expect(agent.pid).toBeUndefined()
})

it('says nothing of an end that was asked for', async () => {
  await start(polite)
  await agent.stop()
  await start(polite)
  await start('sleep 1000')
  await agent.stop()
  expect([ends, agent.pid, agent.signal('SIGHUP')]).toEqual([[], undefined, false])
})

it('says nothing of an end that was overtaken by a new start', async () => {
  // Another process holds the pipe, so that the output is not read to its end at once.
  await start('setsid sleep 0.3 & exit 1')
  while (agent.pid !== undefined) await new Promise(setImmediate)
  await start('sleep 1000')
  expect(ends).toEqual([])
})

it.runIf(process.platform === 'linux')('has its pid on disk while it runs, for the supervisor alone to read', async () => {
  const pid = await start(staying)
  const record = readPidFile(folder)
  expect([record?.agent.pid, record?.supervisor.pid]).toEqual([pid, process.pid])
  expect(record?.agent.startTicks).toBe(readProcess(pid)?.startTicks)
  expect((await stat(join(folder, 'agent.pid'))).mode & 0o777).toBe(0o600)
  await agent.stop()
  expect(await readdir(folder)).not.toContain('agent.pid')
})

it('starts when what ran before has ended, and waits for no time to pass', async () => {
  agent = agentWith(new FakeClock())
  await start(`trap "exit 0" TERM; echo ready; while :; do sleep 0.01; done`)
  while (!(await readFile(join(folder, 'agent.log'), 'utf8').catch(() => '')).includes('ready')) await new Promise(setImmediate)
  const first = agent.pid
  await start(staying)
  expect(agent.pid).not.toBe(first)
})

it('is not there when it cannot be started', async () => {
  const missing = new AgentProcess({
    command: '/no/such/program',
    env: {},
    storageDirectory: folder,
    stopTimeoutMs: 1_000,
    clock: systemClock,
    output,
    onUnexpectedEnd: () => ended.reject(new Error('it never ran')),
  })
  await expect(missing.start([])).rejects.toMatchObject({ code: 'ENOENT' })
  expect(missing.pid).toBeUndefined()
})
