/** For tests: reads any protobuf message by its field numbers, and receives OTLP requests. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'

export type Wire = ReadonlyMap<number, readonly (Uint8Array | bigint)[]>

export function readWire(bytes: Uint8Array): Wire {
  const reader = new BinaryReader(bytes)
  const fields = new Map<number, (Uint8Array | bigint)[]>()
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    const value = type === WireType.LengthDelimited ? reader.bytes().slice() : type === WireType.Bit64 ? BigInt(reader.fixed64()) : BigInt(reader.uint64())
    fields.set(field, [...(fields.get(field) ?? []), value])
  }
  return fields
}

/** The message at a path of field numbers; each takes the first, or the one at `[field, index]`. */
export function messageAt(bytes: Uint8Array, ...path: readonly (number | readonly [number, number])[]): Uint8Array {
  return path.reduce<Uint8Array>((message, step) => {
    const [field, index] = typeof step === 'number' ? [step, 0] : step
    const found = readWire(message).get(field)?.[index]
    if (!(found instanceof Uint8Array)) throw new Error(`no message at field ${field}`)
    return found
  }, bytes)
}

export function textAt(bytes: Uint8Array, ...path: readonly (number | readonly [number, number])[]): string {
  return new TextDecoder().decode(messageAt(bytes, ...path))
}

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array
}

export interface Receiver extends AsyncDisposable {
  readonly url: string
  /** What the next request is answered with; 200 unless said otherwise. */
  status: number
  readonly received: readonly Received[]
  next(): Promise<Received>
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = []
  let wake = Promise.withResolvers<void>()
  let taken = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, body: new Uint8Array(Buffer.concat(chunks)) })
      response.statusCode = receiver.status
      response.end()
      wake.resolve()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // as: it listens on a TCP port
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}`,
    status: 200,
    received,
    async next() {
      for (;;) {
        wake = Promise.withResolvers()
        const found = received[taken]
        if (found !== undefined) {
          taken += 1
          return found
        }
        await wake.promise
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return receiver
}
