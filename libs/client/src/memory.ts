/** What the client itself keeps in the store: its instance uid and the fate of the last configuration. */
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { type InstanceUid, parseInstanceUid, type RemoteConfigStatus, RemoteConfigStatusSchema } from '@drover/protocol'
import type { ClientLog } from './log.ts'
import type { ClientStore } from './store.ts'

/** Names in the store. */
const uidName = 'instance-uid'
const remoteConfigStatusName = 'remote-config-status'

export class Memory {
  readonly #store: ClientStore
  readonly #log: ClientLog
  /** The newest status that is not written yet; those before it need not be. */
  #unwritten: RemoteConfigStatus | undefined
  #writing: Promise<void> | undefined

  constructor(store: ClientStore, log: ClientLog) {
    this.#store = store
    this.#log = log
  }

  /** Undefined when there is none, or none that can be read. */
  async instanceUid(): Promise<InstanceUid | undefined> {
    return this.#read(uidName, (bytes) => parseInstanceUid(new TextDecoder().decode(bytes).trim()))
  }

  keepInstanceUid(uid: InstanceUid): Promise<void> {
    return this.#store.write(uidName, new TextEncoder().encode(uid))
  }

  async remoteConfigStatus(): Promise<RemoteConfigStatus | undefined> {
    return this.#read(remoteConfigStatusName, (bytes) => fromBinary(RemoteConfigStatusSchema, bytes))
  }

  keepRemoteConfigStatus(status: RemoteConfigStatus): void {
    this.#unwritten = status
    this.#writing ??= this.#write()
  }

  /** Everything given to keep is stored, or failed to be. */
  async settled(): Promise<void> {
    await this.#writing
  }

  async #write(): Promise<void> {
    while (this.#unwritten !== undefined) {
      const status = this.#unwritten
      this.#unwritten = undefined
      try {
        await this.#store.write(remoteConfigStatusName, toBinary(RemoteConfigStatusSchema, status))
      } catch (error) {
        this.#log('error', 'The remote config status could not be stored', { reason: error instanceof Error ? error.message : 'unknown' })
      }
    }
    this.#writing = undefined
  }

  async #read<Value>(name: string, parse: (bytes: Uint8Array) => Value): Promise<Value | undefined> {
    const bytes = await this.#store.read(name)
    if (bytes === undefined) return undefined
    try {
      return parse(bytes)
    } catch {
      this.#log('warn', 'A stored value cannot be read and is left aside', { name })
      return undefined
    }
  }
}
