/** The port between the session and the network: one way to one Server, over which messages go there and come back. */
import type { ChannelError } from './channel-error.ts'

export interface ChannelEvents {
  /** A ServerToAgent came. */
  received(message: Uint8Array): void
  /** The message handed over last has left (plain HTTP: was answered, and `received` was called before), or there is room again. */
  drained(): void
  /** It is over, and not because we closed it. Nothing else follows. */
  ended(error: ChannelError): void
}

/**
 * Two implementations: a WebSocket, and a series of HTTP requests. A failed HTTP exchange ends its channel as a loss ends a WebSocket, so that
 * what follows is alike: wait, open another one, begin with a full report.
 */
export interface Channel {
  readonly transport: 'websocket' | 'http'
  /** Events that came before are told now. Once only. */
  listen(events: ChannelEvents): void
  /** Whether `send` may be called. */
  readonly hasRoom: boolean
  /** Sends one AgentToServer. Does nothing once closed. */
  send(message: Uint8Array, uid: string): void
  /** Ends it in order: what was sent still goes out, then the closing handshake. Settles when it is over, at the latest after `graceMs`. */
  close(code: number, graceMs: number): Promise<void>
  /** Ends it at once. */
  abort(): void
}

/** WebSocket close codes used here. */
export const closeCode = { normal: 1000, protocolError: 1002, unsupportedData: 1003, invalidData: 1007, tooLarge: 1009 } as const
