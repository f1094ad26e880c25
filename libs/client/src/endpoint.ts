/** Endpoints: checked, and as they may be shown. Pure. */
import type { ConnectionSettings } from './client.ts'
import { ChannelError } from './transport/channel-error.ts'

/** Throws a ChannelError unless it is an absolute `ws:`, `wss:`, `http:` or `https:` URL. */
export function parseEndpoint(endpoint: string): URL {
  const url = URL.parse(endpoint)
  if (url === null) throw new ChannelError('connect', 'the endpoint is not a URL')
  if (!['ws:', 'wss:', 'http:', 'https:'].includes(url.protocol)) throw new ChannelError('connect', 'the endpoint must begin with ws, wss, http or https')
  url.hash = ''
  return url
}

/** Without what may be secret: userinfo and query. */
export function endpointName(endpoint: string): string {
  const url = URL.parse(endpoint)
  return url === null ? 'an invalid URL' : `${url.protocol}//${url.host}${url.pathname}`
}

/** Whether the Server is who it should be and nobody listens: TLS with verification, or no network at all. */
export function isSafeForSecrets({ endpoint, tls }: ConnectionSettings): boolean {
  const { protocol, hostname } = new URL(endpoint)
  if (protocol === 'wss:' || protocol === 'https:') return tls.insecureSkipVerify !== true
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}
