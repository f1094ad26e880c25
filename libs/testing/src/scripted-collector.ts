/** The Collector and its stock supervisor as a script: what becomes of a configuration, and when it is told. */
import { RemoteConfigStatuses } from '@drover/protocol'
import type { AgentRemoteConfig } from '@drover/protocol'
import type { TimerQueue, Wait } from './timer-queue.ts'

/** A configuration with this text in a file, e.g. in a comment, is refused, as the real Collector refuses a broken one. */
export const FAILURE_MARKER = 'drover-demo: fail'

/** Times as seen with supervisor and Collector v0.149.0. */
export interface CollectorTimes {
  /** From the offer to a Collector that is up and reports health. */
  readonly startMs: number
  /** From the offer to FAILED, when the Collector refuses the configuration. */
  readonly failMs: number
  /** From the offer to APPLIED: the supervisor's `config_apply_timeout` of steady health. */
  readonly applyMs: number
  /** Between two starts of a Collector that crashes. */
  readonly crashLoopMs: number
}

export const stockTimes: CollectorTimes = { startMs: 40, failMs: 20, applyMs: 5000, crashLoopMs: 5000 }

/** Other marks that a configuration may carry in a comment, e.g. `drover-demo: refuse`; what they do is up to whoever asks. */
const marks = /drover-demo: (\w+)/g

export interface ScriptedFile {
  readonly name: string
  readonly body: string
}

/** What survives a restart of the supervisor. */
export interface CollectorMemory {
  readonly hash: Uint8Array
  readonly status: RemoteConfigStatuses
  readonly errorMessage: string
  /** What it runs, merged; undefined: only its own, without pipelines. */
  readonly config: string | undefined
  /** Those of the files, whose comments a merge drops. */
  readonly marks?: readonly string[]
}

export interface ScriptedPipeline {
  /** E.g. `traces/edge`. */
  readonly id: string
  /** E.g. `receiver:otlp`. */
  readonly components: readonly string[]
}

export interface CollectorHealth {
  readonly healthy: boolean
  readonly status: string
  readonly lastError: string
  readonly startedAtMs: number
  readonly changedAtMs: number
  readonly pipelines: readonly ScriptedPipeline[]
  /** The supervisor's own first report, before it heard from the Collector. */
  readonly bare: boolean
}

export type CollectorPart = 'health' | 'effectiveConfig' | 'remoteConfigStatus'

export interface ScriptedCollectorOptions {
  readonly timers: TimerQueue
  readonly times: CollectorTimes
  /** Merges the offered files as the supervisor does; left out, they are joined as text. */
  readonly merge?: (files: readonly ScriptedFile[]) => string
  /** Pipelines of a merged configuration, for the health tree; left out, their ids are read and their components made up. */
  readonly pipelines?: (config: string) => readonly ScriptedPipeline[]
  readonly memory?: CollectorMemory
  /** Called after each change, with what changed. */
  readonly onChange: (parts: readonly CollectorPart[]) => void
}

const OWN_CONFIG =
  'receivers:\n  nop: {}\nexporters:\n  nop: {}\nextensions:\n  opamp: {}\nservice:\n  extensions: [opamp]\n  pipelines:\n    traces:\n      receivers: [nop]\n      exporters: [nop]\n'
const APPLY_FAILED = 'Agent exited unexpectedly with exit code 1 while applying configuration'
const COLLECTOR_ERROR = 'Error: invalid configuration: service::pipelines::traces: references exporter "drover-demo" which is not configured'

export class ScriptedCollector {
  readonly #options: ScriptedCollectorOptions
  readonly #timers: TimerQueue
  #waits: Wait[] = []
  #memory: CollectorMemory
  #health: CollectorHealth
  #crashes = 0

  constructor(options: ScriptedCollectorOptions) {
    this.#options = options
    this.#timers = options.timers
    this.#memory = options.memory ?? { hash: new Uint8Array(), status: RemoteConfigStatuses.RemoteConfigStatuses_UNSET, errorMessage: '', config: undefined }
    this.#health = this.#bareHealth()
  }

  get memory(): CollectorMemory {
    return this.#memory
  }

  get health(): CollectorHealth {
    return this.#health
  }

  get effectiveConfig(): string {
    return this.#memory.config ?? OWN_CONFIG
  }

  /** Stopped -> running what it had: first no health, then the whole tree. */
  start(): void {
    this.#cancel()
    this.#health = this.#bareHealth()
    this.#wait(this.#options.times.startMs, () => this.#run())
  }

  /** Running -> stopped. */
  stop(): void {
    this.#cancel()
    this.#health = { ...this.#bareHealth(), lastError: 'Supervisor is shutdown' }
  }

  /** The restart command: down, and up again on the same configuration. */
  restart(): void {
    this.#cancel()
    this.#setHealth({ ...this.#bareHealth(), status: 'StatusStopped' }, [])
    this.#wait(this.#options.times.startMs, () => this.#run())
  }

