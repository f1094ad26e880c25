/** What the ways through a proxy have in common. */

export interface TunnelTarget {
  readonly host: string
  readonly port: number
}

/** The proxy said no. The message shows no credentials. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError'
}
