/** Scripted agents that poll over plain HTTP, one request at a time. */
import { Agent, request } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { gunzipSync } from 'node:zlib'
import type { OpenLink } from './link.ts'
import { once } from './websocket-link.ts'
import type { SocketOptions } from './websocket-link.ts'

/** Any other status than 200 ends the link; the agent sends the same message again through a new one, as the Go client does after 429 and 503. */
export function httpLink(options: SocketOptions): OpenLink {
  return (rawEvents, uid) => {
    const events = once(rawEvents)
    const keepAlive = new Agent({ keepAlive: true, maxSockets: 1 })
    let current: ClientRequest | undefined
    const lost = (retryAfterMs?: number) => events.closed({ undelivered: true, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
    const onResponse = async (response: IncomingMessage) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk as Buffer) // as: no encoding is set, so chunks are buffers
      const body = Buffer.concat(chunks)
      if (response.statusCode !== 200) {
        const seconds = Number(response.headers['retry-after'])
        return lost(seconds > 0 ? seconds * 1000 : undefined)
      }
      current = undefined
      events.message(response.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body)
      events.ready()
    }
    queueMicrotask(() => events.open())
    return {
      send: (message) => {
        if (current !== undefined) return 'busy'
        current = request(options.url, {
          method: 'POST',
          agent: keepAlive,
          headers: {
            ...options.headers,
            'content-type': 'application/x-protobuf',
            'accept-encoding': 'gzip',
            'opamp-instance-uid': uid,
            'content-length': message.length,
          },
        })
        current.on('response', (response) => void onResponse(response).catch(() => lost()))
        current.on('error', () => lost())
        current.end(message)
        return 'sent'
      },
      close: () => {
        events.end()
        keepAlive.destroy()
      },
      cut: () => {
        events.end()
        current?.destroy()
        keepAlive.destroy()
      },
    }
  }
}
