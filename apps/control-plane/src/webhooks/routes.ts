/** Webhooks over REST. */
import { EventKind, webhookRoutes } from '@drover/api'
import type { Webhook, WebhookDelivery } from '@drover/api'
import type { NewEvent } from '../events/event-log.ts'
import type { BindRoute } from '../http/bind-route.ts'
import { ConflictError, InvalidInputError, NotFoundError } from '../http/errors.ts'
import { cursorNumber, decodeCursor, encodeCursor, toPage } from '../http/paging.ts'
import { createSigningSecret } from '../outgoing/index.ts'
import type { ReadStore, Tx } from '../storage/store.ts'
import { webhookLimits } from './limits.ts'
import { sendMessage } from './message.ts'
import { sealContext } from './registry.ts'
import type { Registry, RegistryOptions } from './registry.ts'
import {
  countPending,
  deleteWebhook,
  findDelivery,
  findWebhook,
  giveUpPending,
  insertWebhook,
  listDeliveries,
  readLastTried,
  readWebhooks,
  redeliver,
  updateWebhook,
} from './store.ts'
import type { DeliveryRow, WebhookRow } from './store.ts'

export interface WebhookRoutesOptions extends Pick<RegistryOptions, 'store' | 'events' | 'sealer' | 'outgoing' | 'clock' | 'metrics'> {
  readonly registry: Registry
}

interface Input {
  readonly url: string
  readonly events: readonly string[]
  readonly enabled: boolean
}

export function bindWebhookRoutes(bind: BindRoute, options: WebhookRoutesOptions): void {
  bindReading(bind, options)
  bindCreate(bind, options)
  bindChanging(bind, options)
  bindDelivering(bind, options)
}

function bindReading(bind: BindRoute, { store }: WebhookRoutesOptions): void {
  bind(webhookRoutes.listWebhooks, async ({ query }) => {
    const [after] = decodeCursor(query.cursor, 1) ?? []
    const all = await readWebhooks(store.read)
    const rows = all.filter(({ name }) => after === undefined || name > after).slice(0, query.limit + 1)
    const shown = new Map(await Promise.all(rows.map(async (row) => [row.name, await showWebhook(store.read, row)] as const)))
    return {
      data: toPage(
        rows.flatMap(({ name }) => shown.get(name) ?? []),
        query.limit,
        all.length,
        (webhook) => webhook,
        ({ name }) => encodeCursor(name),
      ),
    }
  })
  bind(webhookRoutes.listWebhookDeliveries, async ({ params, query }) => {
    const { name } = await requireWebhook(store.read, params.name)
    const [before] = decodeCursor(query.cursor, 1) ?? []
    const { rows, total } = await listDeliveries(store.read, name, { limit: query.limit, ...(before === undefined ? {} : { before: cursorNumber(before) }) })
    return { data: toPage(rows, query.limit, total, showDelivery, ({ id }) => encodeCursor(id)) }
  })
}

function bindCreate(bind: BindRoute, options: WebhookRoutesOptions): void {
  const { store, sealer, clock, registry } = options
  bind(webhookRoutes.createWebhook, (call) =>
    store.transaction(async (tx) => {
      const { name, url, events, enabled } = call.body
      checkInput(options, call.body)
      const existing = await readWebhooks(tx)
      if (existing.some((row) => row.name === name))
        throw new ConflictError('already-exists', `there is a webhook ${name} already: change it, or choose another name`)
      if (existing.length >= webhookLimits.maxWebhooks)
        throw new ConflictError('too-many', `there are ${existing.length} webhooks, and no more are kept: delete one that nobody needs`)
      const secret = createSigningSecret()
      // From here on; its own making is nothing that it is told.
      const last_event_id = await tell(options, tx, { kind: 'webhook.created', name, actor: call.caller.name, did: 'created', input: call.body })
      const row: WebhookRow = {
        name,
        url,
        events_json: JSON.stringify(events),
        enabled: enabled ? 1 : 0,
        sealed_secret: sealer.seal(secret, sealContext(name)),
        last_event_id,
        created_at: clock.now(),
        created_by: call.caller.name,
      }
      await insertWebhook(tx, row)
      tx.afterCommit(() => registry.onChanged(name))
      return call.answer(tx, { data: { ...(await showWebhook(tx, row)), secret } })
    }),
  )
}

