/** The example for receivers in docs/operations/webhooks.md is run as it stands there. */
import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { createSigningSecret, signedHeaders } from '../outgoing/index.ts'

type IsFromDrover = (headers: Readonly<Record<string, string>>, body: string, secret: string) => boolean

async function readExample(): Promise<IsFromDrover> {
  const page = await readFile(new URL('../../../../docs/operations/webhooks.md', import.meta.url), 'utf8')
  const code = /```js\n(.*?)```/s.exec(page)?.[1] ?? ''
  const module = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { isFromDrover: IsFromDrover } // as: the page exports it, or the test fails
  return module.isFromDrover
}

it('receivers know a call of Drover from one of somebody else', async () => {
  const isFromDrover = await readExample()
  const secret = createSigningSecret()
  const message = { id: 'evt_1', sentAt: Date.now(), body: '{"type":"rollout.paused","text":"grüße"}' }
  const headers = signedHeaders(secret, message)
  const { body } = message
  expect(isFromDrover(headers, body, secret)).toBe(true)
  expect(isFromDrover({ ...headers, 'webhook-signature': `v1a,other ${headers['webhook-signature']}` }, body, secret)).toBe(true)
  expect([
    isFromDrover(headers, `${body} `, secret),
    isFromDrover(headers, body, createSigningSecret()),
    isFromDrover({ ...headers, 'webhook-id': 'evt_2' }, body, secret),
    isFromDrover({}, body, secret),
    isFromDrover({ ...headers, 'webhook-signature': 'é'.repeat(47) }, body, secret),
    isFromDrover(signedHeaders(secret, { ...message, sentAt: Date.now() - 600_000 }), body, secret),
  ]).toEqual([false, false, false, false, false, false])
})
