/** A way through an HTTP proxy: CONNECT. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { ProxyError, type TunnelTarget } from './tunnel.ts'
import { type Proxy, proxyName } from './proxy-for.ts'

/** Node's own parser reads the answer, so its size is bounded and what is sent is checked. */
export function openHttpTunnel(proxy: Proxy, target: TunnelTarget, tls: ConnectionOptions, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const authority = `${isIP(target.host) === 6 ? `[${target.host}]` : target.host}:${target.port}`
    const options = {
      method: 'CONNECT',
      host: proxy.host,
      port: proxy.port,
      path: authority,
      headers: connectHeaders(proxy, authority),
      agent: false as const,
      signal,
    }
    const request = proxy.kind === 'https' ? httpsRequest({ ...options, ...proxyTls(proxy, tls) }) : httpRequest(options)
    request.once('connect', ({ statusCode = 0 }, socket: Socket, head) => {
      if (statusCode >= 200 && statusCode <= 299) {
        if (head.length > 0) socket.unshift(head)
        resolve(socket)
      } else {
        socket.destroy()
        reject(new ProxyError(refusal(proxy, statusCode)))
      }
    })
    request.once('error', reject)
    request.end()
  })
}

function connectHeaders(proxy: Proxy, authority: string): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.create(null) // as good as {}, but knows no `__proto__`
  headers['Host'] = authority
  headers['Connection'] = 'keep-alive'
  if (proxy.credentials !== undefined)
    headers['Proxy-Authorization'] = `Basic ${Buffer.from(`${proxy.credentials.user}:${proxy.credentials.password}`).toString('base64')}`
  for (const [name, value] of proxy.connectHeaders) {
    const spelling = Object.keys(headers).find((known) => known.toLowerCase() === name.toLowerCase()) ?? name
    const former = isOwn(spelling) ? undefined : headers[spelling]
    headers[spelling] = former === undefined ? value : [former, value].flat()
  }
  return headers
}

/** Headers that are there once: a given one takes the place of ours. */
const isOwn = (name: string) => /^(host|connection|proxy-authorization)$/i.test(name)

/** The connection's own settings, but for the name to verify: that is the Server's, not the proxy's. */
function proxyTls({ host }: Proxy, { checkServerIdentity: _, ...tls }: ConnectionOptions): ConnectionOptions {
  return { ...tls, servername: isIP(host) === 0 ? host : '', ALPNProtocols: ['http/1.1'] }
}

function refusal(proxy: Proxy, status: number): string {
  if (status === 407)
    return `the proxy ${proxyName(proxy)} asks for ${proxy.credentials === undefined ? 'credentials: put them into its URL' : 'other credentials'} (407)`
  if (status === 403) return `the proxy ${proxyName(proxy)} does not allow connections to the Server (403)`
  return `the proxy ${proxyName(proxy)} could not connect to the Server (${status})`
}
