/** Bodies of plain HTTP requests and responses, with the one content coding the protocol names: gzip. */
import { ProtocolError } from './errors.ts'

/** Below this, gzip saves less than a network packet and costs more time than it saves. */
const minGzipBytes = 1024

/**
 * Undoes the content coding. `maxBytes` bounds the result, and the memory used on the way to it: decompression stops
 * as soon as it is exceeded. Throws ProtocolError `too-large`, `bad-encoding` or `unsupported-encoding`.
 */
export async function decodeHttpBody(body: Uint8Array, contentEncoding: string | undefined, maxBytes: number): Promise<Uint8Array> {
  const coding = contentEncoding?.trim().toLowerCase() ?? ''
  if (coding === '' || coding === 'identity') {
    if (body.length > maxBytes) throw tooLarge(maxBytes)
    return body
  }
  // `x-gzip` is gzip by RFC 9110.
  if (coding !== 'gzip' && coding !== 'x-gzip') throw new ProtocolError('unsupported-encoding', 'the content coding is not gzip')
  // Compressed data can be a little larger than what it holds, but not larger than what we accept.
  if (body.length > maxBytes) throw tooLarge(maxBytes)
  return gunzip(body, maxBytes)
}

/** Compresses what is worth it when the peer's Accept-Encoding allows gzip. */
export async function encodeHttpBody(
  body: Uint8Array,
  acceptEncoding: string | undefined,
): Promise<{ readonly body: Uint8Array; readonly contentEncoding?: 'gzip' }> {
  if (body.length < minGzipBytes || !acceptsGzip(acceptEncoding)) return { body }
  const compressed = await collect(pipe(body, new CompressionStream('gzip')), Number.POSITIVE_INFINITY)
  return { body: compressed, contentEncoding: 'gzip' }
}

async function gunzip(body: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  try {
    return await collect(pipe(body, new DecompressionStream('gzip')), maxBytes)
  } catch (cause) {
    if (cause instanceof ProtocolError) throw cause
    throw new ProtocolError('bad-encoding', 'the body is not what gzip makes', { cause })
  }
}

function pipe(body: Uint8Array, transform: CompressionStream | DecompressionStream): ReadableStream<Uint8Array> {
  const writer = transform.writable.getWriter()
  // What goes wrong in writing comes out of the readable side as well, where it is handled.
  const ignore = () => undefined
  writer.write(new Uint8Array(body)).catch(ignore)
  writer.close().catch(ignore)
  return transform.readable
}

async function collect(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = stream.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length
    if (size > maxBytes) {
      await reader.cancel().catch(() => undefined)
      throw tooLarge(maxBytes)
    }
    chunks.push(next.value)
  }
  return concat(chunks, size)
}

function concat(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}

function acceptsGzip(acceptEncoding: string | undefined): boolean {
  const codings = (acceptEncoding ?? '').toLowerCase().split(',').map(parseCoding)
  const gzip = codings.find(({ name }) => name === 'gzip' || name === 'x-gzip') ?? codings.find(({ name }) => name === '*')
  return gzip !== undefined && gzip.quality > 0
}

function parseCoding(text: string): { name: string; quality: number } {
  const [name = '', ...parameters] = text.split(';').map((part) => part.trim())
  const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  return { name, quality: quality === undefined ? 1 : Number(quality) }
}

function tooLarge(maxBytes: number): ProtocolError {
  return new ProtocolError('too-large', `the body has more than ${maxBytes} bytes`)
}
