/** What a running supervisor says of itself to a person on its machine. Nothing in it is a secret. */

export interface SupervisorStatus {
  readonly pid: number
  /** Times are ISO 8601 in UTC. */
  readonly startedAt: string
  readonly instanceUid: string
  readonly storageDirectory: string
  readonly versions: { readonly supervisor: string; readonly node: string; readonly agent?: string }
  readonly connection: ConnectionSummary
  readonly config: ConfigSummary
  readonly agent: AgentSummary
}

export interface ConnectionSummary {
  readonly state: 'stopped' | 'connecting' | 'connected' | 'waiting'
  /** Without user information and query. */
  readonly endpoint: string
  /** Connected: since when. */
  readonly since?: string
  /** Waiting: when the next attempt is due. */
  readonly retryAt?: string
  readonly lastError?: string
  /** The settings in use came from the Server, not from the file. */
  readonly offered?: boolean
}

export interface ConfigSummary {
  /**
   * `none`: nothing was ever offered, local files alone run; `fallback`: the start-up fallback runs; `applying`: an offered one is being tried;
   * `applied`: the last offered one runs; `failed`: the last offered one failed, `lastGoodHash` runs.
   */
  readonly state: 'none' | 'fallback' | 'applying' | 'applied' | 'failed'
  /** In hex: of the configuration that was offered last. */
  readonly hash?: string
  readonly lastGoodHash?: string
  readonly lastFailure?: { readonly hash: string; readonly at: string; readonly reason: string }
}

export interface AgentSummary {
  readonly kind: 'collector' | 'process'
  readonly executable: string
  /** Absent: it does not run. */
  readonly pid?: number
  readonly runningSince?: string
  /** Starts after the first one since the supervisor started. */
  readonly restarts: number
  /** Absent: nothing is known yet. */
  readonly healthy?: boolean
  /** As the agent words it, e.g. `StatusOK`. */
  readonly status?: string
  readonly lastError?: string
  /** Parts of the agent that are not healthy, deepest first, at most 20; paths such as `pipeline:traces/exporter:otlp`. */
  readonly unhealthy: readonly { readonly path: string; readonly status?: string; readonly lastError?: string }[]
  /** How many parts reported their health. */
  readonly parts: number
}
