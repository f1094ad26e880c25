/** OpAMP over a WebSocket. */
import type { IncomingMessage } from 'node:http'
import { decodeFrame, encodeFrame } from '@drover/protocol'
import { type ClientOptions, type RawData, WebSocket } from 'ws'
import type { Clock } from '../clock.ts'
import type { ClientLimits } from '../limits.ts'
import { type Channel, type ChannelEvents, closeCode } from './channel.ts'
import { asChannelError, ChannelError } from './channel-error.ts'
import { groupHeaders } from './header-list.ts'
import type { Connector } from './connector.ts'
import { type Destination, followRedirect, type HeaderList, isRedirect } from './redirect.ts'
import { statusError } from './status-error.ts'

export interface ChannelTarget {
  readonly endpoint: URL
  /** Asked before each connection attempt and each request. */
  readonly headers: () => HeaderList
  readonly connector: Connector
  readonly limits: ClientLimits
  readonly clock: Clock
}

/** Messages that may come before somebody listens: a Server has no reason to speak first. */
const maxEarlyMessages = 8

/** Settles when the upgrade is done. Rejects with a ChannelError. */
export async function openWebSocket(target: ChannelTarget, signal: AbortSignal): Promise<Channel> {
  const { clock, limits, endpoint } = target
  const limit = new AbortController()
  const timer = clock.setTimeout(() => limit.abort(new ChannelError('timeout', 'the connection took too long')), limits.connectTimeoutMs)
  const both = AbortSignal.any([signal, limit.signal])
  let destination: Destination = { url: endpoint, headers: target.headers() }
  try {
    for (let redirects = 0; ; redirects++) {
      const opened = await upgrade(destination, target, both)
      if (opened instanceof WebSocketChannel) return opened
      if (redirects >= limits.maxRedirects) throw new ChannelError('redirect', `the server redirected more than ${limits.maxRedirects} times`)
      destination = followRedirect(destination, opened.location, endpoint)
    }
  } catch (error) {
    throw both.aborted && both.reason instanceof ChannelError
      ? both.reason
      : asChannelError(error, 'connect', () => target.connector.explain(error, destination.url))
  } finally {
    clock.clearTimeout(timer)
  }
}

function upgrade(destination: Destination, target: ChannelTarget, signal: AbortSignal): Promise<WebSocketChannel | { readonly location: string | undefined }> {
  const { limits, connector, clock } = target
  return new Promise((resolve, reject) => {
    const options: object = {
      ...connector.reach(destination.url),
      headers: groupHeaders(destination.headers),
      perMessageDeflate: false,
      maxPayload: limits.maxIncomingBytes,
      closeTimeout: limits.closeMs,
      followRedirects: false,
    }
    const webSocket = new WebSocket(destination.url, options as ClientOptions) // as: the types do not know closeTimeout yet
    const abort = () => {
      webSocket.terminate()
      reject(new ChannelError('aborted', 'the connection attempt was given up'))
    }
    // A socket that fails or is given up tells so more than once.
    webSocket.on('error', reject)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort)
    webSocket.once('close', () => signal.removeEventListener('abort', abort))
    webSocket.once('unexpected-response', (_, response: IncomingMessage) => {
      const { statusCode = 0, headers } = response
      webSocket.terminate()
      if (isRedirect(statusCode)) resolve({ location: headers.location })
      else reject(statusError(statusCode, headers['retry-after'], clock.now()))
    })
    webSocket.once('open', () => {
      signal.removeEventListener('abort', abort)
      webSocket.off('error', reject)
      resolve(new WebSocketChannel(webSocket, target))
    })
  })
}

class WebSocketChannel implements Channel {
  readonly transport = 'websocket'
  readonly #webSocket: WebSocket
  readonly #limits: ClientLimits
  readonly #clock: Clock
  #events: ChannelEvents | undefined
  readonly #early: Uint8Array[] = []
  #endedEarly: ChannelError | undefined
  #cause: ChannelError | undefined
  #isOver = false
  #heardAtMs: number
  #liveness: unknown
  #whenClosed: () => void = () => undefined

