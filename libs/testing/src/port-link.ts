/** Scripted agents inside the server's own process: the real protocol without a socket. */
import { once } from './websocket-link.ts'
import type { OpenLink } from './link.ts'

/** What an in-process transport offers; messages are whole, without frame header. */
export interface MessagePort {
  send(message: Uint8Array): void
  onMessage(listener: (message: Uint8Array) => void): void
  onClose(listener: () => void): void
  close(): void
}

/** `connect` throws when the server refuses. */
export function portLink(connect: () => MessagePort | Promise<MessagePort>): OpenLink {
  return (rawEvents) => {
    const events = once(rawEvents)
    let port: MessagePort | undefined
    let ended = false
    void (async () => {
      try {
        port = await connect()
      } catch {
        events.closed({})
        return
      }
      if (ended) return port.close()
      port.onMessage((message) => events.message(message))
      port.onClose(() => events.closed({}))
      events.open()
    })()
    const end = () => {
      ended = true
      events.end()
      port?.close()
    }
    return {
      send: (message) => {
        port?.send(message)
        return 'sent'
      },
      close: end,
      cut: end,
    }
  }
}
