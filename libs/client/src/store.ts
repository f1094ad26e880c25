/** Where a client keeps what must outlive its process. */

/**
 * Named values. A port: memory, a folder, or whatever the host of the client has.
 * - `write` is atomic and durable: when it settles, a power cut leaves the new value, before that the old or the new one, never a mixture.
 * - Calls for one name are made one after another.
 * - Values may be secrets: nobody but the owner may read them.
 */
export interface ClientStore {
  /** Whether values outlive the process. Without that, offered certificates are refused. */
  readonly isDurable: boolean
  /** `undefined` when nothing was written under the name. */
  read(name: string): Promise<Uint8Array | undefined>
  write(name: string, value: Uint8Array): Promise<void>
  /** Durable as `write`. Nothing happens when there is nothing. */
  remove(name: string): Promise<void>
}
