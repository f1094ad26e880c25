/** Which redirects are followed, and with which headers. Pure. */
import { ChannelError } from './channel-error.ts'

export type HeaderList = readonly (readonly [name: string, value: string])[]

/** Where requests go now: the endpoint, or where a redirect led. */
export interface Destination {
  readonly url: URL
  readonly headers: HeaderList
}

/** A POST stays a POST and an upgrade an upgrade; 303 asks for a GET of something else. */
export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 307 || status === 308
}

/**
 * Throws a ChannelError for one that leads nowhere or to a weaker protection. The configured headers hold credentials: they go along within the
 * configured host and its subdomains only.
 */
export function followRedirect(from: Destination, location: string | undefined, endpoint: URL): Destination {
  const target = URL.parse(location ?? '', from.url)
  if (location === undefined || target === null) throw new ChannelError('redirect', 'the server redirects to nowhere')
  const secure = isSecure(target)
  if (secure === undefined) throw new ChannelError('redirect', `the server redirects to ${target.protocol}`)
  if (!secure && isSecure(from.url) === true) throw new ChannelError('redirect', `the server redirects from TLS to ${target.host} without it`)
  // Servers write http(s) also where ws(s) is meant.
  const scheme = from.url.protocol.startsWith('ws') ? 'ws' : 'http'
  const url = new URL(`${scheme}${secure ? 's' : ''}://${target.host}${target.pathname}${target.search}`)
  const staysHome = url.hostname === endpoint.hostname || url.hostname.endsWith(`.${endpoint.hostname}`)
  return { url, headers: staysHome ? from.headers : [] }
}

function isSecure({ protocol }: URL): boolean | undefined {
  if (protocol === 'https:' || protocol === 'wss:') return true
  return protocol === 'http:' || protocol === 'ws:' ? false : undefined
}
