/** Listening sockets: open one, and say plainly why that failed. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatHostPort } from './config/host-port.ts'
import type { HostPort } from './config/host-port.ts'

/** An address cannot be listened on. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

/** Returns where it listens; the port is the real one when 0 was asked for. @throws {ListenError} */
export async function listen(server: Server, where: HostPort, option: string): Promise<HostPort> {
  try {
    return await tryListen(server, where)
  } catch (error) {
    const code = codeOf(error)
    // "All addresses" on a machine without IPv6.
    if (where.host === '::' && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL')) return tryListen(server, { host: '0.0.0.0', port: where.port })
    throw new ListenError(`cannot listen on ${formatHostPort(where)}: ${REASONS[code] ?? String(error)} (--${option})`, { cause: error })
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there already; stop it, or choose another port',
  EACCES: 'this user may not listen on that port; choose one above 1023',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'the name is not known',
}

function tryListen(server: Server, { host, port }: HostPort): Promise<HostPort> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve({ host, port: (server.address() as AddressInfo).port }) // as: it listens on TCP
    })
  })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
