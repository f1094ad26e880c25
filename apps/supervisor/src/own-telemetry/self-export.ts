/** The supervisor's telemetry of itself: its metrics every ten seconds, its log and what took it time as they come, to wherever they are to go. */
import type { KeyValue } from '@drover/protocol'
import type { Clock } from '@drover/server'
import type { Log, LogRecord } from '../log.ts'
import { encodeLogs, encodeMetrics, encodeSpans, type LogRecordData, type Metric, type Span } from './otlp.ts'
import { type Send, sendOtlp } from './otlp-sender.ts'
import type { Signal } from './offer.ts'
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
  /** The same for something that is over now; times are milliseconds since 1970. */
  addSpan(span: Pick<Span, 'name' | 'startTime' | 'attributes' | 'error'>): void
}

const intervalMs = 10_000
/** Newer ones push older ones out. */
const maxWaiting = 512
const traceIdBytes = 16
const spanIdBytes = 8
const flushMs = 1_000

export function createSelfExport(deps: SelfExportDeps): SelfExport {
  return new Exporter(deps)
}

interface Target {
  readonly signal: Signal
  readonly destination: TelemetryDestination
  /** So that trouble is said once, and its end. */
  isBroken: boolean
  /** One at a time: a slow receiver misses an export. */
  isBusy: boolean
  /** Log records, or spans. */
  waiting: (LogRecordData | Span)[]
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
    for (const signal of ['metrics', 'logs', 'traces'] as const) {
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
    const attributes = Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
    this.#add('logs', { time, severity: level, body: message, attributes })
  }

  addSpan(span: Pick<Span, 'name' | 'startTime' | 'attributes' | 'error'>): void {
    const ids = crypto.getRandomValues(new Uint8Array(traceIdBytes + spanIdBytes))
    this.#add('traces', { ...span, endTime: this.#deps.clock.now(), traceId: ids.subarray(0, traceIdBytes), spanId: ids.subarray(traceIdBytes) })
  }

  #add(signal: Signal, item: LogRecordData | Span): void {
    const targets = this.#targets.filter((target) => target.signal === signal)
    if (targets.length === 0) return
    for (const { waiting } of targets) {
      waiting.push(item)
      if (waiting.length > maxWaiting) waiting.shift()
    }
    this.#flushTimer ??= this.#deps.clock.setTimeout(() => {
      this.#flushTimer = undefined
      this.#exportWaiting()
    }, flushMs)
  }

  #tick(): void {
    this.#timer = this.#deps.clock.setTimeout(() => {
      this.#timer = undefined
      if (this.#targets.length === 0) return
      this.#tick()
      this.#exportAll('metrics')
      this.#exportWaiting()
    }, intervalMs)
  }

  #exportWaiting(): void {
    this.#exportAll('logs')
    this.#exportAll('traces')
  }

  #exportAll(signal: Signal): void {
    for (const target of this.#targets) {
      if (target.signal !== signal || target.isBusy || (signal !== 'metrics' && target.waiting.length === 0)) continue
      const work = this.#export(target).finally(() => this.#under.delete(work))
      this.#under.add(work)
    }
  }

  async #export(target: Target): Promise<void> {
    const items = target.waiting
    target.waiting = []
    const body = this.#encode(target.signal, items)
    target.isBusy = true
    const outcome = await this.#send(target.destination, body, this.#abort.signal)
    target.isBusy = false
    if (outcome.kind === 'retry') target.waiting = [...items, ...target.waiting].slice(-maxWaiting)
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

  #encode(signal: Signal, items: Target['waiting']): Uint8Array {
    const { scope, resource, metrics, clock } = this.#deps
    const origin = { resource: resource(), scope }
    if (signal === 'metrics') return encodeMetrics(origin, metrics(), { startTime: this.#startTime, time: clock.now() })
    if (signal === 'traces')
      return encodeSpans(
        origin,
        items.filter((item) => 'spanId' in item),
      )
    return encodeLogs(
      origin,
      items.filter((item) => 'severity' in item),
    )
  }

  /** The last word of the log may say why. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { clock } = this.#deps
    clock.clearTimeout(this.#timer)
    clock.clearTimeout(this.#flushTimer)
    this.#exportWaiting()
    const limit = clock.setTimeout(() => this.#abort.abort(), flushMs)
    await Promise.all(this.#under)
    clock.clearTimeout(limit)
    this.#targets = []
  }
}
