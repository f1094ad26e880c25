/** Webhooks over real sockets and a real store: what is sent, when it is sent again, and what happens when the program dies. */
import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestReceiver } from '../outgoing/test-receiver.ts'
import type { ReceivedCall, TestReceiver } from '../outgoing/test-receiver.ts'
import { addDeliveries } from './store.ts'
import { startTestWebhooks } from './test-webhooks.ts'
import type { TestWebhooks } from './test-webhooks.ts'

const hourMs = 3_600_000

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

async function create(events: readonly string[] = ['rollout'], over: { name?: string; url?: string; enabled?: boolean } = {}) {
  return (await test.api.createWebhook({ body: { name: 'pager', url: `${receiver.url}/hook`, events: [...events], ...over } })).data
}

const deliveries = async (name = 'pager') => (await test.api.listWebhookDeliveries({ params: { name } })).data.items
const untilState = (state: string, eventId?: number) =>
  test.until(async () => (await deliveries()).find((one) => one.state === state && (eventId === undefined || one.eventId === eventId)))
const typeOf = ({ body }: ReceivedCall) => (JSON.parse(body) as { type: string }).type
const failWith = (status: number, headers: Record<string, string> = {}) => (receiver.reply = (response) => void response.writeHead(status, headers).end())
const succeed = () => (receiver.reply = (response) => void response.writeHead(204).end())

/** As docs/operations/webhooks.md tells receivers to. */
function isSigned({ headers, body }: ReceivedCall, secret: string): boolean {
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
  const signature = createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64'))
    .update(signed)
    .digest('base64')
  return headers['webhook-signature'] === `v1,${signature}`
}

