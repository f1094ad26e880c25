/** Custom messages that wait to be sent, and who waits for them. */
import type { CustomMessage } from '@drover/protocol'
import { ClientError } from './errors.ts'
import { queueCustomMessage, removeCustomMessage, type Session } from './session/session.ts'

export interface SessionAccess {
  readonly session: () => Session
  readonly update: (session: Session) => void
  readonly changed: () => void
}

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: ClientError) => void
}

export class CustomMessages {
  readonly #max: number
  readonly #access: SessionAccess
  readonly #waiting = new Map<CustomMessage, Waiting>()
  #isStopped = false

  constructor(max: number, access: SessionAccess) {
    this.#max = max
    this.#access = access
  }

  async send(message: CustomMessage): Promise<void> {
    const { session, update, changed } = this.#access
    const { values, serverCustomCapabilities } = session()
    if (this.#isStopped) throw new ClientError('stopped', 'the client was stopped')
    if (values.customCapabilities?.capabilities.includes(message.capability) !== true)
      throw new ClientError('not-announced', `we did not announce the custom capability ${message.capability}`)
    if (serverCustomCapabilities !== undefined && !serverCustomCapabilities.includes(message.capability)) throw unsupported(message)
    if (this.#waiting.size >= this.#max) throw new ClientError('full', `${this.#max} custom messages wait already`)
    // A copy, so that the same message may be sent twice.
    const own: CustomMessage = { ...message, data: new Uint8Array(message.data) }
    const sent = new Promise<void>((resolve, reject) => this.#waiting.set(own, { resolve, reject }))
    update(queueCustomMessage(session(), own))
    changed()
    return sent
  }

  done(message: CustomMessage, outcome: 'sent' | 'too-large'): void {
    const waiting = this.#waiting.get(message)
    this.#waiting.delete(message)
    if (outcome === 'sent') waiting?.resolve()
    else waiting?.reject(new ClientError('too-large', 'the custom message does not fit in a message'))
  }

  /** The Server's list is known, or known to be empty: it did not come with the first answer. */
  dropUnsupported(): void {
    const supported = this.#access.session().serverCustomCapabilities ?? []
    this.#reject(({ capability }) => !supported.includes(capability), unsupported)
  }

  stop(): void {
    this.#isStopped = true
    this.#reject(
      () => true,
      () => new ClientError('stopped', 'the client was stopped'),
    )
  }

  #reject(which: (message: CustomMessage) => boolean, why: (message: CustomMessage) => ClientError): void {
    const { session, update } = this.#access
    for (const [message, { reject }] of this.#waiting) {
      if (!which(message)) continue
      this.#waiting.delete(message)
      update(removeCustomMessage(session(), message))
      reject(why(message))
    }
  }
}

function unsupported({ capability }: CustomMessage): ClientError {
  return new ClientError('unsupported', `the server does not know the custom capability ${capability}`)
}
