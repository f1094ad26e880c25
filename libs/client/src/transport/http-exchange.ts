/** One HTTP exchange: a POST, its redirects, and the whole answer within its limits. */
import { type IncomingMessage, request as requestHttp, type RequestOptions } from 'node:http'
import { request as requestHttps } from 'node:https'
import { decodeHttpBody, ProtocolError } from '@drover/protocol'
import { asChannelError, ChannelError } from './channel-error.ts'
import type { Connector } from './connector.ts'
import { groupHeaders } from './header-list.ts'
import { type Destination, followRedirect, type HeaderList, isRedirect } from './redirect.ts'

export interface HttpAnswer {
  readonly status: number
  readonly retryAfter: string | undefined
  /** Decoded; empty unless the answer is a message. */
  readonly body: Uint8Array
  readonly contentType: string
}

export interface HttpExchangeOptions {
  readonly endpoint: URL
  readonly connector: Connector
  /** Of the settings; they do not follow to another host. */
  readonly headers: HeaderList
  /** Of the message. */
  readonly ownHeaders: HeaderList
  readonly body: Uint8Array
  readonly maxIncomingBytes: number
  readonly maxRedirects: number
  readonly signal: AbortSignal
}

/** Rejects with a ChannelError when there is no answer, or one that must not be used. */
export async function exchangeHttp(options: HttpExchangeOptions): Promise<HttpAnswer> {
  const { endpoint, maxRedirects, maxIncomingBytes } = options
  let destination: Destination = { url: endpoint, headers: options.headers }
  for (let redirects = 0; ; redirects++) {
    const response = await requestOnce(destination, options)
    const status = response.statusCode ?? 0
    if (!isRedirect(status)) return readAnswer(response, status, maxIncomingBytes)
    response.destroy()
    if (redirects >= maxRedirects) throw new ChannelError('redirect', `the server redirected more than ${maxRedirects} times`)
    destination = followRedirect(destination, response.headers.location, endpoint)
  }
}

/** A connection kept from the last poll may have been closed by the Server just now: the message is sent once more on a new one. */
async function requestOnce(destination: Destination, options: HttpExchangeOptions): Promise<IncomingMessage> {
  const first = await post(destination, options)
  if ('message' in first) return first.message
  if (!first.mayRepeat) throw first.error
  const second = await post(destination, options)
  if ('message' in second) return second.message
  throw second.error
}

type Posted = { readonly message: IncomingMessage } | { readonly error: ChannelError; readonly mayRepeat: boolean }

function post({ url, headers }: Destination, { connector, ownHeaders, body, signal }: HttpExchangeOptions): Promise<Posted> {
  return new Promise((resolve, reject) => {
    const requestOptions: RequestOptions = {
      ...connector.reach(url),
      method: 'POST',
      headers: { ...groupHeaders(headers), ...groupHeaders(ownHeaders), 'content-length': body.length },
      signal,
    }
    const request = url.protocol === 'https:' ? requestHttps(url, requestOptions) : requestHttp(url, requestOptions)
    request.once('response', (message) => resolve({ message }))
    request.on('error', (error) => {
      if (signal.aborted) return reject(abortReason(signal))
      const isReset = 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
      resolve({ error: asChannelError(error, 'connect', () => connector.explain(error, url)), mayRepeat: request.reusedSocket && isReset })
    })
    request.end(body)
  })
}

/** The body is read only of an answer that can hold a message: 200, or 400 with the reason in the form of a message. */
async function readAnswer(response: IncomingMessage, status: number, maxBytes: number): Promise<HttpAnswer> {
  const contentType = (response.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase() // !: split gives at least one
  const answer = { status, retryAfter: response.headers['retry-after'], contentType }
  if (status !== 200 && !(status === 400 && contentType === protobufType)) {
    response.destroy()
    return { ...answer, body: new Uint8Array() }
  }
  const raw = await readBounded(response, maxBytes)
  try {
    return { ...answer, body: await decodeHttpBody(raw, response.headers['content-encoding'], maxBytes) }
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'too-large') throw oversized()
    throw new ChannelError('malformed', 'the answer of the server cannot be decoded', { cause: error })
  }
}

export const protobufType = 'application/x-protobuf'

async function readBounded(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      // as: no encoding is set
      bytes += chunk.length
      if (bytes > maxBytes) throw oversized() // ends the response as well
      chunks.push(chunk)
    }
  } catch (error) {
    throw asChannelError(error, 'lost')
  }
  return Buffer.concat(chunks)
}

export function abortReason(signal: AbortSignal): ChannelError {
  return signal.reason instanceof ChannelError ? signal.reason : new ChannelError('aborted', 'the exchange was given up')
}

function oversized(): ChannelError {
  return new ChannelError('oversized', 'the server sent a message larger than is taken')
}
