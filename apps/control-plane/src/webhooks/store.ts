/** Webhooks and their deliveries in the store. */
import type { Event } from '@drover/api'
import type { NewRow, Row } from '../storage/schema.ts'
import type { ReadStore, Tx } from '../storage/store.ts'
import { webhookLimits } from './limits.ts'

export type WebhookRow = Row<'webhooks'>
export type DeliveryRow = Row<'webhook_deliveries'>

export async function findWebhook(from: ReadStore, name: string): Promise<WebhookRow | undefined> {
  return from.selectFrom('webhooks').selectAll().where('name', '=', name).executeTakeFirst()
}

export async function readWebhooks(from: ReadStore): Promise<readonly WebhookRow[]> {
  return from.selectFrom('webhooks').selectAll().orderBy('name').execute()
}

export async function insertWebhook(tx: Tx, row: NewRow<'webhooks'>): Promise<void> {
  await tx.insertInto('webhooks').values(row).execute()
}

export async function updateWebhook(tx: Tx, row: WebhookRow): Promise<void> {
  await tx.updateTable('webhooks').set(row).where('name', '=', row.name).execute()
}

export async function deleteWebhook(tx: Tx, name: string): Promise<void> {
  await tx.deleteFrom('webhooks').where('name', '=', name).execute()
}

/** One delivery for each event, and the place in the log behind them. False: the webhook is gone, another one by now, or disabled. */
export async function addDeliveries(
  tx: Tx,
  webhook: WebhookRow,
  { events, lastId, now }: { events: readonly Event[]; lastId: number; now: number },
): Promise<boolean> {
  if (!(await moveCursor(tx, webhook, lastId))) return false
  const rows = events.map(({ id, kind }) => ({
    webhook: webhook.name,
    event_id: id,
    event_kind: kind,
    state: 'pending' as const,
    tries: 0,
    status: null,
    detail: '',
    created_at: now,
    updated_at: now,
    next_try_at: now,
  }))
  if (rows.length > 0) await tx.insertInto('webhook_deliveries').values(rows).execute()
  return true
}

/** Never backwards. */
export async function moveCursor(tx: Tx, { name, created_at }: WebhookRow, lastId: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('webhooks')
    .set({ last_event_id: lastId })
    .where('name', '=', name)
    .where('created_at', '=', created_at)
    .where('enabled', '=', 1)
    .where('last_event_id', '<=', lastId)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

export async function countPending(from: ReadStore, webhook: string): Promise<number> {
  const row = await from
    .selectFrom('webhook_deliveries')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('webhook', '=', webhook)
    .where('next_try_at', 'is not', null)
    .executeTakeFirstOrThrow()
  return row.count
}

/** The pending deliveries that are to be tried first, due or not. */
export async function readNext(from: ReadStore, webhook: string, limit: number): Promise<readonly DeliveryRow[]> {
  return from
    .selectFrom('webhook_deliveries')
    .selectAll()
    .where('webhook', '=', webhook)
    .where('next_try_at', 'is not', null)
    .orderBy('next_try_at')
    .orderBy('id')
    .limit(limit)
    .execute()
}

export async function readEvent(from: ReadStore, id: number): Promise<Event | undefined> {
  const row = await from.selectFrom('events').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined) return undefined
  const { at, data_json, kind, ...rest } = row
  return { ...rest, kind: kind as Event['kind'], at: new Date(at).toISOString(), data: JSON.parse(data_json) as Event['data'] } // as: only the log of events writes it
}

export type DeliveryOutcome = Pick<DeliveryRow, 'state' | 'tries' | 'status' | 'detail' | 'updated_at' | 'next_try_at'>

/** False: it is not waiting any more, e.g. because the webhook was disabled meanwhile. */
export async function recordOutcome(tx: Tx, id: number, outcome: DeliveryOutcome): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('webhook_deliveries')
    .set(outcome)
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

/** What still waits will not be sent. */
export async function giveUpPending(tx: Tx, webhook: string, detail: string, now: number): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable('webhook_deliveries')
    .set({ state: 'givenUp', detail, updated_at: now, next_try_at: null })
    .where('webhook', '=', webhook)
    .where('next_try_at', 'is not', null)
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

/** The newest that was tried. */
export async function readLastTried(from: ReadStore, webhook: string): Promise<DeliveryRow | undefined> {
  return from
    .selectFrom('webhook_deliveries')
    .selectAll()
    .where('webhook', '=', webhook)
    .where('tries', '>', 0)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
}

export async function listDeliveries(
  from: ReadStore,
  webhook: string,
  { before, limit }: { readonly before?: number; readonly limit: number },
): Promise<{ readonly rows: readonly DeliveryRow[]; readonly total: number }> {
  const all = from.selectFrom('webhook_deliveries').where('webhook', '=', webhook)
  const page = before === undefined ? all : all.where('id', '<', before)
  const rows = await page
    .selectAll()
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  const { total } = await all.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  return { rows, total }
}

/** Tried once more, as a delivery of its own; one that waits is tried now. */
export async function redeliver(tx: Tx, delivery: DeliveryRow, now: number): Promise<DeliveryRow> {
  const again = { tries: 0, status: null, detail: '', created_at: now, updated_at: now, next_try_at: now, state: 'pending' as const }
  if (delivery.state === 'pending')
    return tx
      .updateTable('webhook_deliveries')
      .set({ next_try_at: now, updated_at: now })
      .where('id', '=', delivery.id)
      .returningAll()
      .executeTakeFirstOrThrow()
  return tx
    .insertInto('webhook_deliveries')
    .values({ webhook: delivery.webhook, event_id: delivery.event_id, event_kind: delivery.event_kind, ...again })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function findDelivery(from: ReadStore, webhook: string, id: number): Promise<DeliveryRow | undefined> {
  return from.selectFrom('webhook_deliveries').selectAll().where('webhook', '=', webhook).where('id', '=', id).executeTakeFirst()
}

/** Lets go of what is done: older than a week, or too many of one webhook. */
export async function pruneDeliveries(tx: Tx, webhooks: readonly string[], now: number): Promise<void> {
  const { keepFinishedMs, maxFinished } = webhookLimits
  const finished = tx.deleteFrom('webhook_deliveries').where('next_try_at', 'is', null)
  await finished.where('created_at', '<', now - keepFinishedMs).execute()
  for (const webhook of webhooks) {
    const oldest = await tx
      .selectFrom('webhook_deliveries')
      .select('id')
      .where('webhook', '=', webhook)
      .where('next_try_at', 'is', null)
      .orderBy('id', 'desc')
      .offset(maxFinished)
      .limit(1)
      .executeTakeFirst()
    if (oldest !== undefined) await finished.where('webhook', '=', webhook).where('id', '<=', oldest.id).execute()
  }
}
