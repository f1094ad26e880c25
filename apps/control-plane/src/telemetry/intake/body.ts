/** Reads and decompresses the body of a request within limits, so that what is too much is never in memory. */
import type { IncomingMessage } from 'node:http'
import { gunzip } from 'node:zlib'
import { Refusal } from './refusal.ts'

export interface BodyLimits {
  readonly maxBodyBytes: number
  readonly maxDecodedBytes: number
  readonly bodyTimeoutMs: number
  readonly maxInFlightBytes: number
  readonly maxDecompressions: number
}

export class BodyReader {
  readonly #limits: BodyLimits
  #inFlightBytes = 0
  #decompressing = 0
  readonly #waiting: (() => void)[] = []

  constructor(limits: BodyLimits) {
    this.#limits = limits
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes
  }

  /** Gives the decoded body to `use`, and counts it as in memory until that ends. @throws {Refusal} */
  async read(request: IncomingMessage, use: (body: Buffer) => void): Promise<void> {
    const coding = codingOf(request)
    const { maxBodyBytes } = this.#limits
    if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge(maxBodyBytes)
    let reserved = 0
    const reserve = (bytes: number) => {
      if (this.#inFlightBytes + bytes > this.#limits.maxInFlightBytes) throw new Refusal('busy', 'the server has too much to do: come back later')
      this.#inFlightBytes += bytes
      reserved += bytes
    }
    try {
      const body = await this.#collect(request, reserve)
      use(coding === 'gzip' ? await this.#gunzip(body, reserve) : body)
    } finally {
      this.#inFlightBytes -= reserved
    }
  }

  async #collect(request: IncomingMessage, reserve: (bytes: number) => void): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    const { maxBodyBytes, bodyTimeoutMs } = this.#limits
    const chunks: Buffer[] = []
    let bytes = 0
    const onData = (chunk: Buffer) => {
      try {
        bytes += chunk.length
        if (bytes > maxBodyBytes) throw tooLarge(maxBodyBytes)
        reserve(chunk.length)
        chunks.push(chunk)
      } catch (error) {
        reject(error as Error) // as: what reserve and tooLarge make
      }
    }
    const onEnd = () => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks))
    const onGone = () => reject(new Refusal('malformed', 'the connection was closed before the body was complete'))
    const timer = setTimeout(() => reject(new Refusal('slow', `the body was not complete within ${bodyTimeoutMs} ms`)), bodyTimeoutMs)
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      request.off('data', onData).off('end', onEnd).off('close', onGone)
    }
  }

  async #gunzip(body: Buffer, reserve: (bytes: number) => void): Promise<Buffer> {
    const { maxDecodedBytes, maxDecompressions } = this.#limits
    if (this.#decompressing >= maxDecompressions) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#decompressing++
    try {
      const decoded = await decompress(body, maxDecodedBytes)
      reserve(decoded.length)
      return decoded
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#decompressing--
      else next()
    }
  }
}

function codingOf(request: IncomingMessage): 'gzip' | 'identity' {
  const coding = request.headers['content-encoding']?.trim().toLowerCase() ?? ''
  if (coding === 'gzip' || coding === 'x-gzip') return 'gzip'
  if (coding === '' || coding === 'identity') return 'identity'
  throw new Refusal('content-encoding', 'the content encoding has to be gzip or identity')
}

function decompress(body: Buffer, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gunzip(body, { maxOutputLength: maxBytes }, (error, decoded) => {
      if (error === null) resolve(decoded)
      else if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') reject(tooLarge(maxBytes))
      else reject(new Refusal('malformed', 'the body is not what gzip makes'))
    })
  })
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal('too-large', `the body has more than ${maxBytes} bytes; send less at a time`)
}
