/** What a supervisor needs of the program it runs. A port with two sides: the OpenTelemetry Collector, and any program that a file describes. */
import type { ConfigFile } from '@drover/agent-config'
import type { AgentDescription, AvailableComponents, ComponentHealth, CustomMessage, EffectiveConfig, InstanceUid } from '@drover/protocol'
import type { Clock, ServerLog } from '@drover/server'
import type { OwnTelemetry } from '../own-telemetry/settings.ts'

/** What an agent needs besides the configuration. */
export interface AgentDeps {
  readonly clock: Clock
  /** The supervisor's own log. With `passthroughLogs` it gets the agent's output, too: `Agent output`, and the line as field `line`. */
  readonly log: ServerLog
}

/** What decides the configuration that the agent runs. A value: equal inputs give equal bytes. */
export interface ConfigSources {
  /** Offered files; `undefined` when none were ever offered, empty when the agent was told to run nothing. */
  readonly remote: readonly ConfigFile[] | undefined
  /** Complete configurations for a first start without a Server: with them, neither `remote` nor local files count; the extension is still added. */
  readonly fallback?: readonly ConfigFile[]
  readonly ownTelemetry: OwnTelemetry | undefined
  readonly instanceUid: InstanceUid
}

/** A whole configuration, ready to be written where the agent reads it. */
export interface ComposedConfig {
  readonly text: string
  /** SHA-256 of what the agent would run, in hex: equal means there is nothing to do. */
  readonly fingerprint: string
  /** The agent is to run nothing: it is stopped, which is no failure. */
  readonly runsNothing: boolean
}

/** Why a configuration cannot be run, with the end of what the program said, secrets removed. */
export interface Rejection {
  readonly reason: string
  readonly logTail: string
}

export interface AgentFacts {
  readonly description: AgentDescription
  readonly components?: AvailableComponents
}

export type AgentEvent =
  | { readonly kind: 'started'; readonly pid: number }
  /** The process ended without being asked to, or could not be started again. It is not restarted by itself: see `nextCrash` in `process/`. */
  | {
      readonly kind: 'crashed'
      readonly rejection: Rejection
      readonly exitCode: number | null
      readonly signal: string | null
      /** How long it had run; `nextCrash` wants it. */
      readonly ranForMs: number
    }
  | { readonly kind: 'health'; readonly health: ComponentHealth }
  | { readonly kind: 'description'; readonly description: AgentDescription }
  | { readonly kind: 'effective-config'; readonly config: EffectiveConfig }
  | { readonly kind: 'components'; readonly components: AvailableComponents }
  | { readonly kind: 'custom-capabilities'; readonly capabilities: readonly string[] }
  | { readonly kind: 'custom-message'; readonly message: CustomMessage }

/**
 * One supervised program. At most one process of it runs, also after a kill -9 of the supervisor: what an earlier one left is ended first.
 * Methods are called one after another, except `abort` of a signal.
 */
export interface SupervisedAgent extends AsyncDisposable {
  /**
   * Ends what an earlier supervisor left running; finds out who the agent is, without leaving anything running.
   * May be called again after it failed. Throws `AgentBootstrapError`.
   */
  bootstrap(uid: InstanceUid, signal: AbortSignal): Promise<AgentFacts>
  /** Throws `ConfigRejectedError` when the sources cannot be put together. */
  compose(sources: ConfigSources): ComposedConfig
  /** Asks the program itself whether it would take the configuration, beside the running process. `undefined`: it would, or it cannot say. */
  validate(config: ComposedConfig, signal: AbortSignal): Promise<Rejection | undefined>
  /**
   * Runs the configuration, in place of what runs now: restart, or a reload where that was chosen. Settles when the process was started or signalled.
   * Health that is reported afterwards is of this configuration. Throws `AgentStartError` when the program cannot be started at all.
   */
  run(config: ComposedConfig): Promise<void>
  /** Stops what runs, if anything, and starts the configuration of the last `run` that succeeded again. Throws `AgentStartError`. */
  restart(): Promise<void>
  /** Asks it to end, and ends it after the time limit. No event follows. */
  stop(): Promise<void>
  /** Towards the agent's own OpAMP client, where it has one. */
  sendCustomMessage(message: CustomMessage): void
  setServerCustomCapabilities(capabilities: readonly string[]): void
  readonly pid: number | undefined
  /** Set before anything is called; called in order. */
  onEvent: (event: AgentEvent) => void
}

/** The sources cannot be put together to a configuration. The message is for the Server: what, where, no secrets. */
export class ConfigRejectedError extends Error {
  override readonly name = 'ConfigRejectedError'
}

export type BootstrapFailure = 'cannot-start' | 'exited' | 'timeout' | 'instance-id-mismatch'

/** Who the agent is could not be found out. */
export class AgentBootstrapError extends Error {
  override readonly name = 'AgentBootstrapError'
  readonly code: BootstrapFailure
  /** The end of what the program said, without secrets. */
  readonly logTail: string
  /** Where the agent did say something of itself: enough to report to the Server that it is not usable. */
  readonly facts: AgentFacts | undefined

  constructor(code: BootstrapFailure, message: string, more: { readonly logTail?: string; readonly facts?: AgentFacts; readonly cause?: unknown } = {}) {
    super(message, { cause: more.cause })
    this.code = code
    this.logTail = more.logTail ?? ''
    this.facts = more.facts
  }
}

/** The program could not be started: not there, not executable, no memory. */
export class AgentStartError extends Error {
  override readonly name = 'AgentStartError'
}
