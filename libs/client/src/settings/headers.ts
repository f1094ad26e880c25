/** Offered request headers, checked before they are kept. */
import type { Headers } from '@drover/protocol'
import { offerLimits } from './limits.ts'
import { Refusal } from './refusal.ts'

/** Decide how a message ends and what the connection is for; nobody but the transport may set them. */
const transportHeaders =
  /^(connection|content-encoding|content-length|content-type|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade|sec-websocket-.*)$/i

/** A name may come several times. */
export function offeredHeaders({ headers }: Headers, what: string): readonly (readonly [name: string, value: string])[] {
  if (headers.length > offerLimits.headers) throw new Refusal(`${what} are more than ${offerLimits.headers}`)
  if (headers.reduce((sum, { key, value }) => sum + key.length + value.length, 0) > offerLimits.headerChars) throw new Refusal(`${what} are too large`)
  return headers.map(({ key, value }) => {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(key)) throw new Refusal(`${what} have one whose name no header may have`)
    if (transportHeaders.test(key)) throw new Refusal(`${what} set "${key.toLowerCase()}", which only the transport may`)
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw new Refusal(`${what} have a value for "${key.toLowerCase()}" that no header may have`)
    return [key, value] as const
  })
}
