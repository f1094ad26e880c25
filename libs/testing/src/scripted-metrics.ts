/** The own metrics of a scripted Collector, as v0.149 sends them over OTLP/HTTP, as JSON. */

/** A configuration with this text in a file makes the Collector refuse a third of its data, though it starts and stays healthy. */
export const REFUSAL_MARKER = 'drover-demo: refuse'
/** With this one its memory grows. */
export const LEAK_MARKER = 'drover-demo: leak'

export interface ScriptedMetricsOptions {
  readonly now: () => number
  /** Numbers in [0, 1). */
  readonly random: () => number
}

/** What the Collector is at a moment. */
export interface MeasuredCollector {
  readonly serviceName: string
  readonly instanceUid: string
  /** Counters begin anew with each start. */
  readonly startedAtMs: number
  /** Of its configuration. */
  readonly marks: readonly string[]
}

const refusedShare = 0.35
const queueCapacity = 1000
const restingBytes = 90_000_000
const leakBytesPerSecond = 4_000_000

interface Counters {
  accepted: number
  refused: number
  sent: number
  sendFailed: number
  cpuSeconds: number
}

export class ScriptedMetrics {
  readonly #options: ScriptedMetricsOptions
  /** Items a second. */
  readonly #rate: number
  #startedAtMs = -1
  #countedAtMs = 0
  #counters: Counters = { accepted: 0, refused: 0, sent: 0, sendFailed: 0, cpuSeconds: 0 }

  constructor(options: ScriptedMetricsOptions) {
    this.#options = options
    this.#rate = 50 + Math.floor(options.random() * 400)
  }

  /** An ExportMetricsServiceRequest with everything until now. */
  report(collector: MeasuredCollector): string {
    const now = this.#options.now()
    this.#count(collector, now)
    const seconds = (now - collector.startedAtMs) / 1000
    const isRefusing = collector.marks.includes(REFUSAL_MARKER)
    const rss = restingBytes * (0.97 + this.#options.random() * 0.06) + (collector.marks.includes(LEAK_MARKER) ? seconds * leakBytesPerSecond : 0)
    const { accepted, refused, sent, sendFailed, cpuSeconds } = this.#counters
    const time = { startTimeUnixNano: nanoseconds(collector.startedAtMs), timeUnixNano: nanoseconds(now) }
    const receiver = { receiver: 'otlp', transport: 'grpc' }
    const exporter = { exporter: 'otlp_http' }
    const metrics = [
      sum('otelcol_process_cpu_seconds', cpuSeconds, time, {}),
      sum('otelcol_process_uptime', seconds, time, {}),
      gauge('otelcol_process_memory_rss', Math.round(rss), time, {}),
      sum('otelcol_receiver_accepted_spans', accepted, time, receiver),
      sum('otelcol_receiver_refused_spans', refused, time, receiver),
      sum('otelcol_exporter_sent_spans', sent, time, exporter),
      sum('otelcol_exporter_send_failed_spans', sendFailed, time, exporter),
      gauge('otelcol_exporter_queue_size', Math.round(queueCapacity * (isRefusing ? 0.95 : 0.02 + this.#options.random() * 0.02)), time, {
        ...exporter,
        data_type: 'traces',
      }),
      gauge('otelcol_exporter_queue_capacity', queueCapacity, time, { ...exporter, data_type: 'traces' }),
    ]
    const resource = { attributes: attributes({ 'service.name': collector.serviceName, 'service.instance.id': collector.instanceUid }) }
    return JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: 'go.opentelemetry.io/collector/service' }, metrics }] }] })
  }

  #count({ startedAtMs, marks }: MeasuredCollector, now: number): void {
    if (startedAtMs !== this.#startedAtMs) {
      this.#startedAtMs = startedAtMs
      this.#countedAtMs = startedAtMs
      this.#counters = { accepted: 0, refused: 0, sent: 0, sendFailed: 0, cpuSeconds: 0 }
    }
    const seconds = Math.max(0, now - this.#countedAtMs) / 1000
    this.#countedAtMs = now
    const items = Math.round(this.#rate * seconds * (0.9 + this.#options.random() * 0.2))
    const bad = marks.includes(REFUSAL_MARKER) ? Math.round(items * refusedShare) : 0
    this.#counters.accepted += items - bad
    this.#counters.refused += bad
    this.#counters.sent += items - bad
    this.#counters.sendFailed += bad
    this.#counters.cpuSeconds += seconds * (this.#rate / 10_000) * (0.9 + this.#options.random() * 0.2)
  }
}

interface Times {
  readonly startTimeUnixNano: string
  readonly timeUnixNano: string
}

const nanoseconds = (ms: number): string => (BigInt(Math.round(ms)) * 1_000_000n).toString()
const attributes = (record: Readonly<Record<string, string>>) => Object.entries(record).map(([key, stringValue]) => ({ key, value: { stringValue } }))
/** int64 is text in OTLP's JSON. */
const point = (value: number, times: Times, labels: Readonly<Record<string, string>>) => ({
  ...times,
  attributes: attributes(labels),
  ...(Number.isInteger(value) ? { asInt: String(value) } : { asDouble: value }),
})
const gauge = (name: string, value: number, { timeUnixNano, startTimeUnixNano }: Times, labels: Readonly<Record<string, string>>) => ({
  name,
  gauge: { dataPoints: [point(value, { timeUnixNano, startTimeUnixNano }, labels)] },
})
const sum = (name: string, value: number, times: Times, labels: Readonly<Record<string, string>>) => ({
  name,
  sum: { isMonotonic: true, aggregationTemporality: 2, dataPoints: [point(value, times, labels)] },
})
