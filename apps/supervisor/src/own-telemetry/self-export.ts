/** The supervisor's telemetry of itself: its metrics every ten seconds, its log as it comes, to wherever it is to go. */
import type { KeyValue } from '@drover/protocol'
import type { Clock } from '@drover/server'
import type { Log, LogRecord } from '../log.ts'
import { encodeLogs, encodeMetrics, type LogRecordData, type Metric } from './otlp.ts'
import { type Send, sendOtlp } from './otlp-sender.ts'
import type { OwnTelemetry, TelemetryDestination } from './settings.ts'

export interface SelfExportDeps {
  readonly clock: Clock
  readonly log: Log
  readonly scope: { readonly name: string; readonly version: string }
  /** Asked before each export. */
  readonly resource: () => readonly KeyValue[]
  readonly metrics: () => readonly Metric[]
  readonly send?: Send
}

export interface SelfExport extends AsyncDisposable {
  /** Each signal goes to every destination that names it; those named twice get it once. */
  setDestinations(destinations: readonly (OwnTelemetry | undefined)[]): void
  /** Kept until the next export when logs go anywhere, otherwise dropped. */
  addLog(record: LogRecord): void
}

const intervalMs = 10_000
/** Newer records push older ones out. */
const maxWaitingRecords = 512
const flushMs = 1_000

export function createSelfExport(deps: SelfExportDeps): SelfExport {
  return new Exporter(deps)
}

interface Target {
  readonly signal: 'metrics' | 'logs'
  readonly destination: TelemetryDestination
  /** So that trouble is said once, and its end. */
  isBroken: boolean
  /** One at a time: a slow receiver misses an export. */
  isBusy: boolean
  waiting: LogRecordData[]
}

class Exporter implements SelfExport {
  readonly #deps: SelfExportDeps
  readonly #send: Send
  readonly #startTime: number
  readonly #abort = new AbortController()
  #targets: readonly Target[] = []
  #timer: unknown
  #flushTimer: unknown
  #under = new Set<Promise<void>>()

  constructor(deps: SelfExportDeps) {
    this.#deps = deps
    this.#send = deps.send ?? sendOtlp
    this.#startTime = deps.clock.now()
  }

  setDestinations(all: readonly (OwnTelemetry | undefined)[]): void {
    const found: Target[] = []
    for (const signal of ['metrics', 'logs'] as const) {
      for (const destination of all.map((one) => one?.[signal])) {
        if (destination === undefined || found.some((target) => target.signal === signal && target.destination.endpoint === destination.endpoint)) continue
        const before = this.#targets.find((target) => target.signal === signal && target.destination === destination)
        found.push(before ?? { signal, destination, isBroken: false, isBusy: false, waiting: [] })
      }
    }
    this.#targets = found
    if (found.length > 0 && this.#timer === undefined) this.#tick()
  }

  addLog({ time, level, message, fields }: LogRecord): void {
    const targets = this.#targets.filter(({ signal }) => signal === 'logs')
    if (targets.length === 0) return
    const attributes = Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
    for (const { waiting } of targets) {
      waiting.push({ time, severity: level, body: message, attributes })
      if (waiting.length > maxWaitingRecords) waiting.shift()
    }
    this.#flushTimer ??= this.#deps.clock.setTimeout(() => {
      this.#flushTimer = undefined
      this.#exportAll('logs')
    }, flushMs)
  }

  #tick(): void {
    this.#timer = this.#deps.clock.setTimeout(() => {
      this.#timer = undefined
      if (this.#targets.length === 0) return
      this.#tick()
      this.#exportAll('metrics')
      this.#exportAll('logs')
    }, intervalMs)
  }

  #exportAll(signal: Target['signal']): void {
    for (const target of this.#targets) {
      if (target.signal !== signal || target.isBusy || (signal === 'logs' && target.waiting.length === 0)) continue
      const work = this.#export(target).finally(() => this.#under.delete(work))
      this.#under.add(work)
    }
  }

  async #export(target: Target): Promise<void> {
    const { scope, resource, metrics, clock } = this.#deps
    const origin = { resource: resource(), scope }
    const records = target.waiting
    target.waiting = []
    const body = target.signal === 'logs' ? encodeLogs(origin, records) : encodeMetrics(origin, metrics(), { startTime: this.#startTime, time: clock.now() })
    target.isBusy = true
    const outcome = await this.#send(target.destination, body, this.#abort.signal)
    target.isBusy = false
    if (outcome.kind === 'retry') target.waiting = [...records, ...target.waiting].slice(-maxWaitingRecords)
    if ((outcome.kind !== 'sent') === target.isBroken || this.#abort.signal.aborted) return
    target.isBroken = outcome.kind !== 'sent'
    if (outcome.kind === 'sent') this.#deps.log('info', 'Own telemetry arrives again', { signal: target.signal })
    else
      this.#deps.log('warn', 'Own telemetry does not arrive', {
        signal: target.signal,
        host: new URL(target.destination.endpoint).host,
        reason: outcome.reason,
      })
  }

  /** The last word of the log may say why. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { clock } = this.#deps
    clock.clearTimeout(this.#timer)
    clock.clearTimeout(this.#flushTimer)
    this.#exportAll('logs')
    const limit = clock.setTimeout(() => this.#abort.abort(), flushMs)
    await Promise.all(this.#under)
    clock.clearTimeout(limit)
    this.#targets = []
  }
}
