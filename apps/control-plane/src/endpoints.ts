/** The addresses that people and agents use, made from where the server listens or from what the configuration says. */
import { reachableHost } from './config/host-port.ts'
import type { HostPort } from './config/host-port.ts'
import type { ControlPlaneConfig } from './config/options.ts'

/** Where agents speak OpAMP. */
export const OPAMP_PATH = '/v1/opamp'

/** E.g. `ws://127.0.0.1:4320/v1/opamp`. */
export function agentsEndpoint({ agentsUrl }: Pick<ControlPlaneConfig, 'agentsUrl'>, listening: HostPort): string {
  if (agentsUrl === null) return `ws://${reachableHost(listening.host)}:${listening.port}${OPAMP_PATH}`
  const url = new URL(agentsUrl)
  // Written as a string: the URL class refuses to change http into ws.
  const scheme = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss' : 'ws'
  return `${scheme}://${url.host}${url.pathname === '/' ? OPAMP_PATH : url.pathname}`
}

/** Where agents reach whatever else the agents listener serves, e.g. `http://127.0.0.1:4320`; below the same path as OpAMP behind a proxy. */
export function agentsOrigin(config: Pick<ControlPlaneConfig, 'agentsUrl'>, listening: HostPort): string {
  const url = new URL(agentsEndpoint(config, listening).replace(/^ws/, 'http'))
  return url.origin + (url.pathname.endsWith(OPAMP_PATH) ? url.pathname.slice(0, -OPAMP_PATH.length) : '')
}

/** E.g. `http://127.0.0.1:4321`, without a slash at the end. */
export function consoleOrigin({ consoleUrl }: Pick<ControlPlaneConfig, 'consoleUrl'>, listening: HostPort): string {
  return consoleUrl === null ? `http://${reachableHost(listening.host)}:${listening.port}` : consoleUrl.href.replace(/\/$/, '')
}

/** The code travels behind the #, which browsers keep to themselves, so that no log or proxy sees it. */
export function signInUrl(origin: string, code: string): string {
  return `${origin}/sign-in#code=${code}`
}
