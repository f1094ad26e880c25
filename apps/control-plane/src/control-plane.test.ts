/** The whole program, started and stopped as the command does it. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { createServer, request } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ApiError, createApiClient } from '@drover/api'
import type { RolloutPlan } from '@drover/api'
import { presets } from '@drover/fleet'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from './config/load-config.ts'
import type { ControlPlaneConfig } from './config/options.ts'
import { startControlPlane } from './control-plane.ts'
import { makeTempDir } from './storage/test-store.ts'

let dir: ReturnType<typeof makeTempDir>
beforeEach(() => {
  dir = makeTempDir()
})
afterEach(() => dir.remove())

const configWith = (flags: Record<string, unknown> = {}): ControlPlaneConfig =>
  loadConfig({
    flags: {
      data: join(dir.path, 'data'),
      'agents-listen': '127.0.0.1:0',
      'console-listen': '127.0.0.1:0',
      'ready-file': join(dir.path, 'ready.json'),
      ...flags,
    },
  })
const start = (flags: Record<string, unknown> = {}) => startControlPlane(configWith(flags), { log: pino({ level: 'silent' }), checkAnswers: true })
const readToken = (path: string) => readFileSync(path, 'utf8').trim()
const clientOf = (baseUrl: string, token: string) => createApiClient({ baseUrl, headers: () => ({ authorization: `Bearer ${token}` }) })

/** 101 when the server takes the agent, else its refusal. */
const connectAgent = (url: string, token?: string) =>
  new Promise<{ status: number; socket?: Socket }>((resolve, reject) => {
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': randomBytes(16).toString('base64') }
    const upgrade = request(url.replace('ws:', 'http:'), { headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) } })
    upgrade.once('upgrade', (_response, socket) => resolve({ status: 101, socket: socket.on('data', () => socket.end()) }))
    upgrade.once('response', (response) => resolve({ status: response.resume().statusCode ?? 0 }))
    upgrade.once('error', reject)
    upgrade.end()
  })

