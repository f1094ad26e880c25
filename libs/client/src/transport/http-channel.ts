/** OpAMP over plain HTTP: a series of exchanges, one at a time. */
import { encodeHttpBody } from '@drover/protocol'
import type { Channel, ChannelEvents } from './channel.ts'
import { asChannelError, ChannelError } from './channel-error.ts'
import { abortReason, exchangeHttp, type HttpAnswer, protobufType } from './http-exchange.ts'
import type { HeaderList } from './redirect.ts'
import { statusError } from './status-error.ts'
import type { ChannelTarget } from './websocket-channel.ts'

/** Nothing is sent yet: whether the Server can be reached shows with the first message. */
export function openHttp(target: ChannelTarget): Channel {
  return new HttpChannel(target)
}

class HttpChannel implements Channel {
  readonly transport = 'http'
  readonly #target: ChannelTarget
  readonly #abort = new AbortController()
  #events: ChannelEvents | undefined
  #exchange: Promise<void> | undefined
  #mayCompress = true
  #isClosing = false
  #isOver = false

  constructor(target: ChannelTarget) {
    this.#target = target
  }

  listen(events: ChannelEvents): void {
    this.#events = events
  }

  get hasRoom(): boolean {
    return !this.#isOver && !this.#isClosing && this.#exchange === undefined
  }

  send(message: Uint8Array, uid: string): void {
    if (!this.hasRoom) return
    this.#exchange = this.#exchangeMessage(message, uid).then(
      (answer) => this.#take(answer),
      (error: unknown) => this.#end(asChannelError(error, 'lost')),
    )
  }

  async close(_code: number, graceMs: number): Promise<void> {
    this.#isClosing = true
    if (this.#exchange !== undefined && !this.#isOver) {
      const { clock } = this.#target
      const timer = clock.setTimeout(() => this.abort(), graceMs)
      await this.#exchange
      clock.clearTimeout(timer)
    }
    this.abort()
  }

  abort(): void {
    this.#isOver = true
    this.#abort.abort()
  }

  async #exchangeMessage(message: Uint8Array, uid: string): Promise<HttpAnswer> {
    const { clock, limits } = this.#target
    const limit = new AbortController()
    const timer = clock.setTimeout(() => limit.abort(new ChannelError('timeout', 'the server took too long to answer')), limits.responseTimeoutMs)
    const signal = AbortSignal.any([this.#abort.signal, limit.signal])
    try {
      const answer = await this.#post(message, uid, signal)
      if (answer.status !== 415 || !this.#mayCompress) return answer
      // Every Server must take gzip; for one that does not we can do without.
      this.#mayCompress = false
      return await this.#post(message, uid, signal)
    } catch (error) {
      throw signal.aborted ? abortReason(signal) : error
    } finally {
      clock.clearTimeout(timer)
    }
  }

  async #post(message: Uint8Array, uid: string, signal: AbortSignal): Promise<HttpAnswer> {
    const { endpoint, headers, connector, limits } = this.#target
    const { body, contentEncoding } = await this.#encode(message)
    const ownHeaders: HeaderList = [
      ['content-type', protobufType],
      ['accept-encoding', 'gzip'],
      ['opamp-instance-uid', uid],
      ...(contentEncoding === undefined ? [] : ([['content-encoding', contentEncoding]] as const)),
    ]
    const { maxIncomingBytes, maxRedirects } = limits
    return exchangeHttp({ endpoint, connector, headers: headers(), ownHeaders, body, maxIncomingBytes, maxRedirects, signal })
  }

  async #encode(message: Uint8Array): Promise<{ readonly body: Uint8Array; readonly contentEncoding?: 'gzip' }> {
    if (!this.#mayCompress) return { body: message }
    const encoded = await encodeHttpBody(message, 'gzip')
    return encoded.body.length < message.length ? encoded : { body: message }
  }

  #take({ status, retryAfter, body, contentType }: HttpAnswer): void {
    this.#exchange = undefined
    if (this.#isOver) return
    const isMessage = status === 200 || (status === 400 && contentType === protobufType)
    if (!isMessage) return this.#end(statusError(status, retryAfter, this.#target.clock.now()))
    this.#events?.received(body)
    if (!this.#isOver) this.#events?.drained()
  }

  #end(error: ChannelError): void {
    this.#exchange = undefined
    if (this.#isOver) return
    this.#isOver = true
    this.#events?.ended(error)
  }
}