function bindChanging(bind: BindRoute, options: WebhookRoutesOptions): void {
  const { store, events, clock, metrics, registry } = options
  bind(webhookRoutes.setWebhook, ({ params, body, caller }) =>
    store.transaction(async (tx) => {
      checkInput(options, body)
      const before = await requireWebhook(tx, params.name)
      // Other events are wanted from here on, and not from where the last wanted one was.
      const last_event_id = before.enabled === 1 ? Math.max(before.last_event_id, registry.position(before.name) ?? 0) : events.lastId()
      const row: WebhookRow = { ...before, url: body.url, events_json: JSON.stringify(body.events), enabled: body.enabled ? 1 : 0, last_event_id }
      await updateWebhook(tx, row)
      const givenUp = body.enabled ? 0 : await giveUpPending(tx, row.name, 'the webhook was disabled', clock.now())
      await tell(options, tx, { kind: 'webhook.changed', name: row.name, actor: caller.name, did: 'changed', input: body })
      tx.afterCommit(() => {
        registry.onChanged(row.name)
        metrics.count('givenUp', givenUp)
      })
      return { data: await showWebhook(tx, row) }
    }),
  )
  bind(webhookRoutes.deleteWebhook, ({ params, caller }) =>
    store.transaction(async (tx) => {
      const { name } = await requireWebhook(tx, params.name)
      await deleteWebhook(tx, name)
      await tell(options, tx, { kind: 'webhook.deleted', name, actor: caller.name, did: 'deleted' })
      tx.afterCommit(() => registry.onChanged(name))
      return { data: undefined }
    }),
  )
}

function bindDelivering(bind: BindRoute, { store, sealer, outgoing, clock, registry }: WebhookRoutesOptions): void {
  bind(webhookRoutes.testWebhook, async ({ params, caller }) => {
    const row = await requireWebhook(store.read, params.name)
    const destination = { url: row.url, secret: sealer.open(row.sealed_secret, sealContext(row.name)) }
    const now = clock.now()
    const message = {
      id: `test_${row.created_at.toString(36)}_${now.toString(36)}`,
      type: 'webhook.test',
      at: new Date(now).toISOString(),
      data: { webhook: row.name, actor: caller.name, summary: `${caller.name} tests the webhook ${row.name}` },
    }
    const { delivered, status, detail } = await sendMessage(outgoing, destination, message, now)
    return { data: { delivered, status, detail } }
  })
  bind(webhookRoutes.redeliver, ({ params }) =>
    store.transaction(async (tx) => {
      const { name, enabled } = await requireWebhook(tx, params.name)
      const delivery = await findDelivery(tx, name, params.deliveryId)
      if (delivery === undefined) throw new NotFoundError('delivery', String(params.deliveryId))
      if (enabled === 0) throw new ConflictError('webhook-disabled', `the webhook ${name} is disabled: enable it first`)
      const again = await redeliver(tx, delivery, clock.now())
      tx.afterCommit(() => registry.wake(name))
      return { data: showDelivery(again) }
    }),
  )
}

function checkInput({ outgoing }: WebhookRoutesOptions, { url, events }: Input): void {
  const refusal = outgoing.refusalOf(url)
  if (refusal !== undefined) throw new InvalidInputError(`the webhook cannot be called: ${refusal}`, [{ field: 'body.url', message: refusal }])
  const unknown = events.flatMap((wanted, index) =>
    EventKind.options.some((kind) => kind === wanted || kind.startsWith(`${wanted}.`)) ? [] : [{ wanted, index }],
  )
  if (unknown.length === 0) return
  const message = 'is no kind of event, and none begins with it'
  throw new InvalidInputError(
    `there are no events ${unknown.map(({ wanted }) => wanted).join(', ')}: the kinds are ${EventKind.options.join(', ')}, or what stands before the dot`,
    unknown.map(({ index }) => ({ field: `body.events.${index}`, message })),
  )
}

interface Told {
  readonly kind: Extract<NewEvent['kind'], `webhook.${string}`>
  readonly name: string
  readonly actor: string
  readonly did: string
  readonly input?: Input
}

/** The origin alone: what follows in an address is often a secret. */
function tell({ events }: WebhookRoutesOptions, tx: Tx, { kind, name, actor, did, input }: Told): Promise<number> {
  const data = input === undefined ? {} : { origin: new URL(input.url).origin, events: input.events, enabled: input.enabled }
  return events.append(tx, { kind, actor, subject: name, summary: `${actor} ${did} the webhook ${name}`, data })
}

async function requireWebhook(from: ReadStore, name: string): Promise<WebhookRow> {
  const row = await findWebhook(from, name)
  if (row === undefined) throw new NotFoundError('webhook', name)
  return row
}

async function showWebhook(from: ReadStore, row: WebhookRow): Promise<Webhook> {
  const [pending, last] = [await countPending(from, row.name), await readLastTried(from, row.name)]
  return {
    name: row.name,
    url: row.url,
    events: JSON.parse(row.events_json) as string[], // as: only these routes write it
    enabled: row.enabled === 1,
    createdAt: new Date(row.created_at).toISOString(),
    createdBy: row.created_by,
    pending,
    lastDelivery: last === undefined ? null : { at: new Date(last.updated_at).toISOString(), delivered: last.state === 'delivered', detail: last.detail },
  }
}

function showDelivery(row: DeliveryRow): WebhookDelivery {
  return {
    id: row.id,
    eventId: row.event_id,
    eventKind: row.event_kind,
    state: row.state,
    tries: row.tries,
    status: row.status,
    detail: row.detail,
    createdAt: new Date(row.created_at).toISOString(),
    nextTryAt: row.next_try_at === null ? null : new Date(row.next_try_at).toISOString(),
  }
}
