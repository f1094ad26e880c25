import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { endLeftovers, StorageInUseError } from './leftovers.ts'
import { readPidFile, removePidFile, writePidFile } from './pid-file.ts'
import { readProcess } from './process-identity.ts'
import { startProcess } from './running-process.ts'
import type { RunningProcess } from './running-process.ts'
import { shell, untilGone } from './test-programs.ts'

let folder = ''
const supervisors: RunningProcess[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-leftovers-'))
})
afterEach(async () => {
  for (const supervisor of supervisors.splice(0)) await supervisor.kill()
  await end().catch(() => undefined)
  await rm(folder, { recursive: true })
})

/** A supervisor in its own process, with an agent that does not end by its pipes being broken. */
async function startSupervisor(script = 'exec sleep 1000'): Promise<{ supervisor: RunningProcess; agentPid: number }> {
  const heard = shell('', { command: process.execPath, args: [fileURLToPath(new URL('./test-supervisor.ts', import.meta.url)), folder, script] })
  const supervisor = await startProcess(heard.options)
  supervisors.push(supervisor)
  return { supervisor, agentPid: Number((await heard.until(/agent (\d+)\n/))[1]) }
}

async function killed(script?: string): Promise<number> {
  const { supervisor, agentPid } = await startSupervisor(script)
  process.kill(supervisor.pid, 'SIGKILL')
  await supervisor.ended
  return agentPid
}

const end = (stopTimeoutMs = 5_000) => endLeftovers({ storageDirectory: folder, stopTimeoutMs, log: () => undefined })

describe.runIf(process.platform === 'linux')('what a killed supervisor left', () => {
  it('is ended by the next one', async () => {
    const agentPid = await killed()
    expect(readProcess(agentPid)).toBeDefined()
    expect(await end()).toEqual([agentPid])
    expect(readProcess(agentPid)).toBeUndefined()
    expect(readPidFile(folder)).toBeUndefined()
    expect(await end()).toEqual([])
  })

  it('is found where the supervisor was killed before it noted the pid', async () => {
    const agentPid = await killed()
    removePidFile(folder)
    expect(await end()).toEqual([agentPid])
    expect(readProcess(agentPid)).toBeUndefined()
  })

  it('is found where it hides its environment', async () => {
    const agentPid = await killed(`exec env -i /bin/sh -c '/bin/sleep 1000 & echo $! > "${folder}/child"; wait'`)
    const childFile = join(folder, 'child')
    while ((await readFile(childFile, 'utf8').catch(() => '')) === '') await new Promise(setImmediate)
    const child = Number(await readFile(childFile, 'utf8'))
    expect((await end()).toSorted((a, b) => a - b)).toEqual([agentPid, child].toSorted((a, b) => a - b))
    for (const pid of [agentPid, child]) expect(readProcess(pid)).toBeUndefined()
  })

  it('is ended with its children, and killed where it does not end', async () => {
    const agentPid = await killed(`trap "" TERM; (echo here > "${folder}/child"; while :; do sleep 1; done) & while :; do sleep 1; done`)
    // Both ignore the signal from here on: what is ignored is inherited.
    while ((await readFile(join(folder, 'child'), 'utf8').catch(() => '')) === '') await new Promise(setImmediate)
    const pids = await end(200)
    expect(pids).toContain(agentPid)
    expect(pids.length).toBeGreaterThanOrEqual(2)
    for (const pid of pids) expect(readProcess(pid)).toBeUndefined()
  })

  it('is not somebody else with the same pid', async () => {
    const stranger = await startProcess(shell('exec sleep 1000').options)
    writePidFile(folder, stranger.pid)
    const record = readPidFile(folder)
    if (record === undefined) throw new Error('no pid file')
    for (const change of [{ startTicks: '1' }, { bootId: 'the boot before' }]) {
      await writeFile(join(folder, 'agent.pid'), JSON.stringify({ ...record, agent: { ...record.agent, ...change } }))
      expect(await end()).toEqual([])
    }
    expect(stranger.isRunning).toBe(true)
    await stranger.kill()
  })

  it('is left alone while that supervisor runs', async () => {
    const { supervisor, agentPid } = await startSupervisor()
    await expect(end()).rejects.toThrow(StorageInUseError)
    await expect(end()).rejects.toThrow(`pid ${supervisor.pid}`)
    expect(readProcess(agentPid)).toBeDefined()
  })

  it('is nothing where the file says nothing', async () => {
    for (const text of ['', '{"agent":', 'null', '{"agent":{"pid":1,"startTicks":"1","bootId":"x"},"supervisor":{}}']) {
      await writeFile(join(folder, 'agent.pid'), text)
      expect(await end()).toEqual([])
    }
  })

  it('may be ended while somebody waits no longer', async () => {
    const agentPid = await killed('trap "" TERM; while :; do sleep 1; done')
    const controller = new AbortController()
    const ending = endLeftovers({ storageDirectory: folder, stopTimeoutMs: 60_000, log: () => undefined, signal: controller.signal })
    controller.abort(new Error('shutting down'))
    await expect(ending).rejects.toThrow(/abort/i)
    process.kill(agentPid, 'SIGKILL')
    await untilGone(agentPid)
  })
})
