/** Scripted agents over a real WebSocket. */
import { decodeFrame, encodeFrame } from '@drover/protocol'
import { WebSocket } from 'ws'
import type { LinkEvents, OpenLink } from './link.ts'

export interface SocketOptions {
  /** E.g. `ws://127.0.0.1:4320/v1/opamp`. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
}

export function webSocketLink(options: SocketOptions): OpenLink {
  return (rawEvents) => {
    const socket = new WebSocket(options.url, { headers: { ...options.headers }, perMessageDeflate: false, handshakeTimeout: 10_000 })
    socket.binaryType = 'nodebuffer'
    const events = once(rawEvents)
    socket.on('open', () => events.open())
    socket.on('message', (data: Buffer) => events.message(decodeFrame(data)))
    socket.on('unexpected-response', (request, response) => {
      const seconds = Number(response.headers['retry-after'])
      events.closed(seconds > 0 ? { retryAfterMs: seconds * 1000 } : {})
      response.resume()
      request.destroy()
    })
    socket.on('close', () => events.closed({}))
    socket.on('error', () => events.closed({}))
    return {
      send: (message) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(encodeFrame(message))
        return 'sent'
      },
      close: () => {
        events.end()
        socket.close(1000)
      },
      cut: () => {
        events.end()
        socket.terminate()
      },
    }
  }
}

/** `closed` reaches the agent once, and nothing after it or after the agent's own close. */
export function once(events: LinkEvents): LinkEvents & { end(): void } {
  let ended = false
  return {
    open: () => {
      if (!ended) events.open()
    },
    message: (bytes) => {
      if (!ended) events.message(bytes)
    },
    ready: () => {
      if (!ended) events.ready()
    },
    closed: (info) => {
      if (ended) return
      ended = true
      events.closed(info)
    },
    end: () => {
      ended = true
    },
  }
}