describe('a webhook', () => {
  it('is told the events that it wants, signed, and nothing of before', async () => {
    await test.append('rollout.started')
    const { secret } = await create(['rollout', 'attempt.failed'])
    const last = await test.append('rollout.paused', 'attempt.applied', 'agent.health', 'attempt.failed')
    await untilState('delivered', last)
    await untilState('delivered', last - 3)
    expect(receiver.calls.map(typeOf).toSorted()).toEqual(['attempt.failed', 'rollout.paused'])
    expect(receiver.calls.every((call) => isSigned(call, secret))).toBe(true)
    const paused = receiver.calls.find((call) => typeOf(call) === 'rollout.paused')
    expect(JSON.parse(paused?.body ?? '')).toEqual({
      type: 'rollout.paused',
      timestamp: '2026-01-01T00:00:00.000Z',
      data: {
        id: last - 3,
        at: '2026-01-01T00:00:00.000Z',
        kind: 'rollout.paused',
        actor: 'system',
        subject: 'rol_1',
        summary: 'something about rollout.paused',
        data: { wave: 1 },
      },
    })
    expect(await deliveries()).toMatchObject([
      { eventId: last, state: 'delivered', tries: 1, status: 200, detail: '', nextTryAt: null },
      { eventId: last - 3, eventKind: 'rollout.paused', state: 'delivered' },
    ])
    expect((await test.api.listWebhooks({})).data.items).toMatchObject([{ name: 'pager', pending: 0, lastDelivery: { delivered: true, detail: '' } }])
  })

  it('is tried again with growing delays until it takes the event, under the same id', async () => {
    const { secret } = await create()
    failWith(500)
    const id = await test.append('rollout.paused')
    const waits: number[] = []
    for (let tries = 1; tries <= 4; tries++) {
      const [delivery] = await test.until(async () => {
        const all = await deliveries()
        return all[0]?.tries === tries && all
      })
      expect(delivery).toMatchObject({ eventId: id, state: 'pending', status: 500, detail: 'the receiver answered with status 500' })
      const waitMs = Date.parse(delivery?.nextTryAt ?? '') - test.clock.now()
      waits.push(waitMs)
      if (tries === 4) succeed()
      await test.clock.advanceAsync(waitMs)
    }
    await untilState('delivered')
    expect(waits).toEqual([5_000, 15_000, 45_000, 135_000])
    expect(receiver.calls).toHaveLength(5)
    expect(new Set(receiver.calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(new Set(receiver.calls.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(5)
    expect(receiver.calls.every((call) => isSigned(call, secret))).toBe(true)
  })

  it('has messages of its own, also of an event that another one gets', async () => {
    await create()
    await create(['rollout'], { name: 'other' })
    await test.append('rollout.paused')
    await receiver.untilCalls(2)
    expect(new Set(receiver.calls.map(({ headers }) => headers['webhook-id'])).size).toBe(2)
  })

  it('may ask for more patience', async () => {
    await create()
    failWith(429, { 'retry-after': '120' })
    await test.append('rollout.paused')
    const delivery = await test.until(async () => (await deliveries()).find(({ tries }) => tries === 1))
    expect(Date.parse(delivery.nextTryAt ?? '') - test.clock.now()).toBe(120_000)
  })

  it('is given up after a day, which is an event, and not one for itself', async () => {
    await create(['rollout', 'webhook'])
    failWith(503)
    await test.append('rollout.paused')
    for (let tries = 1; ; tries++) {
      const delivery = await test.until(async () => (await deliveries()).find((one) => one.tries === tries))
      if (delivery.state === 'givenUp') break
      await test.clock.advanceAsync(Date.parse(delivery.nextTryAt ?? '') - test.clock.now())
    }
    expect(test.clock.now() - Date.UTC(2026, 0, 1)).toBeGreaterThan(20 * hourMs)
    expect(test.clock.now() - Date.UTC(2026, 0, 1)).toBeLessThanOrEqual(24 * hourMs)
    const { events } = await test.events.page({ filter: { kinds: ['webhook.givenUp'] }, limit: 10 })
    expect(events).toMatchObject([
      { subject: 'pager', actor: 'system', data: { eventKind: 'rollout.paused', detail: 'the receiver answered with status 503' } },
    ])
    expect(await deliveries()).toHaveLength(1)
  })

  it('is counted by what became of each try, and of what is given up', async () => {
    const counts = async () =>
      Object.fromEntries(
        Array.from((await test.metrics()).matchAll(/^drover_webhook_deliveries_total\{result="(\w+)"\} (\d+)$/gm), ([, result, count]) => [
          result,
          Number(count),
        ]),
      )
    expect(await counts()).toEqual({ delivered: 0, failed: 0, givenUp: 0 })
    await create()
    await untilState('delivered', await test.append('rollout.started'))
    expect(await counts()).toEqual({ delivered: 1, failed: 0, givenUp: 0 })
    failWith(500)
    const failing = await test.append('rollout.paused')
    await test.until(async () => (await deliveries()).find(({ eventId, tries }) => eventId === failing && tries === 1))
    expect(await counts()).toEqual({ delivered: 1, failed: 1, givenUp: 0 })
    await test.append('rollout.started', 'rollout.paused')
    await test.until(async () => (await deliveries()).length === 4)
    await test.api.setWebhook({ params: { name: 'pager' }, body: { url: `${receiver.url}/hook`, events: ['rollout'], enabled: false } })
    expect(await counts()).toEqual({ delivered: 1, failed: 1, givenUp: 3 })
  })

  it('that fails makes no events that others who fail would tell each other for ever', async () => {
    await create(['webhook'])
    await create(['webhook'], { name: 'other', url: `${receiver.url}/other` })
    failWith(500)
    // The second one's making is the first one's only event; each is given up at its first try beyond a day.
    const first = await test.until(async () => (await deliveries())[0])
    expect(first.eventKind).toBe('webhook.created')
    for (let hours = 0; hours < 80; hours++) {
      await test.until(async () =>
        (await Promise.all(['pager', 'other'].map((name) => deliveries(name))))
          .flat()
          .every(({ nextTryAt, tries }) => nextTryAt === null || (tries > 0 && Date.parse(nextTryAt) > test.clock.now())),
      )
      await test.clock.advanceAsync(hourMs)
    }
    const { events } = await test.events.page({ filter: { kinds: ['webhook.givenUp'] }, limit: 10 })
    expect(events.map(({ subject }) => subject)).toEqual(['pager'])
    expect((await deliveries('other')).map(({ eventKind, state }) => `${eventKind} ${state}`)).toEqual(['webhook.givenUp givenUp'])
  })

  it('that is slow holds nobody up, and is asked only a few things at a time', async () => {
    await using slow = await startTestReceiver(() => {})
    await create(['rollout'], { name: 'slow', url: slow.url })
    await create()
    const last = await test.append(...Array.from({ length: 20 }, () => 'rollout.paused' as const))
    await untilState('delivered', last)
    await test.until(async () => (await deliveries()).every(({ state }) => state === 'delivered'))
    await slow.untilCalls(4)
    expect([receiver.calls.length, slow.calls.length]).toEqual([20, 4])
  })

  it('that fails is asked one thing at a time, less and less often', async () => {
    await create()
    failWith(500)
    await test.append(...Array.from({ length: 50 }, () => 'rollout.paused' as const))
    // The four that were under way when nothing was known yet.
    await test.until(async () => (await deliveries()).filter(({ tries }) => tries > 0).length === 4)
    await test.clock.advanceAsync(8_000)
    await test.until(async () => (await deliveries()).filter(({ tries }) => tries > 0).length === 5)
    expect(receiver.calls).toHaveLength(5)
    succeed()
    await test.clock.advanceAsync(60_000)
    await test.until(async () => (await deliveries()).every(({ state }) => state === 'delivered'))
  })
})

describe('the store', () => {
  it('is left alone by events that nobody wants', async () => {
    await create(['rollout'])
    await test.append('rollout.paused')
    await untilState('delivered')
    const { operations } = test.test
    const before = { ...operations }
    for (let batch = 0; batch < 10; batch++) await test.append('agent.health', 'attempt.applied')
    expect({ read: operations.read, write: operations.write }).toEqual({ read: before.read, write: before.write + 10 })
  })

  it('knows each event once for each webhook when the program dies at any commit', async () => {
    await create()
    const ids: number[] = []
    for (let round = 0; round < 12; round++) {
      ids.push(await test.append('rollout.paused'))
      // After nothing, after the delivery is in, while it is under way, after it was recorded.
      if (round % 4 === 1) await test.until(async () => (await deliveries()).some(({ eventId }) => eventId === ids.at(-1)))
      if (round % 4 === 2) await receiver.untilCalls(receiver.calls.length + 1)
      if (round % 4 === 3) await untilState('delivered', ids.at(-1))
      await test.killAndRestart()
    }
    await test.until(async () => (await deliveries()).every(({ state }) => state === 'delivered') && (await deliveries()).length === ids.length)
    expect((await deliveries()).map(({ eventId }) => eventId)).toEqual(ids.toReversed())
    // At least once, and receivers can tell.
    const received = new Set(receiver.calls.map(({ headers }) => headers['webhook-id']))
    expect(received.size).toBe(ids.length)
  })

  it('takes nothing from a reader that is behind', async () => {
    await create()
    const webhook = await test.test.store.read.selectFrom('webhooks').selectAll().executeTakeFirstOrThrow()
    const add = (lastId: number) => test.test.store.transaction((tx) => addDeliveries(tx, webhook, { events: [], lastId, now: 0 }))
    expect([await add(7), await add(6)]).toEqual([true, false])
  })

  it('is told now and then how far the log was read', async () => {
    await create()
    await test.append('rollout.paused')
    await untilState('delivered')
    const last = await test.append('agent.health')
    await test.clock.advanceAsync(0)
    await test.webhooks.prune()
    const row = await test.test.store.read.selectFrom('webhooks').select('last_event_id').executeTakeFirstOrThrow()
    expect(row.last_event_id).toBe(last)
  })

  it('keeps what is done for a week, and what waits as long as it waits', async () => {
    await create()
    await test.append('rollout.paused')
    await untilState('delivered')
    test.clock.advance(8 * 24 * hourMs)
    failWith(500)
    await test.append('rollout.resumed')
    await test.until(async () => (await deliveries()).some(({ tries, eventKind }) => tries === 1 && eventKind === 'rollout.resumed'))
    await test.webhooks.prune()
    expect((await deliveries()).map(({ eventKind }) => eventKind)).toEqual(['rollout.resumed'])
  })

  it('holds no more deliveries than a webhook may have waiting; the others wait in the log', async () => {
    await using bounded = await startTestWebhooks({ maxPending: 2 })
    failWith(500)
    await bounded.api.createWebhook({ body: { name: 'pager', url: receiver.url, events: ['rollout'] } })
    const all = async () => (await bounded.api.listWebhookDeliveries({ params: { name: 'pager' } })).data.items
    for (let count = 1; count <= 2; count++) {
      await bounded.append('rollout.paused')
      await bounded.until(async () => (await all()).length === count)
    }
    await bounded.append('rollout.paused')
    await bounded.append('rollout.paused')
    await bounded.until(async () => (await all()).filter(({ tries }) => tries > 0).length === 2)
    expect(await all()).toHaveLength(2)
    succeed()
    for (let minute = 0; minute < 5; minute++) await bounded.clock.advanceAsync(60_000)
    await bounded.until(async () => (await all()).filter(({ state }) => state === 'delivered').length === 4)
  })
})
