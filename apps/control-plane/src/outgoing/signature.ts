/** Signatures by which a receiver knows who sent a call, as Standard Webhooks lays down (https://www.standardwebhooks.com). */
import { createHmac, randomBytes } from 'node:crypto'

const prefix = 'whsec_'
const secretBytes = 32

/** `whsec_` and Base64. */
export function createSigningSecret(): string {
  return `${prefix}${randomBytes(secretBytes).toString('base64')}`
}

/** The headers that go with a body. `id` stays the same when it is sent again; receivers refuse old timestamps. */
export function signedHeaders(
  secret: string,
  { id, sentAt, body }: { readonly id: string; readonly sentAt: number; readonly body: string },
): Record<string, string> {
  const timestamp = String(Math.floor(sentAt / 1000))
  const key = Buffer.from(secret.slice(prefix.length), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}
