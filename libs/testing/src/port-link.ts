/** Scripted agents inside the server's own process: the real protocol without a socket. */
import { decodeFrame, encodeFrame } from '@drover/protocol'
import { once } from './websocket-link.ts'
import type { OpenLink } from './link.ts'

/** What an in-process transport offers: binary WebSocket messages without the WebSocket. */
export interface FramePort {
  /** What the server decided; messages sent before are kept until then. */
  readonly admitted: Promise<{ readonly kind: 'accept' | 'reject'; readonly retryAfterSeconds?: number }>
  send(frame: Uint8Array): void
  onMessage(listener: (frame: Uint8Array) => void): void
  onClose(listener: () => void): void
  close(): void
  cut(): void
}

export function portLink(connect: () => FramePort): OpenLink {
  return (rawEvents) => {
    const events = once(rawEvents)
    const port = connect()
    port.onMessage((frame) => events.message(decodeFrame(frame)))
    port.onClose(() => events.closed({}))
    void port.admitted.then((admission) => {
      if (admission.kind === 'accept') events.open()
      else events.closed(admission.retryAfterSeconds === undefined ? {} : { retryAfterMs: admission.retryAfterSeconds * 1000 })
    })
    return {
      send: (message) => {
        port.send(encodeFrame(message))
        return 'sent'
      },
      close: () => {
        events.end()
        port.close()
      },
      cut: () => {
        events.end()
        port.cut()
      },
    }
  }
}
