/** A way through a SOCKS5 proxy (RFC 1928, passwords as in RFC 1929). */
import { connect, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { type Proxy, proxyName } from './proxy-for.ts'
import { ProxyError, type TunnelTarget } from './tunnel.ts'

const socksVersion = 5
const noAuthentication = 0
const userAndPassword = 2

const replies: Readonly<Record<number, string>> = {
  1: 'it failed',
  2: 'its rules do not allow it',
  3: 'the network cannot be reached',
  4: 'the host cannot be reached',
  5: 'the connection was refused',
  6: 'it took too long',
  7: 'it does not know the command',
  8: 'it does not know the kind of address',
}

export async function openSocksTunnel(proxy: Proxy, target: TunnelTarget, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host: proxy.host, port: proxy.port, signal })
  try {
    await connected(socket)
    await authenticate(socket, proxy)
    await requestConnection(socket, proxy, target)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

async function authenticate(socket: Socket, proxy: Proxy): Promise<void> {
  const { credentials } = proxy
  const methods = credentials === undefined ? [noAuthentication] : [noAuthentication, userAndPassword]
  socket.write(Uint8Array.from([socksVersion, methods.length, ...methods]))
  const [version, method] = await readExactly(socket, 2, proxy)
  if (version !== socksVersion) throw new ProxyError(`${proxyName(proxy)} is no SOCKS5 proxy`)
  if (method === noAuthentication) return
  if (method !== userAndPassword || credentials === undefined) throw new ProxyError(`the proxy ${proxyName(proxy)} asks for credentials: put them into its URL`)
  socket.write(Uint8Array.from([1, ...shortText(credentials.user), ...shortText(credentials.password)]))
  const [, status] = await readExactly(socket, 2, proxy)
  if (status !== 0) throw new ProxyError(`the proxy ${proxyName(proxy)} does not take the credentials`)
}

async function requestConnection(socket: Socket, proxy: Proxy, { host, port }: TunnelTarget): Promise<void> {
  socket.write(Uint8Array.from([socksVersion, 1, 0, ...address(host), port >> 8, port & 0xff]))
  const [version, reply = 1, , kind] = await readExactly(socket, 4, proxy)
  if (version !== socksVersion) throw new ProxyError(`${proxyName(proxy)} is no SOCKS5 proxy`)
  if (reply !== 0) throw new ProxyError(`the proxy ${proxyName(proxy)} could not connect to the Server: ${replies[reply] ?? `reply ${reply}`}`)
  // The address that the proxy uses is of no interest, but must be read.
  const length = kind === 1 ? 4 : kind === 4 ? 16 : ((await readExactly(socket, 1, proxy))[0] ?? 0)
  await readExactly(socket, length + 2, proxy)
}

/** Addresses go as they are; names are looked up by the proxy. */
function address(host: string): readonly number[] {
  if (isIP(host) === 4) return [1, ...host.split('.').map(Number)]
  if (isIP(host) === 6) return [4, ...ipv6Bytes(host)]
  return [3, ...shortText(host)]
}

/** By way of a URL's host, which has no `::ffff:1.2.3.4` any more. */
function ipv6Bytes(host: string): readonly number[] {
  const [head = '', tail] = new URL(`http://[${host}]`).hostname.slice(1, -1).split('::')
  const words = (text: string) => (text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16)))
  const [first, last] = [words(head), words(tail ?? '')]
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last].flatMap((word) => [word >> 8, word & 0xff])
}

/** A byte for the length, then the text. */
function shortText(text: string): readonly number[] {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length > 255) throw new ProxyError('a name, user or password is longer than the 255 bytes that SOCKS5 allows')
  return [bytes.length, ...bytes]
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve()
    })
  })
}

/** Takes no byte more than it was asked for: the next ones belong to the Server. */
function readExactly(socket: Socket, length: number, proxy: Proxy): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      socket.off('readable', read)
      socket.off('error', fail)
      socket.off('close', end)
      socket.off('end', end)
      settle()
    }
    const fail = (error: Error) => finish(() => reject(error))
    const end = () => fail(new ProxyError(`the proxy ${proxyName(proxy)} closed the connection`))
    const read = () => {
      const chunk = socket.read(length) as Buffer | null // as: no encoding is set
      if (chunk !== null) finish(() => resolve(chunk))
    }
    socket.on('readable', read)
    socket.on('error', fail)
    socket.on('close', end)
    socket.on('end', end)
    read()
  })
}
