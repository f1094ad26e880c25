/** What rollouts need and tell besides: secrets, templates, webhooks, and what agents tell of themselves. */
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { good, quickPlan, startFixture } from './test-rollouts.ts'
import type { Fixture } from './test-rollouts.ts'

let fixture: Fixture
const drover: Fixture['drover'] = (...given) => fixture.drover(...given)
const json: Fixture['json'] = (args) => fixture.json(args)

beforeAll(async () => {
  fixture = await startFixture({ agents: 2, flags: { 'outgoing-allow': '127.0.0.1' } })
  writeFileSync(join(fixture.folder, 'quick.yaml'), quickPlan)
})
afterAll(() => fixture[Symbol.asyncDispose]())

describe('secrets', () => {
  const value = 'correct-horse-battery'
  const shown: string[] = []
  const kept = async (...args: Parameters<typeof drover>) => {
    const result = await drover(...args)
    shown.push(result.stdout, result.stderr)
    return result
  }

  it('are set from stdin or a file, never from the command line, and their values are never printed', async () => {
    expect(await kept(['secrets', 'set', 'api_key', '--description', 'of the backend'], { stdin: `${value}\n` })).toMatchObject({
      code: 0,
      stdout: 'api_key@1\n',
    })
    writeFileSync(join(fixture.folder, 'key.txt'), `${value}-2\n`)
    expect(await kept(['secrets', 'set', 'api_key', '--file', 'key.txt'])).toMatchObject({ code: 0, stdout: 'api_key@2\n' })
    expect(await kept(['secrets', 'set', 'api_key'], { stdin: '' })).toMatchObject({ code: 1, stderr: 'drover: the value is empty\n' })
    expect(await kept(['secrets', 'set', 'api_key', value])).toMatchObject({ code: 2 })
    expect(await kept(['secrets', 'set', 'api-key'], { stdin: value })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('letters, digits or underscores'),
    })
    expect((await kept(['secrets', 'list'])).stdout).toMatch(/^NAME .*\napi_key +2 .* of the backend *\n$/)
    await kept(['secrets', 'list', '-o', 'json'])
    await kept(['events', '--limit', '500', '-o', 'json'])
    expect(shown.join('')).not.toContain(value)
  })

  it('are filled in for agents, and in use they cannot be deleted', async () => {
    const body = good.replace('debug: {}', 'otlp:\n    endpoint: a:1\n    headers: { x-key: "${drover:secret.api_key}" }').replace('[debug]', '[otlp]')
    expect(await kept(['configs', 'create', 'gateway', '--file', '-'], { stdin: body })).toMatchObject({ code: 0 })
    expect(await kept(['groups', 'create', 'all', '--selector', '*', '--config', 'gateway', '--plan', 'quick.yaml'])).toMatchObject({ code: 0 })
    expect(await kept(['rollouts', 'watch', 'all', '-o', 'json'])).toMatchObject({ code: 0 })
    expect(await kept(['secrets', 'delete', 'api_key', '--yes'])).toMatchObject({ code: 1, stderr: expect.stringContaining('all') })
    expect(await kept(['secrets', 'set', 'api_key'], { stdin: `${value}-3` })).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('drover groups set all --secrets latest'),
    })
    expect(await kept(['groups', 'set', 'all', '--secrets', 'latest', '--plan', 'quick.yaml'])).toMatchObject({ code: 0, stdout: 'all (revision 2)\n' })
    expect(await kept(['rollouts', 'watch', 'all'])).toMatchObject({ code: 0 })
    const [{ name }] = (await json(['agents', 'list'])).items
    expect((await kept(['configs', 'render', '--agent', name])).stdout).toContain('x-key')
    await kept(['agents', 'show', name, '-o', 'json'])
    await kept(['groups', 'show', 'all', '-o', 'json'])
    expect(shown.join('')).not.toContain(value)
  })

  it('are deleted when no group uses them', async () => {
    await drover(['secrets', 'set', 'unused'], { stdin: 'a' })
    expect(await drover(['secrets', 'delete', 'unused'])).toMatchObject({ code: 2 })
    expect(await drover(['secrets', 'delete', 'unused', '--yes'])).toMatchObject({ code: 0, stderr: 'Secret "unused" is deleted.\n' })
    expect(await drover(['secrets', 'delete', 'unused', '--yes'])).toMatchObject({ code: 1 })
  })
})

describe('templates', () => {
  it('are listed, and their text makes a config', async () => {
    const { items } = await json(['templates', 'list'])
    expect(items.length).toBeGreaterThanOrEqual(10)
    const shown = await drover(['templates', 'show', 'otlp-gateway'])
    expect(shown).toMatchObject({ code: 0, stderr: expect.stringContaining('Set in the group: --variable ') })
    expect(await drover(['configs', 'create', 'from-template', '--file', '-'], { stdin: shown.stdout })).toMatchObject({ code: 0, stdout: 'from-template@1\n' })
    expect(await drover(['templates', 'show', 'nothing'])).toMatchObject({
      code: 1,
      stderr: 'drover: there is no template "nothing"; drover templates list shows them\n',
    })
  })
})

