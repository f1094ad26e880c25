/** A receiver of calls on a real socket, for tests: it notes what comes and answers as it is told. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http'
import { createServer as createEncryptedServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface ReceivedCall {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export type Reply = (response: ServerResponse, call: ReceivedCall) => void

export interface TestReceiver extends AsyncDisposable {
  readonly port: number
  /** With the address 127.0.0.1. */
  readonly url: string
  readonly calls: ReceivedCall[]
  reply: Reply
  /** Resolves when so many calls have come in all. */
  untilCalls(count: number): Promise<void>
}

export async function startTestReceiver(
  reply: Reply = (response) => void response.end('{}'),
  certificate?: { readonly cert: string; readonly key: string },
): Promise<TestReceiver> {
  const calls: ReceivedCall[] = []
  const listeners = new Set<() => void>()
  const server: Server = certificate === undefined ? createServer() : createEncryptedServer(certificate)
  server.on('request', (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const call = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() }
      calls.push(call)
      receiver.reply(response, call)
      for (const listener of listeners) listener()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // as: it listens on TCP
  const receiver: TestReceiver = {
    port,
    url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    calls,
    reply,
    untilCalls: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (calls.length < count) return
          listeners.delete(look)
          resolve()
        }
        listeners.add(look)
        look()
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return receiver
}
