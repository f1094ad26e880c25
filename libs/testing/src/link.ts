/** The way a scripted agent's messages travel. A link carries whole messages; frames and bodies are its own affair. */

export interface LinkEvents {
  /** The server accepted the connection; on plain HTTP at once. */
  open(): void
  /** A ServerToAgent message. */
  message(bytes: Uint8Array): void
  /** `send` may be called again after it answered `busy`. */
  ready(): void
  closed(info: Closed): void
}

/** The connection is gone or was refused. */
export interface Closed {
  /** When the server said when to come back. */
  readonly retryAfterMs?: number
  /** The last message did not arrive and is to be sent again: plain HTTP knows. */
  readonly undelivered?: boolean
}

export interface Link {
  /** `busy`: not taken; wait for `ready`. */
  send(message: Uint8Array): 'sent' | 'busy'
  /** Ends the connection in good order; `closed` is not called afterwards. */
  close(): void
  /** Cuts it without a word, as a lost network does; `closed` is not called afterwards. */
  cut(): void
}

export type OpenLink = (events: LinkEvents, uid: string) => Link
