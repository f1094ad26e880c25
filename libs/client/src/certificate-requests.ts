/** A request for a certificate: who waits for it, and the key that the certificate will belong to. */
import type { ClientLog } from './log.ts'
import type { SessionAccess } from './custom-messages.ts'
import { ClientError } from './errors.ts'
import { endCertificateRequest, requestCertificate } from './session/session.ts'
import type { ClientStore } from './store.ts'

/** Name in the store; its value is secret. */
const keyName = 'certificate-request-key'

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: ClientError) => void
}

export interface CertificateTools {
  readonly store: ClientStore
  readonly log: ClientLog
  /** Whether the Server's identity is verified, or the connection does not leave the machine. */
  readonly isSafe: () => boolean
}

export class CertificateRequests {
  readonly #access: SessionAccess
  readonly #tools: CertificateTools
  #key: string | undefined
  #waiting: Waiting | undefined
  #isStopped = false

  /** `key`: of a request whose answer an earlier process did not live to see. */
  constructor(access: SessionAccess, tools: CertificateTools, key: string | undefined) {
    this.#access = access
    this.#tools = tools
    this.#key = key
  }

  static async storedKey(store: ClientStore): Promise<string | undefined> {
    const bytes = await store.read(keyName)
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes)
  }

  /** A certificate that comes without key may belong to it. */
  get keys(): readonly string[] {
    return this.#key === undefined ? [] : [this.#key]
  }

  async request(csr: Uint8Array, privateKey: string): Promise<void> {
    const { session, update, changed } = this.#access
    if (this.#isStopped) throw new ClientError('stopped', 'the client was stopped')
    if (!this.#tools.isSafe()) throw new ClientError('insecure', 'a certificate is asked for over TLS with a verified server only')
    if (session().serverCapabilities?.has('AcceptsConnectionSettingsRequest') === false) throw unsupported()
    this.#end('replaced', 'another certificate was asked for')
    this.#key = privateKey
    await this.#tools.store.write(keyName, new TextEncoder().encode(privateKey))
    const decided = new Promise<void>((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
    update(requestCertificate(session(), csr))
    changed()
    return decided
  }

  /** The Server took a first report: its capabilities are known. */
  connected(): void {
    const { session } = this.#access
    if (this.#waiting === undefined || session().serverCapabilities?.has('AcceptsConnectionSettingsRequest') !== false) return
    this.#end('unsupported', 'the server takes no requests for certificates')
  }

  answered(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }

  /** The Server said no. Its words are not ours to repeat. */
  refused(): void {
    this.#end('refused', 'the server refused the certificate request')
  }

  /** The certificate is in use, or another one: the key has served. */
  async forgetKey(): Promise<void> {
    if (this.#key === undefined || this.#waiting !== undefined) return
    this.#key = undefined
    try {
      await this.#tools.store.remove(keyName)
    } catch (error) {
      this.#tools.log('error', 'The key of a certificate request could not be removed', { reason: error instanceof Error ? error.message : 'unknown' })
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#end('stopped', 'the client was stopped')
  }

  #end(code: ClientError['code'], text: string): void {
    const { session, update } = this.#access
    const waiting = this.#waiting
    this.#waiting = undefined
    update(endCertificateRequest(session()))
    waiting?.reject(new ClientError(code, text))
  }
}

function unsupported(): ClientError {
  return new ClientError('unsupported', 'the server takes no requests for certificates')
}
