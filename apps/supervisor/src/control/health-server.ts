/** `/health` of the supervisor, for probes: 200 once state and configuration are loaded, whether the Server can be reached or not. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface HealthServerOptions {
  /** Empty: all addresses. */
  readonly host: string
  readonly port: number
  readonly path: string
}

export interface HealthServer extends AsyncDisposable {
  readonly port: number
}

const maxConnections = 64
const requestTimeoutMs = 5_000
const maxHeaderBytes = 8_192

/** Throws when the port cannot be had, with a sentence. */
export async function startHealthServer({ host, port, path }: HealthServerOptions, isReady: () => boolean): Promise<HealthServer> {
  const server = createServer(
    { maxHeaderSize: maxHeaderBytes, headersTimeout: requestTimeoutMs, requestTimeout: requestTimeoutMs, connectionsCheckingInterval: requestTimeoutMs },
    (request, response) => {
      const known = request.url?.split('?', 1)[0] === path
      const allowed = request.method === 'GET' || request.method === 'HEAD'
      const ready = isReady()
      // Nothing is kept open, and a body is never read.
      response.writeHead(!known ? 404 : !allowed ? 405 : ready ? 200 : 503, { connection: 'close', 'content-type': 'text/plain' })
      response.end(known && allowed && !ready ? 'starting\n' : undefined)
    },
  )
  server.maxConnections = maxConnections
  server.listen({ port, ...(host === '' ? {} : { host }) })
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new Error(`healthcheck.endpoint: ${reasonOf(cause, host, port)}`, { cause })
  }
  server.unref()
  return {
    port: (server.address() as AddressInfo).port, // as: it listens on a TCP port
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function reasonOf(error: unknown, host: string, port: number): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code // as: what node:net throws
  const place = `${host === '' ? '' : `${host} `}port ${port}`
  if (code === 'EADDRINUSE') return `another program uses ${place}`
  if (code === 'EACCES') return `this user may not use ${place}`
  return error instanceof Error ? error.message : String(error)
}