  constructor(webSocket: WebSocket, { limits, clock }: ChannelTarget) {
    this.#webSocket = webSocket
    this.#limits = limits
    this.#clock = clock
    this.#heardAtMs = clock.monotonic()
    webSocket.on('message', (data: RawData, isBinary: boolean) => this.#receive(data as Buffer, isBinary)) // as: binaryType is nodebuffer, the default
    webSocket.on('ping', () => this.#heard())
    webSocket.on('pong', () => this.#heard())
    webSocket.on('error', (error) => (this.#cause ??= readingError(error)))
    webSocket.on('close', (code: number) => this.#closed(code))
    this.#liveness = clock.setTimeout(() => this.#checkLiveness(), limits.pingMs)
  }

  listen(events: ChannelEvents): void {
    this.#events = events
    for (const message of this.#early.splice(0)) events.received(message)
    if (this.#endedEarly !== undefined) events.ended(this.#endedEarly)
  }

  get hasRoom(): boolean {
    return !this.#isOver && this.#webSocket.readyState === WebSocket.OPEN && this.#webSocket.bufferedAmount <= this.#limits.maxBufferedBytes
  }

  send(message: Uint8Array): void {
    if (this.#isOver || this.#webSocket.readyState !== WebSocket.OPEN) return
    this.#webSocket.send(encodeFrame(message), { binary: true }, () => {
      if (!this.#isOver) this.#events?.drained()
    })
  }

  close(code: number, graceMs: number): Promise<void> {
    this.#isOver = true
    this.#clock.clearTimeout(this.#liveness)
    if (this.#webSocket.readyState === WebSocket.CLOSED) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(() => {
        this.#webSocket.terminate()
        resolve()
      }, graceMs)
      this.#whenClosed = () => {
        this.#clock.clearTimeout(timer)
        resolve()
      }
      this.#webSocket.close(code)
    })
  }

  abort(): void {
    this.#isOver = true
    this.#clock.clearTimeout(this.#liveness)
    this.#webSocket.terminate()
  }

  #receive(data: Uint8Array, isBinary: boolean): void {
    this.#heard()
    if (this.#isOver) return
    if (!isBinary) return this.#refuse(closeCode.unsupportedData, 'the server sent a text message')
    let message: Uint8Array
    try {
      message = decodeFrame(data)
    } catch {
      return this.#refuse(closeCode.protocolError, 'the server sent a message whose header is not 0')
    }
    if (this.#events !== undefined) this.#events.received(message)
    else if (this.#early.push(message) > maxEarlyMessages) this.#refuse(closeCode.protocolError, 'the server spoke before the agent did')
  }

  /** The peer does not follow the protocol. */
  #refuse(code: number, text: string): void {
    this.#cause ??= new ChannelError('malformed', text)
    this.#webSocket.close(code)
    this.#end(this.#cause)
  }

  #closed(code: number): void {
    this.#whenClosed()
    this.#end(this.#cause ?? closeError(code))
  }

  #end(error: ChannelError): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#clock.clearTimeout(this.#liveness)
    if (this.#events === undefined) this.#endedEarly = error
    else this.#events.ended(error)
  }

  #heard(): void {
    this.#heardAtMs = this.#clock.monotonic()
  }

  #checkLiveness(): void {
    const { pingMs, deadMs } = this.#limits
    const idleMs = this.#clock.monotonic() - this.#heardAtMs
    if (idleMs >= deadMs) {
      this.#webSocket.terminate()
      return this.#end(new ChannelError('lost', 'the server does not answer any more'))
    }
    if (idleMs >= pingMs && this.#webSocket.readyState === WebSocket.OPEN) this.#webSocket.ping()
    const nextMs = idleMs >= pingMs ? Math.min(pingMs, deadMs - idleMs) : pingMs - idleMs
    this.#liveness = this.#clock.setTimeout(() => this.#checkLiveness(), nextMs)
  }
}

/** `ws` has sent the right close code by then. */
function readingError(error: Error & { readonly code?: string }): ChannelError {
  if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')
    return new ChannelError('oversized', 'the server sent a message larger than is taken', { cause: error })
  if (error.code?.startsWith('WS_ERR_') === true) return new ChannelError('malformed', 'the server broke the WebSocket protocol', { cause: error })
  return asChannelError(error, 'lost')
}

/** What the Server means by its close code. */
function closeError(code: number): ChannelError {
  switch (code) {
    case closeCode.tooLarge:
      return new ChannelError('too-large', 'the server takes no message as large as ours')
    case 1006:
      return new ChannelError('lost', 'the connection broke')
    case 1013:
      return new ChannelError('overloaded', 'the server is overloaded')
    default:
      return new ChannelError('closed', `the server closed the connection (${code})`)
  }
}
