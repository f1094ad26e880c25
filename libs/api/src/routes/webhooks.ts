/** Outgoing webhooks: events as signed HTTP calls, tried again until they are taken. */
import { z } from 'zod'
import { PageQuery, ResourceName, Timestamp, pageOf } from '../common.ts'
import { defineRoute } from '../route.ts'

export const Webhook = z
  .object({
    name: ResourceName,
    url: z.string(),
    /** Event kinds or prefixes, e.g. `rollout`, `attempt.failed`. */
    events: z.array(z.string()),
    enabled: z.boolean(),
    createdAt: Timestamp,
    createdBy: z.string(),
    /** Deliveries that wait or are tried again. */
    pending: z.number().int(),
    lastDelivery: z.object({ at: Timestamp, delivered: z.boolean(), detail: z.string() }).nullable(),
  })
  .meta({ id: 'Webhook' })
export type Webhook = z.output<typeof Webhook>

export const WebhookDelivery = z
  .object({
    id: z.number().int(),
    eventId: z.number().int(),
    eventKind: z.string(),
    state: z.enum(['pending', 'delivered', 'givenUp']),
    tries: z.number().int(),
    /** HTTP status of the last try; null: no answer. */
    status: z.number().int().nullable(),
    /** What went wrong, for a person; empty: nothing. */
    detail: z.string(),
    createdAt: Timestamp,
    nextTryAt: Timestamp.nullable(),
  })
  .meta({ id: 'WebhookDelivery' })
export type WebhookDelivery = z.output<typeof WebhookDelivery>

const WebhookInput = z.object({
  url: z.url().max(2048),
  events: z
    .array(z.string().regex(/^[a-z]+(\.[A-Za-z]+)?$/))
    .min(1)
    .max(50),
  enabled: z.boolean().default(true),
})
const WebhookParams = z.object({ name: ResourceName })
/** Shown once. `webhook-signature` of each call is an HMAC-SHA256 under it (https://www.standardwebhooks.com). */
const WebhookSecret = z.object({ secret: z.string() })

export const webhookRoutes = {
  listWebhooks: defineRoute({
    id: 'listWebhooks',
    method: 'GET',
    path: '/webhooks',
    tag: 'webhooks',
    access: 'read',
    summary: 'Outgoing webhooks by name',
    query: PageQuery,
    response: pageOf(Webhook),
  }),
  createWebhook: defineRoute({
    id: 'createWebhook',
    method: 'POST',
    path: '/webhooks',
    tag: 'webhooks',
    access: 'write',
    summary: 'Create a webhook; the answer alone has its signing secret',
    body: WebhookInput.extend({ name: ResourceName }),
    status: 201,
    response: Webhook.extend(WebhookSecret.shape),
    idempotent: true,
  }),
  setWebhook: defineRoute({
    id: 'setWebhook',
    method: 'PUT',
    path: '/webhooks/{name}',
    tag: 'webhooks',
    access: 'write',
    summary: 'Change a webhook',
    params: WebhookParams,
    body: WebhookInput,
    response: Webhook,
  }),
  deleteWebhook: defineRoute({
    id: 'deleteWebhook',
    method: 'DELETE',
    path: '/webhooks/{name}',
    tag: 'webhooks',
    access: 'write',
    summary: 'Delete a webhook with its log',
    params: WebhookParams,
    status: 204,
  }),
  testWebhook: defineRoute({
    id: 'testWebhook',
    method: 'POST',
    path: '/webhooks/{name}/test',
    tag: 'webhooks',
    access: 'write',
    summary: 'Send a `webhook.test` event now and say what came back',
    params: WebhookParams,
    response: z.object({ delivered: z.boolean(), status: z.number().int().nullable(), detail: z.string() }),
  }),
  listWebhookDeliveries: defineRoute({
    id: 'listWebhookDeliveries',
    method: 'GET',
    path: '/webhooks/{name}/deliveries',
    tag: 'webhooks',
    access: 'read',
    summary: 'What was sent and what became of it, newest first; kept for a week',
    params: WebhookParams,
    query: PageQuery,
    response: pageOf(WebhookDelivery),
  }),
  redeliver: defineRoute({
    id: 'redeliver',
    method: 'POST',
    path: '/webhooks/{name}/deliveries/{deliveryId}/redeliver',
    tag: 'webhooks',
    access: 'write',
    summary: 'Send a delivery once more',
    params: WebhookParams.extend({ deliveryId: z.coerce.number().int().min(1) }),
    status: 202,
    response: WebhookDelivery,
  }),
}