describe('webhooks', () => {
  interface Call {
    readonly headers: IncomingHttpHeaders
    readonly body: string
  }
  const calls: Call[] = []
  let status = 200
  let receiver: Server
  let url: string
  let called: (() => void) | undefined
  beforeAll(async () => {
    receiver = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (text: string) => void (body += text))
      request.on('end', () => {
        calls.push({ headers: request.headers, body })
        response.statusCode = status
        response.end()
        called?.()
      })
    })
    receiver.listen(0, '127.0.0.1')
    await once(receiver, 'listening')
    url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook` // as: it listens on TCP
  })
  afterAll(() => {
    receiver.closeAllConnections()
    receiver.close()
  })
  const untilCall = async (fits: (call: Call) => boolean): Promise<Call> => {
    for (;;) {
      const found = calls.find(fits)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        called = resolve
      })
    }
  }
  const isSigned = ({ headers, body }: Call, secret: string): boolean => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
    const signed = createHmac('sha256', key)
      .update(`${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`)
      .digest('base64')
    return String(headers['webhook-signature']).split(' ').includes(`v1,${signed}`)
  }

  it('are made, tried, called with a signature, and show what became of each call', async () => {
    expect(await drover(['webhooks', 'create', 'pager', '--to', url])).toMatchObject({ code: 2, stderr: expect.stringContaining('--events') })
    const made = await drover(['webhooks', 'create', 'pager', '--to', url, '--events', 'rollout, attempt.failed'])
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^whsec_\S+\n$/) })
    const secret = made.stdout.trim()
    expect(await drover(['webhooks', 'test', 'pager'])).toMatchObject({ code: 0, stdout: 'delivered, HTTP 200\n' })
    const [tried] = calls
    expect(tried !== undefined && isSigned(tried, secret)).toBe(true)
    await drover(['groups', 'set', 'all', '--variable', 'site=ber', '--plan', 'quick.yaml'])
    const completed = await untilCall(({ body }) => body.includes('rollout.completed'))
    expect(isSigned(completed, secret)).toBe(true)
    const list = await drover(['webhooks', 'list'])
    expect(list.stdout).toMatch(/pager +http:\/\/127\.0\.0\.1:\d+\/hook +rollout attempt\.failed +yes/)
    expect(list.stdout).not.toContain(secret)
    const { items } = await json(['webhooks', 'deliveries', 'pager'])
    const [newest] = items
    const before = calls.length
    expect(await drover(['webhooks', 'deliveries', 'pager', '--again', String(newest.id)])).toMatchObject({ code: 0 })
    await untilCall((call) => calls.indexOf(call) >= before)
    expect((await drover(['webhooks', 'deliveries', 'pager'])).stdout).toMatch(/^ *ID +EVENT +STATE.*\n *\d+ +\d+ rollout\.completed +delivered +[12] +200 /)
  })

  it('say what went wrong, and are switched off and deleted', async () => {
    status = 500
    expect(await drover(['webhooks', 'test', 'pager'])).toMatchObject({ code: 1, stdout: 'not delivered, HTTP 500\n', stderr: expect.stringContaining('500') })
    expect(await drover(['webhooks', 'test', 'nobody'])).toMatchObject({ code: 1 })
    expect(await drover(['webhooks', 'create', 'inside', '--to', 'http://10.0.0.1/', '--events', 'rollout'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/http|https|allow/),
    })
    expect(await drover(['webhooks', 'create', 'odd', '--to', url, '--events', 'ROLLOUT!'])).toMatchObject({ code: 1 })
    expect(await drover(['webhooks', 'set', 'pager', '--disable', '--enable'])).toMatchObject({ code: 2 })
    expect(await drover(['webhooks', 'set', 'pager', '--disable'])).toMatchObject({ code: 0 })
    expect((await json(['webhooks', 'list'])).items).toMatchObject([{ name: 'pager', enabled: false, events: ['rollout', 'attempt.failed'] }])
    expect(await drover(['webhooks', 'set', 'nobody', '--enable'])).toMatchObject({
      code: 1,
      stderr: 'drover: there is no webhook "nobody"; drover webhooks list shows them\n',
    })
    expect(await drover(['webhooks', 'delete', 'pager', '--yes'])).toMatchObject({ code: 0 })
    expect((await drover(['webhooks', 'list'])).stderr).toContain('There are no webhooks')
  })
})

describe('what agents tell of themselves', () => {
  it('is shown as numbers over time, and why there are no log lines', async () => {
    const [{ name }] = (await json(['agents', 'list'])).items
    const io = fixture.begin(['agents', 'metrics', name])
    expect(await io.ended).toBe(0)
    const metrics = await json(['agents', 'metrics', name])
    expect(metrics.intervalSeconds).toBe(10)
    expect(await drover(['agents', 'logs', name])).toMatchObject({ code: 0, stdout: '', stderr: 'It sent no log lines within the last hour.\n' })
    expect(await drover(['agents', 'metrics', name, '--range', '2h'])).toMatchObject({ code: 2 })
    expect(await drover(['agents', 'metrics', 'nobody'])).toMatchObject({ code: 1 })
  })
})
