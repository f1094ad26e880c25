/** The supervisor as a process: what it loads, and how it ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stubCollectorExecutable } from '@drover/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runTestCli } from '../src/test-io.ts'

const main = join(import.meta.dirname, '..', 'src', 'main.ts')
let folder: string
let file: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'drover-supervisor-program-'))
  file = join(folder, 'supervisor.yaml')
  const executable = await stubCollectorExecutable(folder)
  // Nobody listens there.
  writeFileSync(
    file,
    `server: {endpoint: "ws://127.0.0.1:9/v1/opamp"}\nagent: {executable: ${executable}, bootstrap_timeout: 20s}\nstorage: {directory: ${join(folder, 'state')}}\n`,
  )
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Writes what was loaded to stderr when the process ends. */
const listModules = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  const loaded = []
  registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context) } })
  process.on('exit', () => process.stderr.write('loaded ' + JSON.stringify(loaded) + '\\n'))`)}`

function start(...args: readonly string[]) {
  const child = spawn(process.execPath, ['--import', listModules, main, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  })
  const written = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (written.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (written.stderr += chunk.toString()))
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => ({ code, signal }))
  const untilLogged = async (text: string) => {
    while (!written.stdout.includes(text))
      await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => Promise.reject(new Error(written.stderr + written.stdout)))])
  }
  return { child, written, ended, untilLogged }
}

describe('drover supervisor', () => {
  it('supervises without a server, says how it is, lets no second one in, and ends with 0 at SIGTERM', async () => {
    const supervisor = start('supervisor', '--config', file)
    await supervisor.untilLogged('Agent is healthy')
    const status = await runTestCli(['supervisor', 'status', '--config', file, '-o', 'json'])
    expect(JSON.parse(status.stdout)).toMatchObject({
      pid: supervisor.child.pid,
      connection: { endpoint: 'ws://127.0.0.1:9/v1/opamp' },
      agent: { pid: expect.any(Number), healthy: true, restarts: 0 },
    })
    const second = start('supervisor', '--config', file)
    expect(await second.ended).toEqual({ code: 1, signal: null })
    expect(second.written.stderr).toContain(
      `drover: another supervisor (process ${supervisor.child.pid}) runs with the storage directory ${join(folder, 'state')}: stop it, or give this one a storage.directory of its own\n`,
    )
    supervisor.child.kill('SIGTERM')
    supervisor.child.kill('SIGTERM')
    expect(await supervisor.ended).toEqual({ code: 0, signal: null })
    expect((await runTestCli(['supervisor', 'status', '--config', file])).code).toBe(1)
    expect(heavyIn(supervisor.written.stderr)).toEqual([])
  })

  it('says in a sentence that the agent cannot be started', async () => {
    const executable = join(folder, 'broken')
    writeFileSync(executable, '#!/nonexistent/interpreter\n', { mode: 0o755 })
    writeFileSync(file, `server: {endpoint: "ws://127.0.0.1:9/v1/opamp"}\nagent: {executable: ${executable}}\nstorage: {directory: ${join(folder, 'state')}}\n`)
    const supervisor = start('supervisor', '--config', file)
    expect(await supervisor.ended).toEqual({ code: 1, signal: null })
    expect(supervisor.written.stderr).toMatch(/^drover: .*broken/m)
    expect(supervisor.written.stderr).not.toMatch(/^\s+at /m)
  })
})

/** A supervisor runs on every host of a fleet, so it must not bring what only the server and its clients need. */
function heavyIn(stderr: string): readonly string[] {
  const list = /^loaded (.*)$/m.exec(stderr)?.[1] ?? '[]'
  const loaded = JSON.parse(list) as string[] // as: written by the hook above
  expect(loaded.length).toBeGreaterThan(50)
  return loaded.filter((url) => /node_modules\/(zod|fastify|pino|kysely|@opentelemetry|@prometheus-io)\/|\/(apps\/control-plane|libs\/api)\//.test(url))
}
