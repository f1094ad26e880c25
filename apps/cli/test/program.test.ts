/** The command as a process: start and stop of the server, signals, pipes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const main = join(import.meta.dirname, '..', 'src', 'main.ts')
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-program-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } })
  const written = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (written.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (written.stderr += chunk.toString()))
  return { child, written, ended: once(child, 'close').then(([code, signal]: unknown[]) => ({ code, signal })) }
}

const serverArgs = () => [
  'server',
  '--data',
  join(folder, 'data'),
  '--agents-listen',
  '127.0.0.1:0',
  '--console-listen',
  '127.0.0.1:0',
  '--ready-file',
  join(folder, 'ready.json'),
]

async function untilSaid({ child, written }: ReturnType<typeof start>, text: string): Promise<void> {
  while (!written.stderr.includes(text))
    await Promise.race([once(child.stderr, 'data'), once(child, 'exit').then(() => Promise.reject(new Error(written.stderr)))])
}

describe('drover server', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('says where it is and how to sign in, and ends with 0 at %s', async (signal) => {
    const server = start(serverArgs())
    await untilSaid(server, 'Add the first agent')
    expect(server.written.stderr).toMatch(/Console {3}http:\/\/127\.0\.0\.1:\d+\n {2}Agents {4}ws:\/\/127\.0\.0\.1:\d+\/v1\/opamp\n/)
    expect(server.written.stderr).toMatch(/Sign in to the console once with\n {2}http\S+/)
    expect(existsSync(join(folder, 'ready.json'))).toBe(true)
    // Twice at once, as ctrl-c does through npm and the launcher.
    server.child.kill(signal)
    server.child.kill(signal)
    expect(await server.ended).toEqual({ code: 0, signal: null })
  })

  it('says in a sentence what is wrong with its flags', async () => {
    const server = start(['server', '--agents-listen', 'nonsense'])
    expect(await server.ended).toEqual({ code: 2, signal: null })
    expect(server.written.stderr).toMatch(/^drover: --agents-listen: "nonsense" is not HOST:PORT/)
    expect(server.written.stderr).not.toMatch(/^\s+at /m)
  })

  it('says in a sentence that its data folder is in use', async () => {
    const first = start(serverArgs())
    await untilSaid(first, 'Add the first agent')
    const second = start(serverArgs())
    expect(await second.ended).toEqual({ code: 1, signal: null })
    expect(second.written.stderr).toMatch(/^drover: another Drover server \(process \d+\) uses the data folder/)
    first.child.kill()
    await first.ended
  })
})

describe('a pipe that is closed early', () => {
  it('ends the command quietly', async () => {
    const command = start(['agents', 'list', '--help'])
    command.child.stdout.destroy()
    expect(await command.ended).toEqual({ code: 0, signal: null })
    expect(command.written.stderr).toBe('')
  })
})
