/** Proxies for tests. All lead to 127.0.0.1, whatever host they are asked for. */
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { ServerOptions } from 'node:https'
import { connect, createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'

export interface TestProxy extends AsyncDisposable {
  readonly port: number
  /** `host:port` that was asked for, with headers (HTTP) or credentials (SOCKS), and the name of the client's certificate. */
  readonly asked: readonly { readonly authority: string; readonly headers?: IncomingHttpHeaders; readonly credentials?: string; readonly peer?: string }[]
}

/** Answers CONNECT with `status`; 200 opens the way. With `tls` the proxy itself is https. */
export async function startHttpProxy(status = 200, tls?: ServerOptions): Promise<TestProxy> {
  const asked: TestProxy['asked'][number][] = []
  const server: Server = tls === undefined ? createHttpServer() : createHttpsServer(tls)
  const sockets = new Set<Duplex>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    const certificate = tls === undefined ? undefined : (request.socket as TLSSocket).getPeerCertificate() // as: a server of https
    const peer: unknown = certificate?.subject?.CN
    asked.push({ authority: request.url ?? '', headers: request.headers, ...(typeof peer === 'string' && { peer }) })
    client.on('error', () => undefined)
    if (status !== 200) return void client.end(`HTTP/1.1 ${status} No\r\nContent-Length: 2\r\n\r\nno`)
    join(client, portOf(request.url ?? ''), () => client.write('HTTP/1.1 200 Connection established\r\n\r\n'), sockets, head)
  })
  return listening(server, sockets, asked)
}

/** `credentials` as `user:password`; absent: none are asked for. `reply`: of the request to connect. */
export async function startSocksProxy(credentials?: string, reply = 0): Promise<TestProxy> {
  const asked: TestProxy['asked'][number][] = []
  const sockets = new Set<Duplex>()
  const server = createTcpServer((client) => {
    sockets.add(client)
    client.on('error', () => undefined)
    void speakSocks(client, { credentials, reply, sockets, asked }).catch(() => client.destroy())
  })
  return listening(server, sockets, asked)
}

interface SocksSession {
  readonly credentials: string | undefined
  readonly reply: number
  readonly sockets: Set<Duplex>
  readonly asked: TestProxy['asked'][number][]
}

async function speakSocks(client: Socket, { credentials, reply, sockets, asked }: SocksSession): Promise<void> {
  const [, count = 0] = await read(client, 2)
  const methods = await read(client, count)
  const method = credentials === undefined ? 0 : methods.includes(2) ? 2 : 255
  client.write(Uint8Array.of(5, method))
  let given: string | undefined
  if (method === 2) {
    const user = await read(client, (await read(client, 2))[1] ?? 0)
    const password = await read(client, (await read(client, 1))[0] ?? 0)
    given = `${user.toString()}:${password.toString()}`
    client.write(Uint8Array.of(1, given === credentials ? 0 : 1))
    if (given !== credentials) return
  }
  const kind = (await read(client, 4))[3]
  const host = kind === 3 ? (await read(client, (await read(client, 1))[0] ?? 0)).toString() : [...(await read(client, kind === 1 ? 4 : 16))].join('.')
  const port = (await read(client, 2)).readUInt16BE(0)
  asked.push({ authority: `${host}:${port}`, ...(given !== undefined && { credentials: given }) })
  const answer = Uint8Array.of(5, reply, 0, 3, 4, 104, 111, 115, 116, 0, 80)
  if (reply === 0) join(client, port, () => client.write(answer), sockets)
  else client.end(answer)
}

async function read(socket: Socket, length: number): Promise<Buffer> {
  if (length === 0) return Buffer.alloc(0)
  for (;;) {
    const chunk = socket.read(length) as Buffer | null // as: no encoding is set
    if (chunk !== null) return chunk
    await once(socket, 'readable')
  }
}

const portOf = (authority: string) => Number(authority.slice(authority.lastIndexOf(':') + 1))

function join(client: Duplex, port: number, opened: () => void, sockets: Set<Duplex>, head?: Buffer): void {
  const upstream = connect(port, '127.0.0.1', () => {
    opened()
    if (head !== undefined) upstream.write(head)
    upstream.pipe(client).pipe(upstream)
  })
  sockets.add(upstream)
  upstream.on('error', () => client.destroy())
  client.on('close', () => upstream.destroy())
}

async function listening(server: ReturnType<typeof createTcpServer>, sockets: ReadonlySet<Duplex>, asked: TestProxy['asked']): Promise<TestProxy> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port, // as: it listens on a port
    asked,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => void server.close(resolve))
    },
  }
}
