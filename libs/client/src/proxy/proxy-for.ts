/** Decides by which proxy a URL is reached. Pure: the environment is a value. */
import type { ProxySettings } from '../client.ts'
import { isExempt } from './no-proxy.ts'

export type Environment = Readonly<Record<string, string | undefined>>
type HeaderList = readonly (readonly [name: string, value: string])[]

export interface Proxy {
  readonly kind: 'http' | 'https' | 'socks5'
  readonly host: string
  readonly port: number
  readonly credentials?: { readonly user: string; readonly password: string }
  /** Sent with CONNECT; SOCKS knows no headers. */
  readonly connectHeaders: HeaderList
}

/** The message says where the proxy was named, and shows nothing of its URL but the scheme: it may hold a password. */
export class ProxySettingsError extends Error {
  override readonly name = 'ProxySettingsError'
}

/** `undefined`: directly. `wss` goes by HTTPS_PROXY and `ws` by HTTP_PROXY; ALL_PROXY serves where these say nothing. Throws a ProxySettingsError. */
export function proxyFor(settings: ProxySettings, url: URL, env: Environment): Proxy | undefined {
  switch (settings.kind) {
    case 'none':
      return undefined
    case 'url':
      return parseProxy(settings.url, 'the proxy', settings.connectHeaders)
    case 'environment':
      return environmentProxy(url, env)
    default:
      return settings satisfies never
  }
}

/** For people: without credentials. */
export function proxyName({ kind, host, port }: Proxy): string {
  return `${kind}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Says why no proxy can be made of these settings. */
export function proxyProblem(settings: ProxySettings): string | undefined {
  if (settings.kind !== 'url') return undefined
  try {
    parseProxy(settings.url, 'the proxy', settings.connectHeaders)
    return undefined
  } catch (error) {
    if (error instanceof ProxySettingsError) return error.message
    throw error
  }
}

function environmentProxy(url: URL, env: Environment): Proxy | undefined {
  const isSecure = url.protocol === 'wss:' || url.protocol === 'https:'
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port)
  const named = variable(env, isSecure ? 'HTTPS_PROXY' : 'HTTP_PROXY') ?? variable(env, 'ALL_PROXY')
  if (named === undefined || isExempt(url.hostname, port, variable(env, 'NO_PROXY')?.value ?? '')) return undefined
  return parseProxy(named.value, named.name, [])
}

/** Upper case first; an empty variable is as good as none. */
function variable(env: Environment, name: string): { readonly name: string; readonly value: string } | undefined {
  for (const spelling of [name, name.toLowerCase()]) {
    const value = env[spelling]?.trim()
    if (value !== undefined && value !== '') return { name: spelling, value }
  }
  return undefined
}

const kinds: Readonly<Record<string, { readonly kind: Proxy['kind']; readonly port: number }>> = {
  'http:': { kind: 'http', port: 80 },
  'https:': { kind: 'https', port: 443 },
  // Names are always looked up by the proxy, which may see more than we do: both schemes mean the same, as in Collectors.
  'socks5:': { kind: 'socks5', port: 1080 },
  'socks5h:': { kind: 'socks5', port: 1080 },
}

/** `host:port` alone is a plain HTTP proxy. */
function parseProxy(text: string, source: string, connectHeaders: HeaderList): Proxy {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  if (url === null) throw new ProxySettingsError(`${source} is no URL such as http://proxy.example:3128`)
  const known = kinds[url.protocol]
  if (known === undefined) throw new ProxySettingsError(`${source} has the scheme "${url.protocol}", but only http:, https:, socks5: and socks5h: are known`)
  if (url.hostname === '') throw new ProxySettingsError(`${source} names no host`)
  const credentials = parseCredentials(url, source)
  for (const [name, value] of connectHeaders) assertHeader(name, value)
  return {
    kind: known.kind,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? known.port : Number(url.port),
    ...(credentials !== undefined && { credentials }),
    connectHeaders,
  }
}

function parseCredentials({ username, password }: URL, source: string): Proxy['credentials'] {
  if (username === '' && password === '') return undefined
  try {
    return { user: decodeURIComponent(username), password: decodeURIComponent(password) }
  } catch (cause) {
    throw new ProxySettingsError(`${source} has credentials that are not percent-encoded properly`, { cause })
  }
}

function assertHeader(name: string, value: string): void {
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(name)) throw new ProxySettingsError('a header for the proxy has a name that no header may have')
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw new ProxySettingsError(`the header "${name}" for the proxy has a value that no header may have`)
}
