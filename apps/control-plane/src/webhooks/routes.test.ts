/** Webhooks over REST: what is refused, tested, changed and sent once more. */
import { ApiError } from '@drover/api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestReceiver } from '../outgoing/test-receiver.ts'
import type { TestReceiver } from '../outgoing/test-receiver.ts'
import { startTestWebhooks } from './test-webhooks.ts'
import type { TestWebhooks } from './test-webhooks.ts'

let receiver: TestReceiver
let test: TestWebhooks
beforeEach(async () => {
  receiver = await startTestReceiver()
  test = await startTestWebhooks()
})
afterEach(async () => {
  await test[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})

const params = { name: 'pager' }
const input = (over: Partial<{ url: string; events: string[]; enabled: boolean }> = {}) => ({ url: `${receiver.url}/s3cret`, events: ['rollout'], ...over })
const create = async () => (await test.api.createWebhook({ body: { ...params, ...input() } })).data
const deliveries = async () => (await test.api.listWebhookDeliveries({ params })).data.items

async function problemOf(call: Promise<unknown>) {
  const error: unknown = await call.catch((thrown: unknown) => thrown)
  if (error instanceof ApiError)
    return { status: error.problem.status, code: error.problem.code, detail: error.problem.detail, fields: error.problem.errors?.map(({ field }) => field) }
  throw new Error('it was not refused', { cause: error })
}

describe('webhooks', () => {
  it('show their secret once, and keep it sealed', async () => {
    const { secret, ...created } = await create()
    expect(secret).toMatch(/^whsec_/)
    expect((await test.api.listWebhooks({})).data).toEqual({ items: [created], nextCursor: null, total: 1 })
    const row = await test.test.store.read.selectFrom('webhooks').selectAll().executeTakeFirstOrThrow()
    expect(Buffer.from(row.sealed_secret).includes(secret)).toBe(false)
    const { events } = await test.events.page({ filter: { kinds: ['webhook'] }, limit: 10 })
    expect(events).toMatchObject([{ kind: 'webhook.created', actor: 'ada', subject: 'pager' }])
    expect(JSON.stringify(events)).not.toContain('s3cret')
    expect(test.webhooks.signingSecret(`${receiver.url}/s3cret`)).toBe(secret)
    expect(test.webhooks.signingSecret(receiver.url)).toBeUndefined()
  })

  it('are listed by name, page by page', async () => {
    for (const name of ['c', 'a', 'b']) await test.api.createWebhook({ body: { name, ...input() } })
    const first = (await test.api.listWebhooks({ query: { limit: 2 } })).data
    const second = (await test.api.listWebhooks({ query: { limit: 2, cursor: first.nextCursor ?? '' } })).data
    expect([...first.items, ...second.items].map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    expect([first.total, second.nextCursor]).toEqual([3, null])
  })

  it('are refused for places that must not be called and events that there are not', async () => {
    expect(await problemOf(test.api.createWebhook({ body: { ...params, ...input({ url: 'http://169.254.169.254/' }) } }))).toMatchObject({
      status: 422,
      detail: expect.stringMatching(/link-local.*--outgoing-allow/) as string,
      fields: ['body.url'],
    })
    expect(await problemOf(test.api.createWebhook({ body: { ...params, ...input({ url: 'https://a:b@example.com' }) } }))).toMatchObject({
      fields: ['body.url'],
    })
    expect(await problemOf(test.api.createWebhook({ body: { ...params, ...input({ events: ['rollout', 'rollouts', 'rollout.pausd'] }) } }))).toMatchObject({
      status: 422,
      detail: expect.stringContaining('rollouts, rollout.pausd') as string,
      fields: ['body.events.1', 'body.events.2'],
    })
    await create()
    expect(await problemOf(create())).toMatchObject({ status: 409, code: 'already-exists' })
    expect(await problemOf(test.api.setWebhook({ params: { name: 'none' }, body: input() }))).toMatchObject({ status: 404 })
  })

  it('are tested at once, and say what came back', async () => {
    const { secret } = await create()
    expect((await test.api.testWebhook({ params })).data).toEqual({ delivered: true, status: 200, detail: '' })
    expect(JSON.parse(receiver.calls[0]?.body ?? '')).toMatchObject({ type: 'webhook.test', data: { webhook: 'pager', actor: 'ada' } })
    expect(secret).toBeDefined()
    receiver.reply = (response) => void response.writeHead(301, { location: 'https://example.com/' }).end()
    expect((await test.api.testWebhook({ params })).data).toMatchObject({ delivered: false, status: 301, detail: expect.stringMatching(/redirect/) as string })
    expect(await deliveries()).toEqual([])
  })

  it('are sent elsewhere, and told other events, from the change on', async () => {
    await create()
    await using other = await startTestReceiver()
    await test.append('agent.health')
    await test.api.setWebhook({ params, body: input({ url: other.url, events: ['agent.health'] }) })
    const id = await test.append('rollout.paused', 'agent.health')
    await test.until(async () => (await deliveries()).some(({ state }) => state === 'delivered'))
    expect((await deliveries()).map(({ eventId }) => eventId)).toEqual([id])
    expect([receiver.calls.length, other.calls.length]).toEqual([0, 1])
  })

  it('that are disabled let go of what waits, and begin anew', async () => {
    await create()
    receiver.reply = (response) => void response.writeHead(500).end()
    await test.append('rollout.paused')
    const [delivery] = await test.until(async () => {
      const all = await deliveries()
      return all[0]?.tries === 1 && all
    })
    await test.api.setWebhook({ params, body: input({ enabled: false }) })
    expect(await deliveries()).toMatchObject([{ state: 'givenUp', detail: 'the webhook was disabled', nextTryAt: null }])
    expect(await problemOf(test.api.redeliver({ params: { ...params, deliveryId: delivery?.id ?? 0 } }))).toMatchObject({
      status: 409,
      code: 'webhook-disabled',
    })
    await test.append('rollout.paused')
    receiver.reply = (response) => void response.end()
    await test.api.setWebhook({ params, body: input() })
    const id = await test.append('rollout.resumed')
    await test.until(async () => (await deliveries()).some(({ state }) => state === 'delivered'))
    expect((await deliveries()).map(({ eventId }) => eventId)).toEqual([id, delivery?.eventId])
  })

  it('get an event once more, as a delivery of its own with the same id', async () => {
    await create()
    await test.append('rollout.paused')
    const first = await test.until(async () => (await deliveries()).find(({ state }) => state === 'delivered'))
    const again = (await test.api.redeliver({ params: { ...params, deliveryId: first.id } })).data
    expect(again).toMatchObject({ eventId: first.eventId, state: 'pending', tries: 0 })
    await test.until(async () => (await deliveries()).every(({ state }) => state === 'delivered'))
    expect(await deliveries()).toHaveLength(2)
    expect(new Set(receiver.calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(await problemOf(test.api.redeliver({ params: { ...params, deliveryId: 999 } }))).toMatchObject({ status: 404 })
  })

  it('are gone with their log', async () => {
    await create()
    await test.append('rollout.paused')
    await test.until(async () => (await deliveries()).some(({ state }) => state === 'delivered'))
    await test.api.deleteWebhook({ params })
    expect(await problemOf(test.api.listWebhookDeliveries({ params }))).toMatchObject({ status: 404 })
    await create()
    expect(await deliveries()).toEqual([])
    await test.append('rollout.paused')
    await test.until(async () => (await deliveries()).some(({ state }) => state === 'delivered'))
    expect(await deliveries()).toHaveLength(1)
    // Another webhook, another message.
    expect(new Set(receiver.calls.map(({ headers }) => headers['webhook-id'])).size).toBe(2)
  })
})
