/** The console listener as machines and browsers meet it: refusals, repeated calls, probes, files. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeTempDir } from '../storage/test-store.ts'
import { startTestConsole } from '../test-console.ts'
import type { TestConsole } from '../test-console.ts'

let console: TestConsole
let built: ReturnType<typeof makeTempDir>
beforeEach(async () => {
  built = makeTempDir()
  console = await startTestConsole({ consoleDir: built.path })
})
afterEach(async () => {
  await console[Symbol.asyncDispose]()
  built.remove()
})

const headers = (more: Record<string, string> = {}) => ({ authorization: `Bearer ${console.token}`, 'content-type': 'application/json', ...more })
const post = (path: string, body: unknown, more: Record<string, string> = {}) =>
  console.fetch(`/api/v1${path}`, { method: 'POST', headers: headers(more), body: typeof body === 'string' ? body : JSON.stringify(body) })
const newConfig = (name: string) => ({ name, files: [{ name: 'a.yaml', body: 'extensions:\n  zpages: {}\n' }] })

/** `fetch` does not let a caller choose the Host header. */
const getWithHost = (host: string) =>
  new Promise<number>((resolve, reject) => {
    request(`${console.origin}/healthz`, { headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })

describe('the console listener', () => {
  it('answers problems with a code, a request id and no inside knowledge', async () => {
    const missing = await console.fetch('/api/v1/configs/none', { headers: headers() })
    expect(missing.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    const problem = (await missing.json()) as Record<string, unknown>
    expect(problem).toEqual({
      type: 'urn:drover:problem:not-found',
      title: 'Not found',
      status: 404,
      code: 'not-found',
      detail: 'there is no config "none"',
      requestId: missing.headers.get('x-request-id'),
    })

    console.test.database.handle.exec('drop table groups')
    const broken = await console.fetch('/api/v1/groups', { headers: headers() })
    expect(broken.status).toBe(500)
    expect(await broken.text()).not.toMatch(/groups|SQL|at .*\.ts/)
  })

  it('answers odd paths without an error of its own', async () => {
    mkdirSync(join(built.path, 'assets'), { recursive: true })
    const statusOf = async (path: string) => (await console.fetch(path, { headers: headers() })).status
    expect(await statusOf(`/api/v1/configs/${'a'.repeat(5_000)}`)).toBe(404)
    expect(await statusOf('/assets/')).toBe(404)
    expect(await statusOf('/assets/%2e')).toBe(404)
    expect(await statusOf('/assets/.hidden')).toBe(404)
    expect(await statusOf('/assets/%00')).toBe(404)
  })

  it('reads no body of a stranger, and only a small one where strangers may call', async () => {
    const stranger = { method: 'POST', headers: { 'content-type': 'application/json' } }
    expect((await console.fetch('/api/v1/configs', { ...stranger, body: '{"name":' })).status).toBe(401)
    expect((await console.fetch('/api/v1/session', { ...stranger, body: JSON.stringify({ code: 'x'.repeat(4096) }) })).status).toBe(413)
  })

  it('refuses what is no JSON, too large, of another type, or at no address', async () => {
    const status = async (answer: Promise<Response>) => {
      const { status: code, headers: answered } = await answer
      expect(answered.get('content-type')).toMatch(/problem\+json/)
      return code
    }
    expect(await status(post('/configs', '{"name":'))).toBe(400)
    expect(await status(post('/configs', '{"__proto__": {"a": 1}}'))).toBe(400)
    expect(await status(post('/configs', 'name=x', { 'content-type': 'application/x-www-form-urlencoded' }))).toBe(415)
    expect(await status(post('/configs', `{"name":"${'x'.repeat(9 * 1024 * 1024)}"}`))).toBe(413)
    expect(await status(console.fetch('/api/v1/nothing', { headers: headers() }))).toBe(404)
    expect(await status(console.fetch('/api/v1/configs', { method: 'PATCH', headers: headers(), body: '{}' }))).toBe(404)
    expect(await status(console.fetch('/api/v1/configs?limit=0&limit=5', { headers: headers() }))).toBe(400)
    expect(await status(console.fetch('/api/v1/%zz', { headers: headers() }))).toBe(400)
  })

  it('tells browsers to trust only its own scripts, on every answer', async () => {
    for (const path of ['/', '/healthz', '/api/v1/openapi.json', '/api/v1/nothing']) {
      const answer = await console.fetch(path)
      expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'self'; script-src 'self'; .*frame-ancestors 'none'/)
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    }
  })

  it('turns away other names for its loopback address', async () => {
    const { port } = new URL(console.origin)
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, '[::1]:80', 'drover.localhost']) expect([host, await getWithHost(host)]).toEqual([host, 200])
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', '127.0.0.1@evil.example'])
      expect([host, await getWithHost(host)]).toEqual([host, 421])
  })

  it('offers probes and metrics without a token', async () => {
    expect(await (await console.fetch('/healthz')).text()).toBe('ok\n')
    expect((await console.fetch('/readyz')).status).toBe(200)
    const metrics = await (await console.fetch('/metrics')).text()
    for (const name of ['drover_store_operations_total{kind="read"}', 'drover_event_loop_delay_seconds{quantile="0.99"}', 'process_resident_memory_bytes'])
      expect(metrics).toContain(name)
  })

  it('says 503 with a reason while the disk is full, still reads, and recovers', async () => {
    const { page_count: pages } = console.test.database.handle.prepare('pragma page_count').get() as { page_count: number }
    console.test.database.handle.exec(`pragma max_page_count = ${pages}`)
    const big = { ...newConfig('big'), files: [{ name: 'a.yaml', body: `# ${randomBytes(100_000).toString('base64')}\nextensions: {}\n` }] }
    const refused = await post('/configs', big)
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('5')
    expect(await refused.json()).toMatchObject({ code: 'store-unavailable', detail: expect.stringContaining('the disk is full') })
    expect((await console.api.getStatus({})).data.store).toMatchObject({ state: 'read-only', detail: 'the disk is full' })
    expect((await console.fetch('/readyz')).status).toBe(503)
    console.test.database.handle.exec('pragma max_page_count = 1000000')
    await expect.poll(async () => (await console.fetch('/readyz')).status, { interval: 5 }).toBe(200)
    expect((await post('/configs', big)).status).toBe(201)
  })
})