describe('startControlPlane', () => {
  it('says that the database is damaged, and where, when it cannot read what is in it', async () => {
    await (await start())[Symbol.asyncDispose]()
    const path = join(dir.path, 'data', 'drover.sqlite')
    using database = new DatabaseSync(path)
    const { rootpage } = database.prepare(`select rootpage from sqlite_master where name = 'tokens'`).get() ?? {}
    const from = (Number(rootpage) - 1) * 4096
    writeFileSync(path, readFileSync(path).fill(0xa5, from, from + 4096))
    await expect(start()).rejects.toThrow(/the database in .*data is damaged: restore a backup/)
  })

  it('refuses plans with gates that would never be asked, wherever a plan is given', async () => {
    const plan = (...urls: readonly string[]): RolloutPlan => ({
      ...structuredClone(presets.careful),
      waves: [{ kind: 'count', count: 1 }],
      weights: [],
      schedule: { notBefore: null, windows: [] },
      gates: urls.map((url) => ({ kind: 'webhook', url })),
    })
    const fields = (call: Promise<unknown>) =>
      call.then(
        () => [],
        (error: unknown) =>
          error instanceof ApiError ? [error.problem.status, ...(error.problem.errors ?? []).map(({ field, message }) => `${field}: ${message}`)] : error,
      )
    {
      await using server = await start()
      const api = clientOf(server.consoleUrl, readToken(server.adminTokenPath))
      const refused = plan('https://hooks.example.com', 'http://127.0.0.1:9/', 'https://169.254.169.254/latest', 'https://[fd00::1]/', 'https://10.0.0.1')
      const option = 'not called; the server’s option --outgoing-allow names the places that may be called besides the public internet'
      expect(await fields(api.createGroup({ body: { name: 'a', selector: '*', plan: refused } }))).toEqual([
        422,
        `body.plan.gates.1.url: 127.0.0.1 is a loopback address: ${option}`,
        `body.plan.gates.2.url: 169.254.169.254 is a link-local address, where clouds keep credentials: ${option}`,
        `body.plan.gates.3.url: fd00::1 is a private address: ${option}`,
        `body.plan.gates.4.url: 10.0.0.1 is a private address: ${option}`,
      ])
      const rollout = { plan: plan('https://localhost/') }
      const atStart = [422, expect.stringMatching(/^body\.rollout\.plan\.gates\.0\.url: localhost is this machine itself: .*--outgoing-allow/)]
      expect(await fields(api.createGroup({ body: { name: 'a', selector: '*', rollout } }))).toEqual(atStart)
      const change = { name: 'a', selector: '*', priority: 0, configs: [] }
      expect(await fields(api.previewRollout({ body: { change, rollout } }))).toEqual(atStart)
    }
    await using server = await start({ 'outgoing-allow': '127.0.0.1' })
    const api = clientOf(server.consoleUrl, readToken(server.adminTokenPath))
    expect(await fields(api.createGroup({ body: { name: 'a', selector: '*', plan: plan('http://127.0.0.1:9/', 'https://localhost/') } }))).toEqual([])
  })

  it('lets right tokens in from an address that wrong ones come from at a high rate', async () => {
    await using server = await start()
    const { data } = await clientOf(server.consoleUrl, readToken(server.adminTokenPath)).createEnrolmentToken({ body: { name: 'hosts' } })
    const statusOf = async (token: string) => (await connectAgent(server.agentsUrl, token)).status
    // So many at once that some of the right ones are heard among the wrong ones, wherever the network puts them.
    const asked = Array.from({ length: 120 }, (_, n) => ({ isRight: n % 4 === 3, status: statusOf(n % 4 === 3 ? data.token : `wrong-${n}`) }))
    const answered = await Promise.all(asked.map(async ({ isRight, status }) => ({ isRight, status: await status })))
    expect(new Set(answered.filter(({ isRight }) => isRight).map(({ status }) => status))).toEqual(new Set([101]))
    expect(answered.filter(({ status }) => status === 401)).toHaveLength(20)
    expect(answered.filter(({ status }) => status === 429)).toHaveLength(70)
  })

  it('makes its data folder, listens on both addresses, says so, and lets go of everything', async () => {
    const server = await start()
    const ready: unknown = JSON.parse(readFileSync(join(dir.path, 'ready.json'), 'utf8'))
    expect(ready).toEqual({ agents: server.agentsUrl, console: server.consoleUrl, pid: process.pid })
    expect(statSync(server.dataDir).mode & 0o777).toBe(0o700)
    expect(statSync(server.adminTokenPath).mode & 0o777).toBe(0o600)
    expect(server.signInUrl).toMatch(new RegExp(`^${server.consoleUrl}/sign-in#code=drover_signin_`))
    const api = clientOf(server.consoleUrl, readToken(server.adminTokenPath))
    expect((await api.getStatus({})).data).toMatchObject({ agentsEndpoint: server.agentsUrl, store: { state: 'ok', schemaVersion: 2 }, agents: { total: 0 } })
    await server.stop()
    await server.stop()
    expect(existsSync(join(dir.path, 'ready.json'))).toBe(false)
    await expect(fetch(server.consoleUrl)).rejects.toThrow('fetch failed')
  })

  it('keeps what was made over a restart, and the admin token with it', async () => {
    const first = await start()
    const token = readToken(first.adminTokenPath)
    await clientOf(first.consoleUrl, token).createConfig({ body: { name: 'base', files: [{ name: 'a.yaml', body: 'extensions:\n  zpages: {}\n' }] } })
    await first.stop()
    const second = await start()
    expect(readToken(second.adminTokenPath)).toBe(token)
    const api = clientOf(second.consoleUrl, token)
    expect((await api.getConfig({ params: { name: 'base' } })).data.latest.version).toBe(1)
    const kinds = (await api.listEvents({})).data.items.map((event) => event.kind)
    expect(kinds).toEqual(['server.started', 'server.stopping', 'config.created', 'server.started', 'token.created'])
    await second.stop()
  })

  it('admits agents by enrolment token only, and cuts them when it is revoked', async () => {
    await using server = await start()
    const api = clientOf(server.consoleUrl, readToken(server.adminTokenPath))
    const { id, token, endpoint } = (await api.createEnrolmentToken({ body: { name: 'site' } })).data
    expect(endpoint).toBe(server.agentsUrl)
    expect((await connectAgent(endpoint)).status).toBe(401)
    expect((await connectAgent(endpoint, readToken(server.adminTokenPath))).status).toBe(401)
    const { status, socket } = await connectAgent(endpoint, token)
    expect(status).toBe(101)
    const closed = new Promise((resolve) => socket?.once('close', resolve))
    await api.revokeEnrolmentToken({ params: { id } })
    await closed
    expect((await connectAgent(endpoint, token)).status).toBe(401)
  })

  it('refuses a data folder that another server works in, and leaves nothing running', async () => {
    await using server = await start()
    await expect(start()).rejects.toThrow(/another Drover server .* uses the data folder/)
    expect((await fetch(`${server.consoleUrl}/healthz`)).status).toBe(200)
  })

  it('says plainly that a port is taken, and can be started again afterwards', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    await expect(start({ 'console-listen': `127.0.0.1:${port}` })).rejects.toThrow(`cannot listen on 127.0.0.1:${port}: another program listens there already`)
    other.close()
    await (await start()).stop()
  })

  it('ends the streams of its readers when it stops, rather than cutting them off', async () => {
    const server = await start()
    const stream = await fetch(`${server.consoleUrl}/api/v1/events/stream?after=0`, {
      headers: { authorization: `Bearer ${readToken(server.adminTokenPath)}` },
    })
    await server.stop()
    // A connection that was cut makes this fail.
    expect(await stream.text()).toContain('server.stopping')
  })
})
