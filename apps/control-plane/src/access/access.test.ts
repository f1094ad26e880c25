/** Sign-in, sessions, tokens and guesses, over real HTTP and a real store. */
import { statSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { startTestConsole } from '../test-console.ts'
import type { TestConsole } from '../test-console.ts'

let console: TestConsole
beforeEach(async () => {
  console = await startTestConsole()
})
afterEach(() => console[Symbol.asyncDispose]())

const json = { 'content-type': 'application/json' }
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const signIn = (code: string, headers: Record<string, string> = {}) =>
  console.fetch('/api/v1/session', { method: 'POST', headers: { ...json, origin: console.origin, ...headers }, body: JSON.stringify({ code }) })
const codeOf = (url: string) => url.split('#code=')[1] ?? ''
const agent = (token: string | undefined, remoteAddress = '10.0.0.1') =>
  console.access.authenticateAgent({ headers: token === undefined ? {} : { authorization: `Bearer ${token}` }, remoteAddress })

async function openSession(code?: string): Promise<{ cookie: string; csrfToken: string; setCookie: string }> {
  const response = await signIn(code ?? codeOf(await console.access.createSignInUrl('administrator')))
  expect(response.status).toBe(201)
  const setCookie = response.headers.get('set-cookie') ?? ''
  const { csrfToken } = (await response.json()) as { csrfToken: string }
  return { cookie: setCookie.split(';')[0] ?? '', csrfToken, setCookie }
}

describe('what an API token let in', () => {
  const signInLink = async (headers: Record<string, string>) =>
    codeOf(((await (await console.fetch('/api/v1/sign-in-links', { method: 'POST', headers })).json()) as { url: string }).url)
  const newToken = async (expiresInSeconds: number | null = null) =>
    (await console.api.createApiToken({ body: { name: 'script', access: 'write', expiresInSeconds } })).data
  const statusOf = async (cookie: string) => (await console.fetch('/api/v1/session', { headers: { cookie } })).status

  it('ends when the token is revoked: its links, its sessions, and the links of those', async () => {
    const { id, token } = await newToken()
    const session = await openSession(await signInLink(bearer(token)))
    const unused = await signInLink(bearer(token))
    const ofSession = await signInLink({ cookie: session.cookie, origin: console.origin, 'x-csrf-token': session.csrfToken })
    const administrator = await openSession()
    await console.api.revokeApiToken({ params: { id } })
    expect(await statusOf(session.cookie)).toBe(401)
    expect((await signIn(unused)).status).toBe(401)
    expect((await signIn(ofSession)).status).toBe(401)
    expect(await statusOf(administrator.cookie)).toBe(200)
  })

  it('ends when the token expires', async () => {
    const { token } = await newToken(3600)
    const session = await openSession(await signInLink(bearer(token)))
    console.clock.time += 3_599_000
    const late = await signInLink(bearer(token))
    expect(await statusOf(session.cookie)).toBe(200)
    console.clock.time += 1_000
    expect(await statusOf(session.cookie)).toBe(401)
    expect((await signIn(late)).status).toBe(401)
  })
})

describe('a stream of events', () => {
  const open = async (headers: Record<string, string>) => {
    const response = await console.fetch('/api/v1/events/stream', { headers })
    expect(response.status).toBe(200)
    return response
  }

  it('ends when its API token is revoked, and no other does', async () => {
    const { id, token } = (await console.api.createApiToken({ body: { name: 'follower' } })).data
    const stream = await open(bearer(token))
    const other = await open(bearer(console.token))
    await console.api.revokeApiToken({ params: { id } })
    expect(await stream.text()).toContain(': following')
    await console.api.createApiToken({ body: { name: 'another' } })
    const reader = other.body?.getReader()
    for (let text = ''; !text.includes('another'); ) text += new TextDecoder().decode((await reader?.read())?.value)
    await reader?.cancel()
  })

  it('ends when its person signs out', async () => {
    const { cookie, csrfToken } = await openSession()
    const stream = await open({ cookie })
    await console.fetch('/api/v1/session', { method: 'DELETE', headers: { cookie, origin: console.origin, 'x-csrf-token': csrfToken } })
    expect(await stream.text()).toContain(': following')
  })

  it('ends when what opened it expires', async () => {
    const { token } = (await console.api.createApiToken({ body: { name: 'follower', expiresInSeconds: 60 } })).data
    const { cookie } = await openSession()
    const ofToken = await open(bearer(token))
    const ofPerson = await open({ cookie })
    console.clock.time += 60_000
    console.access.cutExpired()
    expect(await ofToken.text()).toContain(': following')
    console.clock.time += 7 * 24 * 3_600_000
    console.access.cutExpired()
    expect(await ofPerson.text()).toContain(': following')
  })
})

describe('signing in', () => {
  it('makes a session from a one-time link, in a cookie that scripts and other sites cannot use', async () => {
    const { cookie, setCookie } = await openSession()
    expect(setCookie).toMatch(/^drover_session=drover_session_[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Expires=/)
    const session = await console.fetch('/api/v1/session', { headers: { cookie } })
    expect(await session.json()).toMatchObject({ name: 'administrator', access: 'write' })
  })

  it('works once for each link', async () => {
    const code = codeOf(await console.access.createSignInUrl('administrator'))
    expect((await signIn(code)).status).toBe(201)
    const again = await signIn(code)
    expect(again.status).toBe(401)
    expect(await again.json()).toMatchObject({ code: 'unauthenticated', detail: expect.stringContaining('works once') })
  })

  it('lets only one of two simultaneous calls with a link through', async () => {
    const code = codeOf(await console.access.createSignInUrl('administrator'))
    const answers = await Promise.all([signIn(code), signIn(code), signIn(code)])
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([201, 401, 401])
  })

  it('works for ten minutes', async () => {
    const code = codeOf(await console.access.createSignInUrl('administrator'))
    console.clock.time += 10 * 60_000
    expect((await signIn(code)).status).toBe(401)
  })

  it('is refused from a foreign page', async () => {
    const code = codeOf(await console.access.createSignInUrl('administrator'))
    expect((await signIn(code, { origin: 'https://evil.example' })).status).toBe(403)
    expect((await signIn(code)).status).toBe(201)
  })

  it('ends with the session: signed out, or after a week', async () => {
    const { cookie, csrfToken } = await openSession()
    const out = await console.fetch('/api/v1/session', { method: 'DELETE', headers: { cookie, origin: console.origin, 'x-csrf-token': csrfToken } })
    expect(out.status).toBe(204)
    expect((await console.fetch('/api/v1/session', { headers: { cookie } })).status).toBe(401)

    const other = await openSession()
    console.clock.time += 7 * 24 * 3_600_000
    expect((await console.fetch('/api/v1/session', { headers: { cookie: other.cookie } })).status).toBe(401)
  })

  it('slows down who guesses, and lets a right code through all the same', async () => {
    const answers: number[] = []
    for (let n = 0; n < 22; n++) answers.push((await signIn(`guess-${n}`)).status)
    expect(answers.slice(0, 20).every((status) => status === 401)).toBe(true)
    expect(answers.slice(20)).toEqual([429, 429])
    const throttled = await signIn('guess')
    expect(Number(throttled.headers.get('retry-after'))).toBeGreaterThan(0)
    await openSession()
    console.clock.time += 60_000
    expect((await signIn('guess')).status).toBe(401)
    // Whoever knocks cannot fill the event log.
    const refusals = await console.events.page({ filter: { kinds: ['access.refused'] }, limit: 100 })
    expect(refusals.total).toBeLessThanOrEqual(12)
  })
})

describe('a session cookie', () => {
  const change = (headers: Record<string, string>) =>
    console.fetch('/api/v1/enrolment-tokens', { method: 'POST', headers: { ...json, ...headers }, body: '{"name":"x"}' })

  it('changes things only with Origin and CSRF token of our own pages', async () => {
    const { cookie, csrfToken } = await openSession()
    const ours = { cookie, origin: console.origin, 'x-csrf-token': csrfToken }
    const refused = async (headers: Record<string, string>) => {
      const answer = await change(headers)
      return [answer.status, ((await answer.json()) as { code: string }).code]
    }
    expect(await refused({ cookie, origin: console.origin })).toEqual([403, 'csrf'])
    expect(await refused({ ...ours, 'x-csrf-token': 'wrong' })).toEqual([403, 'csrf'])
    expect(await refused({ ...ours, origin: 'https://evil.example' })).toEqual([403, 'foreign-origin'])
    expect(await refused({ ...ours, origin: 'null' })).toEqual([403, 'foreign-origin'])
    expect(await refused({ ...ours, 'sec-fetch-site': 'cross-site' })).toEqual([403, 'foreign-origin'])
    expect(await refused({ ...ours, 'sec-fetch-site': 'same-site' })).toEqual([403, 'foreign-origin'])
    expect((await change(ours)).status).toBe(201)
    expect((await change({ ...ours, 'sec-fetch-site': 'same-origin' })).status).toBe(201)
  })

  it('reads nothing for another site', async () => {
    const { cookie } = await openSession()
    expect((await console.fetch('/api/v1/configs', { headers: { cookie, 'sec-fetch-site': 'cross-site' } })).status).toBe(403)
    expect((await console.fetch('/api/v1/configs', { headers: { cookie } })).status).toBe(200)
  })
})

describe('API tokens', () => {
  it('begin with one in a file that only its owner can read', () => {
    expect(statSync(`${console.test.dir}/admin.token`).mode & 0o777).toBe(0o600)
    expect(console.token).toMatch(/^drover_api_[\w-]{43}$/)
  })

  it('are asked for everywhere except where the contract says public', async () => {
    for (const path of ['/api/v1/configs', '/api/v1/status', '/api/v1/events/stream', '/api/v1/enrolment-tokens']) {
      const answer = await console.fetch(path)
      expect([path, answer.status, answer.headers.get('www-authenticate')]).toEqual([path, 401, 'Bearer realm="drover"'])
    }
    expect((await console.fetch('/api/v1/status', { headers: bearer('drover_api_wrong') })).status).toBe(401)
    expect((await console.fetch('/api/v1/openapi.json')).status).toBe(200)
  })

  it('that may only read cannot change anything', async () => {
    const { token } = (await console.api.createApiToken({ body: { name: 'viewer' } })).data
    expect((await console.fetch('/api/v1/configs', { headers: bearer(token) })).status).toBe(200)
    const answer = await console.fetch('/api/v1/enrolment-tokens', { method: 'POST', headers: { ...json, ...bearer(token) }, body: '{"name":"x"}' })
    expect(answer.status).toBe(403)
    expect(await answer.json()).toMatchObject({ code: 'read-only-access', detail: expect.stringContaining('viewer') })
  })

  it('end when they are revoked or expire, and an agent token is none', async () => {
    const created = (await console.api.createApiToken({ body: { name: 'ci', access: 'write', expiresInSeconds: 60 } })).data
    const status = async (token: string) => (await console.fetch('/api/v1/configs', { headers: bearer(token) })).status
    expect(await status(created.token)).toBe(200)
    console.clock.time += 60_000
    expect(await status(created.token)).toBe(401)
    expect((await console.api.listApiTokens({})).data.items.find((token) => token.id === created.id)?.state).toBe('expired')

    const other = (await console.api.createApiToken({ body: { name: 'ci2' } })).data
    await console.api.revokeApiToken({ params: { id: other.id } })
    expect(await status(other.token)).toBe(401)
    const enrolment = (await console.api.createEnrolmentToken({ body: { name: 'agents' } })).data
    expect(await status(enrolment.token)).toBe(401)
  })

  it('are in the store only as hashes, also in the answers kept for repeated calls', async () => {
    const { token } = (await console.api.createApiToken({ body: { name: 'ci' }, idempotencyKey: 'k1' })).data
    const rows = console.test.database.handle.prepare('select hex(answer) as answer from idempotency_keys').all()
    expect(rows).toHaveLength(1)
    for (const table of ['tokens', 'events', 'idempotency_keys']) {
      const text = JSON.stringify(console.test.database.handle.prepare(`select * from ${table}`).all())
      expect(text).not.toContain(token)
    }
    expect(String(rows[0]?.['answer'])).not.toContain(Buffer.from(token).toString('hex').toUpperCase())
  })
})

describe('enrolment tokens', () => {
  it('admit agents without reading the store, and are refused when wrong', async () => {
    const { id, token } = (await console.api.createEnrolmentToken({ body: { name: 'site' } })).data
    const before = { ...console.test.operations }
    expect(agent(token)).toEqual({ kind: 'accept', principal: id })
    expect(console.test.operations).toEqual(before)
    expect(agent(undefined)).toMatchObject({ kind: 'reject', status: 401 })
    expect(agent('drover_agent_wrong')).toMatchObject({ kind: 'reject', status: 401 })
    expect(agent(console.token)).toMatchObject({ kind: 'reject', status: 401 })
    expect(console.access.authenticateAgent({ headers: { ...bearer(token), origin: 'https://evil.example' }, remoteAddress: '' })).toMatchObject({
      kind: 'reject',
      status: 403,
    })
  })

  it('that are revoked cut their agents, also after a restart of the store', async () => {
    const { id, token } = (await console.api.createEnrolmentToken({ body: { name: 'site' } })).data
    await console.api.revokeEnrolmentToken({ params: { id } })
    expect(console.disconnected).toEqual([id])
    expect(agent(token)).toMatchObject({ kind: 'reject', status: 401, message: expect.stringContaining('revoked') })
    const row = await console.test.store.read.selectFrom('tokens').select('revoked_at').where('id', '=', id).executeTakeFirst()
    expect(row?.revoked_at).toBe(console.clock.time)
    await console.api.revokeEnrolmentToken({ params: { id } })
    expect(console.disconnected).toEqual([id])
    expect((await console.api.listEnrolmentTokens({})).data.items).toMatchObject([{ id, state: 'revoked' }])
  })

  it('that expire cut their agents with the next round of housekeeping', async () => {
    const { id, token } = (await console.api.createEnrolmentToken({ body: { name: 'short', expiresInSeconds: 60 } })).data
    expect(agent(token)).toMatchObject({ kind: 'accept' })
    console.clock.time += 60_000
    expect(agent(token)).toMatchObject({ kind: 'reject', message: expect.stringContaining('expired') })
    console.access.cutExpired()
    console.access.cutExpired()
    expect(console.disconnected).toEqual([id])
  })

  it('throttle one source of wrong tokens, not the right token from there', async () => {
    const { token } = (await console.api.createEnrolmentToken({ body: { name: 'site' } })).data
    for (let n = 0; n < 20; n++) expect(agent(`wrong-${n}`)).toMatchObject({ status: 401 })
    expect(agent('wrong')).toMatchObject({ kind: 'reject', status: 429, retryAfterSeconds: expect.any(Number) })
    expect(agent('wrong', '10.0.0.2')).toMatchObject({ status: 401 })
    expect(agent(token)).toMatchObject({ kind: 'accept' })
  })

  it('come with files to paste that are complete YAML with two lines to adapt', async () => {
    const { data } = await console.api.createEnrolmentToken({ body: { name: 'first\n  evil: true' } })
    expect(parse(data.snippets.supervisor)).toEqual({
      server: { endpoint: 'ws://127.0.0.1:4320/v1/opamp', headers: { Authorization: [`Bearer ${data.token}`] } },
      capabilities: {
        accepts_remote_config: true,
        reports_remote_config: true,
        reports_effective_config: true,
        reports_health: true,
        reports_available_components: true,
        reports_heartbeat: true,
        accepts_restart_command: true,
        reports_own_metrics: true,
        reports_own_logs: true,
      },
      agent: {
        executable: expect.any(String),
        config_apply_timeout: '10s',
        bootstrap_timeout: '15s',
        env: { OTEL_METRIC_EXPORT_INTERVAL: '10000' },
      },
      storage: { directory: expect.any(String) },
    })
    for (const key of ['executable:', 'directory:']) expect(data.snippets.supervisor.split('\n').filter((line) => line.trim().startsWith(key))).toHaveLength(1)
    expect(parse(data.snippets.extension)).toMatchObject({
      extensions: { opamp: { server: { ws: { endpoint: data.endpoint, headers: { Authorization: `Bearer ${data.token}` } } } } },
      service: { extensions: ['opamp'] },
    })
    expect(data.snippets.extension).not.toContain('\n  evil')
  })

  it('show how many agents use them and when they were last used, page by page', async () => {
    const first = (await console.api.createEnrolmentToken({ body: { name: 'one' } })).data
    console.clock.time += 1000
    await console.api.createEnrolmentToken({ body: { name: 'two' } })
    console.fleet.connected.set(first.id, 3)
    agent(first.token)
    await console.access.prune()
    const newest = (await console.api.listEnrolmentTokens({ query: { limit: 1 } })).data
    expect(newest).toMatchObject({ total: 2, items: [{ name: 'two', lastUsedAt: null }] })
    const oldest = (await console.api.listEnrolmentTokens({ query: { limit: 1, cursor: newest.nextCursor ?? '' } })).data
    expect(oldest).toMatchObject({ nextCursor: null, items: [{ name: 'one', connectedAgents: 3, lastUsedAt: new Date(console.clock.time).toISOString() }] })
    expect(await console.test.store.read.selectFrom('tokens').select('last_used_at').where('id', '=', first.id).executeTakeFirst()).toEqual({
      last_used_at: console.clock.time,
    })
  })
})