describe('a repeated create', () => {
  const key = { 'idempotency-key': 'key-1' }

  it('gives the first answer again and does nothing twice', async () => {
    const first = await post('/enrolment-tokens', { name: 'a' }, key)
    const second = await post('/enrolment-tokens', { name: 'a' }, key)
    expect([first.status, second.status]).toEqual([201, 201])
    expect(await second.json()).toEqual(await first.json())
    expect((await console.api.listEnrolmentTokens({})).data.total).toBe(1)
  })

  it('keeps the ETag of the first answer', async () => {
    const first = await post('/configs', newConfig('a'), key)
    const second = await post('/configs', newConfig('a'), key)
    expect(second.status).toBe(201)
    expect(second.headers.get('etag')).toBe(first.headers.get('etag'))
  })

  it('does the work once when calls arrive together', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => post('/configs', newConfig('a'), key)))
    expect(answers.map((answer) => answer.status)).toEqual([201, 201, 201, 201, 201])
    expect((await console.api.listVersions({ params: { name: 'a' } })).data.total).toBe(1)
  })

  it('is refused with another body, whatever the order of its fields', async () => {
    await post('/enrolment-tokens', { name: 'a', expiresInSeconds: 60 }, key)
    expect((await post('/enrolment-tokens', { expiresInSeconds: 60, name: 'a' }, key)).status).toBe(201)
    const other = await post('/enrolment-tokens', { name: 'b', expiresInSeconds: 60 }, key)
    expect(other.status).toBe(422)
    expect(await other.json()).toMatchObject({ code: 'idempotency-key-reused' })
  })

  it('is tried again when the first one failed', async () => {
    expect((await post('/groups', { name: 'g', selector: '*', configs: [{ config: 'a', version: 1 }] }, key)).status).toBe(422)
    await post('/configs', newConfig('a'))
    expect((await post('/groups', { name: 'g', selector: '*', configs: [{ config: 'a', version: 1 }] }, key)).status).toBe(201)
  })

  it('is a new one for another caller, and after a day', async () => {
    const other = (await console.api.createApiToken({ body: { name: 'other', access: 'write' } })).data.token
    await post('/enrolment-tokens', { name: 'a' }, key)
    await post('/enrolment-tokens', { name: 'a' }, { ...key, authorization: `Bearer ${other}` })
    expect((await console.api.listEnrolmentTokens({})).data.total).toBe(2)
    console.clock.time += 24 * 3_600_000
    await post('/enrolment-tokens', { name: 'a' }, key)
    expect((await console.api.listEnrolmentTokens({})).data.total).toBe(3)
  })
})

describe('the files of the console', () => {
  const build = () => {
    mkdirSync(join(built.path, 'assets'))
    writeFileSync(join(built.path, 'index.html'), '<!doctype html><title>Console</title>')
    writeFileSync(join(built.path, 'icon.svg'), '<svg/>')
    writeFileSync(join(built.path, 'assets', 'main-1234.js'), 'export {}')
  }

  it('are a page that says how to build them as long as they are missing', async () => {
    const answer = await console.fetch('/')
    expect(answer.status).toBe(503)
    expect(await answer.text()).toContain('npm start')
  })

  it('are index.html for every page, hashed assets for ever, and nothing outside the folder', async () => {
    build()
    for (const path of ['/', '/agents', '/configs/base.yaml/versions/3', '/sign-in']) {
      const page = await console.fetch(path)
      expect([path, page.status, page.headers.get('cache-control'), await page.text()]).toEqual([
        path,
        200,
        'no-cache',
        '<!doctype html><title>Console</title>',
      ])
    }
    const asset = await console.fetch('/assets/main-1234.js')
    expect([asset.headers.get('cache-control'), asset.headers.get('content-type')]).toEqual([
      'public, max-age=31536000, immutable',
      'application/javascript; charset=utf-8',
    ])
    expect((await console.fetch('/icon.svg')).headers.get('content-type')).toBe('image/svg+xml')
    expect((await console.fetch('/assets/old-5678.js')).status).toBe(404)
    expect((await console.fetch('/assets/..%2f..%2fadmin.token')).status).toBe(404)
    expect((await console.fetch('/agents', { method: 'POST' })).status).toBe(404)
  })
})
