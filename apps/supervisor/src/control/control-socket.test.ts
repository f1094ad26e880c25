/** The storage directory has one supervisor, and that one can be asked how it is. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SupervisorRunningError, openControlSocket } from './control-socket.ts'
import { readSupervisorStatus } from './read-status.ts'
import type { SupervisorStatus } from './status.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-control-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const status: SupervisorStatus = {
  pid: process.pid,
  startedAt: '2026-01-02T03:04:05.000Z',
  instanceUid: '01890a5d-ac96-774b-bcce-b302099a8057',
  storageDirectory: '/var/lib/otelcol/supervisor',
  versions: { supervisor: '0.1.0', node: '24.21.0' },
  connection: { state: 'connected', endpoint: 'ws://127.0.0.1:4320/v1/opamp' },
  config: { state: 'none' },
  agent: { kind: 'collector', executable: '/otelcol', restarts: 0, unhealthy: [], parts: 0 },
}

/** A process that opens the socket and says so, or why not. */
function startOther(directory: string) {
  const script = `import { openControlSocket } from ${JSON.stringify(join(import.meta.dirname, 'control-socket.ts'))}
    try { await openControlSocket(${JSON.stringify(directory)}, () => undefined); console.log('open'); setInterval(() => {}, 1000) }
    catch (error) { console.log(error.name) }`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  return { child, said: once(child.stdout, 'data').then(([chunk]: unknown[]) => String(chunk).trim()) }
}

describe('openControlSocket', () => {
  it('serves the status to the owner alone, and is gone when disposed of', async () => {
    const storage = join(folder, 'made', 'on demand')
    {
      await using _socket = await openControlSocket(storage, () => status)
      expect(await readSupervisorStatus(storage)).toEqual({ kind: 'running', pid: process.pid, status })
      expect(statSync(join(storage, 'supervisor.sock')).mode & 0o777).toBe(0o600)
      expect(statSync(join(storage, 'supervisor.lock')).mode & 0o777).toBe(0o600)
      expect(statSync(storage).mode & 0o777).toBe(0o700)
    }
    expect(await readSupervisorStatus(storage)).toEqual({ kind: 'absent' })
    expect(existsSync(join(storage, 'supervisor.sock'))).toBe(false)
  })

  it('writes nothing for the lock, so that a full disk is no obstacle', async () => {
    await using _socket = await openControlSocket(folder, () => status)
    expect(readdirSync(folder).toSorted()).toEqual(['supervisor.lock', 'supervisor.sock'])
    expect(statSync(join(folder, 'supervisor.lock')).size).toBe(0)
  })

  it('says which directory cannot be used', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    await expect(openControlSocket(file, () => status)).rejects.toThrow(`cannot use the storage directory ${file}: EEXIST`)
  })

  it('says that it is starting while there is no status yet', async () => {
    await using _socket = await openControlSocket(folder, () => undefined)
    expect(await readSupervisorStatus(folder)).toEqual({ kind: 'starting', pid: process.pid })
  })

  it('refuses a directory that another supervisor has, and names its process', async () => {
    const other = startOther(folder)
    expect(await other.said).toBe('open')
    const refused = openControlSocket(folder, () => status)
    await expect(refused).rejects.toThrow(SupervisorRunningError)
    await expect(refused).rejects.toThrow(
      `another supervisor (process ${other.child.pid}) runs with the storage directory ${folder}: stop it, or give this one a storage.directory of its own`,
    )
    other.child.kill('SIGKILL')
    await once(other.child, 'exit')
  })

  it('takes over what a killed supervisor left, also when two want to at once', async () => {
    const killed = startOther(folder)
    expect(await killed.said).toBe('open')
    killed.child.kill('SIGKILL')
    await once(killed.child, 'exit')
    expect(existsSync(join(folder, 'supervisor.sock'))).toBe(true)
    expect(await readSupervisorStatus(folder)).toEqual({ kind: 'absent' })
    const others = [startOther(folder), startOther(folder), startOther(folder)]
    expect((await Promise.all(others.map(({ said }) => said))).toSorted()).toEqual(['SupervisorRunningError', 'SupervisorRunningError', 'open'])
    for (const { child } of others) child.kill('SIGKILL')
    await Promise.all(others.map(async ({ child }) => child.exitCode ?? child.signalCode ?? once(child, 'exit')))
  })

  it('reaches a socket in a directory whose path is too long for one', async () => {
    const storage = join(folder, 'x'.repeat(100), 'y'.repeat(100))
    await using _socket = await openControlSocket(storage, () => status)
    expect(await readSupervisorStatus(storage)).toMatchObject({ kind: 'running' })
    expect(existsSync(join(storage, 'supervisor.sock'))).toBe(true)
  })

  it('runs without a status when the socket cannot be made', async () => {
    mkdirSync(join(folder, 'supervisor.sock'))
    const troubles: string[] = []
    await using _socket = await openControlSocket(folder, () => status, { onTrouble: (message) => troubles.push(message) })
    expect(troubles).toEqual([expect.stringMatching(/^cannot serve the status: /)])
  })

  it('answers others while readers say nothing, or too much', async () => {
    await using _socket = await openControlSocket(folder, () => status)
    const idle = Array.from({ length: 10 }, () => createConnection(join(folder, 'supervisor.sock')))
    const loud = createConnection(join(folder, 'supervisor.sock'))
    for (const socket of [...idle, loud]) socket.on('error', () => undefined)
    loud.write('x'.repeat(100_000))
    expect(await readSupervisorStatus(folder)).toMatchObject({ kind: 'running' })
    for (const socket of [...idle, loud]) socket.destroy()
  })
})

describe('readSupervisorStatus', () => {
  async function answered(reply: string | undefined): Promise<unknown> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      if (reply !== undefined) socket.end(reply)
    })
    server.listen(join(folder, 'supervisor.sock'))
    await once(server, 'listening')
    const answer = await readSupervisorStatus(folder, 200)
    server.close()
    return answer
  }

  it('finds none where there is no socket, no directory, or a file in its place', async () => {
    expect(await readSupervisorStatus(folder)).toEqual({ kind: 'absent' })
    expect(await readSupervisorStatus(join(folder, 'nowhere'))).toEqual({ kind: 'absent' })
    writeFileSync(join(folder, 'supervisor.sock'), '')
    expect(await readSupervisorStatus(folder)).toEqual({ kind: 'absent' })
  })

  it.each([
    ['nothing', undefined],
    ['no JSON', 'hello\n'],
    ['another program’s JSON', '{"pid": 1}\n'],
    ['a later version', '{"drover-supervisor": 2, "pid": 1}\n'],
    ['a status without its parts', '{"drover-supervisor": 1, "pid": 1, "status": {"startedAt": "now"}}\n'],
    ['more than there can be', 'x'.repeat(3_000_000)],
  ])('takes %s for silence', async (_title, reply) => {
    expect(await answered(reply)).toEqual({ kind: 'silent' })
  })
})
