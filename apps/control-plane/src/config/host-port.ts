/** Where to listen: `HOST:PORT`, `:PORT` for all addresses, `[v6]:PORT`. */

export interface HostPort {
  /** An IP address without brackets, or a name. */
  readonly host: string
  readonly port: number
}

export function parseHostPort(text: string): HostPort {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^\s:[\]/]*)):(\d{1,5})$/i.exec(text.trim())
  const port = Number(match?.[3])
  if (!match || port > 65_535) throw new Error(`${JSON.stringify(text)} is not HOST:PORT, e.g. 127.0.0.1:4320, [::1]:4320, or :4320 for all addresses`)
  return { host: match[1] ?? (match[2] || '::'), port }
}

export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Only this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === '::1' || host === 'localhost' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** What to put into a URL for somebody on this machine: an address that listens everywhere is reached over loopback. */
export function reachableHost(host: string): string {
  if (host === '::' || host === '0.0.0.0') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
