/** The supervisor's configuration as one checked value with all defaults: the stock supervisor's keys, and ours under `drover`. */
import type { Restrictions } from '@drover/agent-config'
import type { AgentCapability } from '@drover/protocol'
import type { ProxySettings, TlsSettings } from '@drover/client'
import type { OwnTelemetry } from '../own-telemetry/settings.ts'

export interface SupervisorConfig {
  readonly server: {
    readonly endpoint: string
    readonly headers: readonly (readonly [name: string, value: string])[]
    readonly tls: TlsSettings
    readonly proxy: ProxySettings
    /** A header besides `headers` that outlives offered settings; see `headerSource`. */
    readonly auth?: ServerAuth
  }
  readonly capabilities: ReadonlySet<AgentCapability>
  readonly agent: AgentSettings
  /** Absolute. Created with mode 0700. */
  readonly storageDirectory: string
  readonly telemetry: TelemetrySettings
  /** HTTP `/health`; absent: off. */
  readonly healthcheck?: { readonly host: string; readonly port: number; readonly path: string }
  readonly drover: DroverSettings
}

/** How the supervisor proves who it is. A file is read again for each connection, so that what is in it may be replaced. */
export type ServerAuth =
  | { readonly kind: 'bearer'; readonly header: string; readonly scheme: string; readonly token: Credential }
  | { readonly kind: 'basic'; readonly username: Credential; readonly password: Credential }

export type Credential = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'file'; readonly path: string }

/** A new configuration is always checked by the agent itself first, and the last good one always comes back: there is no switch for either. */
export interface AgentSettings {
  /** Absolute. */
  readonly executable: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly instanceId?: string
  readonly orphanDetectionIntervalMs: number
  readonly configApplyTimeoutMs: number
  readonly bootstrapTimeoutMs: number
  /** 0: any free one. */
  readonly opampServerPort: number
  readonly passthroughLogs: boolean
  readonly useHupConfigReload: boolean
  /** Absolute paths of whole configurations, merged in order. */
  readonly startupFallbackConfigs: readonly string[]
  /** 0: off. */
  readonly crashLogSnippetKib: number
  /** In precedence order, later wins; the three special names are in it exactly once. */
  readonly configFiles: readonly ConfigSource[]
  readonly description: {
    readonly identifyingAttributes: Readonly<Record<string, string>>
    readonly nonIdentifyingAttributes: Readonly<Record<string, string>>
    readonly includeResourceAttributes: boolean
  }
}

export type ConfigSource =
  | { readonly kind: 'own-telemetry' }
  | { readonly kind: 'opamp-extension' }
  | { readonly kind: 'remote' }
  /** The path is absolute. */
  | { readonly kind: 'file'; readonly path: string }

export interface TelemetrySettings {
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  /** `stdout`, `stderr`, or absolute paths. */
  readonly logOutputPaths: readonly string[]
  readonly resource: Readonly<Record<string, string>>
  /** Where the supervisor sends its own telemetry by its file, apart from what the Server offers. */
  readonly export: OwnTelemetry
}

/** Keys under `drover:`, which the stock supervisor does not have. */
export interface DroverSettings {
  /** Which kind of program `agent.executable` is. */
  readonly agent: { readonly kind: 'collector' } | ({ readonly kind: 'process' } & ProcessAgentSettings)
  readonly connection: {
    /** Offered settings may be weaker than the present ones: no TLS, no verification, an older version. Default false. */
    readonly allowWeakerTls: boolean
    /** How long offered settings may take to prove themselves; default 20 s. */
    readonly proofTimeoutMs: number
  }
  /** What remote configuration may touch; absent: anything. Only for Collectors. */
  readonly restrictions?: Restrictions
  readonly logs: { readonly maxFileBytes: number; readonly maxFiles: number }
  readonly stopTimeoutMs: number
}

/** A program that a small description covers. `{config}` in a command stands for the path of the configuration to look at. */
export interface ProcessAgentSettings {
  readonly name: string
  readonly version?: string
  /** Prints the version; its first line that has one is taken. */
  readonly versionCommand?: readonly string[]
  /** Where the program reads its configuration. */
  readonly configFile: string
  /** Exit code 0: it would run. */
  readonly validateCommand?: readonly string[]
  /** Makes the running program read its configuration again; absent: it is restarted. */
  readonly reload?: { readonly kind: 'signal'; readonly signal: NodeJS.Signals } | { readonly kind: 'command'; readonly command: readonly string[] }
  /** Exit code 0, or a status below 400: healthy. Absent: healthy while it runs. */
  readonly health?:
    | { readonly kind: 'command'; readonly command: readonly string[]; readonly intervalMs: number }
    | { readonly kind: 'http'; readonly url: string; readonly intervalMs: number }
}
