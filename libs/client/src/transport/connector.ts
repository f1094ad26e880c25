/** What the transports need to know to reach a URL: proxies and TLS, made from connection settings. */
import type { Agent } from 'node:http'
import type { ConnectionOptions } from 'node:tls'

export interface ReachOptions extends ConnectionOptions {
  /** Absent: Node's own. */
  readonly agent?: Agent
}

export interface Connector {
  /** For `http.request`, `https.request` and `ws`. Asked anew for each connection, also for where a redirect leads. Throws for settings that cannot be used. */
  reach(url: URL): ReachOptions
  /** Why a connection to the URL could not be made: a sentence with what to do, without secrets. */
  explain(error: unknown, url: URL): string
  /** Ends what it keeps open. */
  close(): void
}
