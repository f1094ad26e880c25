/** Reaches a Server: directly or through a proxy, with the TLS settings of the connection. */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'
import type { ConnectionSettings } from '../client.ts'
import { explainConnectError } from '../tls/explain.ts'
import { tlsOptions, TlsSettingsError } from '../tls/tls-options.ts'
import { usesTls } from '../tls/weaker.ts'
import { openHttpTunnel } from './http-tunnel.ts'
import { type Environment, type Proxy, proxyFor, proxyName, ProxySettingsError } from './proxy-for.ts'
import { openSocksTunnel } from './socks-tunnel.ts'
import { ProxyError, type TunnelTarget } from './tunnel.ts'

/** For `http.request`, `https.request` and `ws`. */
export interface ReachOptions extends ConnectionOptions {
  readonly agent?: HttpAgent
}

export interface Connector {
  /** Asked anew for each connection, also for where a redirect leads. Throws for settings that cannot be used. */
  reach(url: URL): ReachOptions
  /** Why a connection to a URL that was reached by this could not be made: a sentence with what to do, without secrets. */
  explain(error: unknown, url: URL): string
  /** For people: by which way, and what TLS demands. Without secrets. */
  describe(): string
  /** Ends what it keeps open, and attempts that are under way. WebSockets live on. */
  close(): void
}

export interface ConnectorOptions {
  /** How long a proxy may take to make the way; default 10 s. */
  readonly proxyTimeoutMs?: number
}

/** What is kept open between polls. */
const agentOptions = { keepAlive: true, maxFreeSockets: 1, scheduling: 'lifo' } as const

/** `env`: where the proxy variables are looked up. Throws a TlsSettingsError or ProxySettingsError at once when the settings cannot be used. */
export function createConnector(
  { endpoint, tls, proxy }: Pick<ConnectionSettings, 'endpoint' | 'tls' | 'proxy'>,
  env: Environment,
  { proxyTimeoutMs = 10_000 }: ConnectorOptions = {},
): Connector {
  const options = tlsOptions(tls)
  const wayToEndpoint = proxyFor(proxy, new URL(endpoint), env)
  const closing = new AbortController()
  const agents = new Map<string, HttpAgent>()

  function agentFor(isSecure: boolean, way: Proxy | undefined): HttpAgent {
    const key = `${isSecure} ${way === undefined ? '' : proxyName(way)}`
    const agent = agents.get(key) ?? makeAgent(isSecure, way, (target) => openTunnel(way, target))
    agents.set(key, agent)
    return agent
  }

  /** Only called with a way. */
  function openTunnel(way: Proxy | undefined, target: TunnelTarget): Promise<Socket> {
    if (way === undefined) throw new TypeError('there is no proxy to go through')
    return limited(
      (signal) => (way.kind === 'socks5' ? openSocksTunnel(way, target, signal) : openHttpTunnel(way, target, options, signal)),
      way,
      proxyTimeoutMs,
      closing.signal,
    )
  }

  return {
    reach: (url) => {
      const isSecure = usesTls(url.href)
      return { ...(isSecure && options), agent: agentFor(isSecure, proxyFor(proxy, url, env)) }
    },
    explain: (error, url) => (isSentence(error) ? error.message : explainConnectError(error, { endpoint: url.href, tls })),
    describe: () => {
      const way = wayToEndpoint === undefined ? 'directly' : `through the proxy ${proxyName(wayToEndpoint)}`
      return `${way}, ${usesTls(endpoint) ? describeTls(tls) : 'without TLS'}`
    },
    close: () => {
      closing.abort()
      for (const agent of agents.values()) agent.destroy()
    },
  }
}

/** Errors of our own say already what is to be said. */
function isSentence(error: unknown): error is Error {
  return error instanceof ProxyError || error instanceof ProxySettingsError || error instanceof TlsSettingsError
}

function makeAgent(isSecure: boolean, way: Proxy | undefined, open: (target: TunnelTarget) => Promise<Socket>): HttpAgent {
  const agent = isSecure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions)
  if (way === undefined) return agent
  agent.createConnection = (options, callback) => {
    const { host = 'localhost', port } = options as { readonly host?: string; readonly port?: number | string } // as: http.Agent gives both
    const connect = async () => {
      const socket = await open({ host, port: Number(port) })
      return isSecure ? tlsConnect({ ...(options as ConnectionOptions), socket }) : socket
    }
    void answer(connect(), (error, socket) => callback?.(error, socket))
    return undefined
  }
  return agent
}

async function answer(connection: Promise<Socket>, callback: (error: Error | null, socket: Socket) => void): Promise<void> {
  let socket
  try {
    socket = await connection
  } catch (error) {
    callback(error as Error, undefined as never) // as: only errors are thrown here, and with one Node looks at no socket
    return
  }
  callback(null, socket)
}

/** Gives the way up after a time, and when the connector is closed. */
async function limited(open: (signal: AbortSignal) => Promise<Socket>, way: Proxy, timeoutMs: number, closing: AbortSignal): Promise<Socket> {
  const limit = new AbortController()
  const tooLong = new ProxyError(`the proxy ${proxyName(way)} does not answer: check its address and the network`)
  const timer = setTimeout(() => limit.abort(tooLong), timeoutMs)
  const end = () => limit.abort(new ProxyError('the connection is no longer wanted'))
  closing.addEventListener('abort', end)
  try {
    closing.throwIfAborted()
    return await open(limit.signal)
  } catch (error) {
    if (limit.signal.aborted) throw limit.signal.reason
    if (error instanceof ProxyError) throw error
    throw new ProxyError(`no way through the proxy ${proxyName(way)}: ${explainConnectError(error, { endpoint: proxyName(way), tls: {} })}`, { cause: error })
  } finally {
    clearTimeout(timer)
    closing.removeEventListener('abort', end)
  }
}

function describeTls({ ca, includeSystemCa, cert, insecureSkipVerify, minVersion = 'TLSv1.2', serverName }: ConnectionSettings['tls']): string {
  const trust =
    insecureSkipVerify === true
      ? 'verifying nobody'
      : ca === undefined
        ? "trusting the system's authorities"
        : `trusting given authorities${includeSystemCa === true ? " and the system's" : ''}`
  return [
    `${minVersion.replace('v', ' ')} or newer`,
    trust,
    ...(serverName === undefined ? [] : [`expecting ${serverName}`]),
    ...(cert === undefined ? [] : ['with a client certificate']),
  ].join(', ')
}
