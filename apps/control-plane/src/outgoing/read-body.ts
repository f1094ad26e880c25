/** Reads the body of an answer, bounded before and after decompression. */
import type { IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createInflate } from 'node:zlib'
import { OutgoingError } from './errors.ts'

/** @throws {OutgoingError} */
export async function readBody(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(answer.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const received = limit(answer, maxBytes)
  const unpack = unpackerOf(answer.headers['content-encoding'])
  if (unpack === undefined) return collect(received)
  try {
    return await pipeline(received, unpack, (unpacked) => collect(limit(unpacked, maxBytes)))
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))
      throw new OutgoingError('bad-answer', 'the answer cannot be decompressed')
    throw error
  }
}

/** Nothing was asked for, but some servers compress always. */
function unpackerOf(encoding: string | undefined): ReturnType<typeof createGunzip> | ReturnType<typeof createInflate> | undefined {
  switch (encoding?.trim().toLowerCase() ?? '') {
    case '':
    case 'identity':
      return undefined
    case 'gzip':
    case 'x-gzip':
      return createGunzip()
    case 'deflate':
      return createInflate()
    default:
      throw new OutgoingError('bad-answer', 'the answer is compressed in a way that was not asked for')
  }
}

async function* limit(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer, void> {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > maxBytes) throw tooLarge(maxBytes)
    yield chunk
  }
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}

function tooLarge(maxBytes: number): OutgoingError {
  return new OutgoingError('too-large', `the answer is larger than ${maxBytes} bytes`)
}