  /** An offer arrived. */
  apply(offer: AgentRemoteConfig): void {
    const files = Object.entries(offer.config?.configMap ?? {}).map(([name, file]) => ({ name, body: new TextDecoder().decode(file.body) }))
    const same = sameBytes(offer.configHash, this.#memory.hash) && this.#memory.status === RemoteConfigStatuses.RemoteConfigStatuses_APPLIED
    if (same) return this.#options.onChange(['remoteConfigStatus'])
    this.#cancel()
    if (files.length === 0) return this.#applyNothing(offer.configHash)
    const config = (this.#options.merge ?? joinFiles)(files)
    this.#memory = { hash: offer.configHash, status: RemoteConfigStatuses.RemoteConfigStatuses_APPLYING, errorMessage: '', config, marks: marksOf(files) }
    this.#options.onChange(['remoteConfigStatus'])
    if (files.some((file) => file.body.includes(FAILURE_MARKER))) {
      this.#wait(this.#options.times.failMs, () => this.#fail())
      return
    }
    this.#wait(this.#options.times.startMs, () => this.#run())
    this.#wait(this.#options.times.applyMs, () => this.#settle(RemoteConfigStatuses.RemoteConfigStatuses_APPLIED, ''))
  }

  /** For tests: the Collector gets worse or better by itself. */
  setHealth(healthy: boolean, lastError = ''): void {
    this.#setHealth({ ...this.#health, healthy, lastError, status: healthy ? 'StatusOK' : 'StatusRecoverableError' }, [])
  }

  #applyNothing(hash: Uint8Array): void {
    this.#memory = { hash, status: RemoteConfigStatuses.RemoteConfigStatuses_APPLIED, errorMessage: '', config: undefined }
    this.#setHealth({ ...this.#bareHealth(), healthy: true }, ['effectiveConfig', 'remoteConfigStatus'])
  }

  #run(): void {
    if (this.#memory.status === RemoteConfigStatuses.RemoteConfigStatuses_FAILED) return this.#crash([])
    const now = this.#timers.now()
    this.#setHealth(
      {
        healthy: true,
        status: 'StatusOK',
        lastError: '',
        startedAtMs: now,
        changedAtMs: now,
        pipelines: (this.#options.pipelines ?? guessPipelines)(this.effectiveConfig),
        bare: false,
      },
      ['effectiveConfig'],
    )
  }

  #fail(): void {
    const status = RemoteConfigStatuses.RemoteConfigStatuses_FAILED
    this.#memory = { ...this.#memory, status, errorMessage: `${APPLY_FAILED}: ${COLLECTOR_ERROR}` }
    this.#crash(['remoteConfigStatus'])
  }

  /** Down, and tried again for ever, until another configuration comes. */
  #crash(parts: readonly CollectorPart[]): void {
    this.#crashes += 1
    const lastError = `Agent process PID=${4000 + this.#crashes} exited unexpectedly, exit code=1. Will restart in a bit...`
    this.#setHealth({ ...this.#bareHealth(), lastError }, parts)
    this.#wait(this.#options.times.crashLoopMs, () => this.#crash([]))
  }

  #settle(status: RemoteConfigStatuses, errorMessage: string): void {
    this.#memory = { ...this.#memory, status, errorMessage }
    this.#options.onChange(['remoteConfigStatus'])
  }

  #bareHealth(): CollectorHealth {
    return { healthy: false, status: '', lastError: '', startedAtMs: 0, changedAtMs: this.#timers.now(), pipelines: [], bare: true }
  }

  #setHealth(health: CollectorHealth, also: readonly CollectorPart[]): void {
    this.#health = { ...health, changedAtMs: this.#timers.now() }
    this.#options.onChange(['health', ...also])
  }

  #wait(delayMs: number, callback: () => void): void {
    this.#waits.push(this.#timers.after(delayMs, callback))
    if (this.#waits.length > 8) this.#waits = this.#waits.slice(-4) // older ones have ended: at most two run at a time
  }

  #cancel(): void {
    for (const wait of this.#waits) wait.cancel()
    this.#waits = []
  }
}

function marksOf(files: readonly ScriptedFile[]): readonly string[] {
  return files.flatMap(({ body }) => Array.from(body.matchAll(marks), ([mark]) => mark))
}

function joinFiles(files: readonly ScriptedFile[]): string {
  return files.map((file) => file.body).join('\n')
}

/** Pipeline ids as they stand below `pipelines:`. */
function guessPipelines(config: string): readonly ScriptedPipeline[] {
  const ids = [...config.matchAll(/^\s+((?:traces|metrics|logs|profiles)(?:\/[\w.-]+)?):/gm)].map((match) => match[1] ?? '')
  return ids.map((id) => ({ id, components: ['receiver:otlp', 'exporter:otlp_http'] }))
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
