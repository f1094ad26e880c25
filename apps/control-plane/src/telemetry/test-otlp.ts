/** Writes OTLP as agents do, from a short description. */
import { gzipSync } from 'node:zlib'

export interface TestPoint {
  readonly name: string
  readonly value: number
  readonly timeMs: number
  readonly startMs?: number
  readonly attributes?: Readonly<Record<string, string>>
  readonly kind?: 'gauge' | 'delta' | 'cumulative'
  readonly isInteger?: boolean
  readonly flags?: number
}

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt(value)
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

export function field(number: number, ...content: readonly Uint8Array[]): Buffer {
  const length = content.reduce((sum, { length: bytes }) => sum + bytes, 0)
  return Buffer.concat([varint((number << 3) | 2), varint(length), ...content])
}

export const text = (number: number, value: string): Buffer => field(number, Buffer.from(value))
export const number = (at: number, value: number): Buffer => Buffer.concat([varint(at << 3), varint(value)])

export function fixed64(at: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt.asIntN(64, value))
  return Buffer.concat([varint((at << 3) | 1), bytes])
}

function double(at: number, value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return Buffer.concat([varint((at << 3) | 1), bytes])
}

const nanos = (ms: number): bigint => BigInt(Math.round(ms * 1000)) * 1000n
const attribute = (at: number, key: string, value: string): Buffer => field(at, text(1, key), field(2, text(1, value)))

function pointOf({ value, timeMs, startMs = 0, attributes = {}, isInteger = false, flags = 0 }: TestPoint): Buffer {
  return field(
    1,
    ...Object.entries(attributes).map(([key, each]) => attribute(7, key, each)),
    fixed64(2, nanos(startMs)),
    fixed64(3, nanos(timeMs)),
    isInteger ? fixed64(6, BigInt(value)) : double(4, value),
    number(8, flags),
  )
}

function metricOf(point: TestPoint): Buffer {
  const { kind = 'cumulative' } = point
  const data = kind === 'gauge' ? field(5, pointOf(point)) : field(7, pointOf(point), number(2, kind === 'delta' ? 1 : 2), number(3, 1))
  return field(2, text(1, point.name), text(3, '1'), data)
}

/** ExportMetricsServiceRequest, a metric for each point. */
export function metricsRequest(points: readonly TestPoint[], resource: Readonly<Record<string, string>> = { 'service.name': 'otelcol' }): Buffer {
  const attributes = Object.entries(resource).map(([key, value]) => attribute(1, key, value))
  return field(1, field(1, ...attributes), field(2, field(1, text(1, 'scope')), ...points.map(metricOf)))
}

export function metricsJson(points: readonly TestPoint[]): string {
  const metrics = points.map(({ name, kind = 'cumulative', ...point }) => {
    const dataPoints = [
      {
        attributes: Object.entries(point.attributes ?? {}).map(([key, value]) => ({ key, value: { stringValue: value } })),
        startTimeUnixNano: String(nanos(point.startMs ?? 0)),
        timeUnixNano: String(nanos(point.timeMs)),
        ...(point.isInteger === true ? { asInt: String(point.value) } : { asDouble: point.value }),
      },
    ]
    return kind === 'gauge'
      ? { name, gauge: { dataPoints } }
      : { name, sum: { dataPoints, aggregationTemporality: kind === 'delta' ? 1 : 2, isMonotonic: true } }
  })
  return JSON.stringify({ resourceMetrics: [{ resource: { attributes: [] }, scopeMetrics: [{ metrics }] }] })
}

export interface TestLog {
  readonly body: string
  readonly severity?: number
  readonly timeMs?: number
  readonly attributes?: Readonly<Record<string, string>>
}

export function logsRequest(records: readonly TestLog[]): Buffer {
  const encoded = records.map(({ body, severity = 9, timeMs = 1, attributes = {} }) =>
    field(
      2,
      fixed64(1, nanos(timeMs)),
      number(2, severity),
      field(5, text(1, body)),
      ...Object.entries(attributes).map(([key, value]) => attribute(6, key, value)),
    ),
  )
  return field(1, field(2, ...encoded))
}

export function tracesRequest(spans: number): Buffer {
  return field(1, field(2, ...Array.from({ length: spans }, () => field(2, text(5, 'span')))))
}

/** What a Collector with one receiver and one exporter tells after `seconds` of steady work. */
export function collectorPoints(options: {
  readonly startMs: number
  readonly timeMs: number
  readonly acceptedPerSecond?: number
  readonly failedPerSecond?: number
  readonly cpu?: number
  readonly memory?: number
  readonly queueSize?: number
}): readonly TestPoint[] {
  const { startMs, timeMs, acceptedPerSecond = 100, failedPerSecond = 0, cpu = 0.25, memory = 2 ** 27, queueSize = 16 } = options
  const seconds = (timeMs - startMs) / 1000
  const counter = (name: string, value: number, attributes: Record<string, string>): TestPoint => ({ name, value, attributes, startMs, timeMs })
  const gauge = (name: string, value: number, attributes: Record<string, string>): TestPoint => ({
    name,
    value,
    attributes,
    timeMs,
    kind: 'gauge',
    isInteger: true,
  })
  return [
    counter('otelcol_receiver_accepted_spans', acceptedPerSecond * seconds, { receiver: 'otlp', transport: 'http' }),
    counter('otelcol_receiver_refused_spans', 0, { receiver: 'otlp', transport: 'http' }),
    counter('otelcol_exporter_sent_spans', (acceptedPerSecond - failedPerSecond) * seconds, { exporter: 'otlp' }),
    counter('otelcol_exporter_send_failed_spans', failedPerSecond * seconds, { exporter: 'otlp' }),
    counter('otelcol_process_cpu_seconds', cpu * seconds, {}),
    gauge('otelcol_process_memory_rss', memory, {}),
    gauge('otelcol_exporter_queue_size', queueSize, { exporter: 'otlp', data_type: 'traces' }),
    gauge('otelcol_exporter_queue_capacity', 1024, { exporter: 'otlp', data_type: 'traces' }),
    counter('otelcol_process_uptime', seconds, {}),
  ]
}

/** 8 GiB in 8 MiB, and less. */
export const bombOf = (bytes: number): Buffer => gzipSync(Buffer.alloc(bytes))
