/**
 * OTLP messages, as far as a supervisor speaks of itself: metrics that are one number each, log records, and spans without parents. Written field by field: the numbers
 * are those of `opentelemetry/proto` 1.x. Attributes are OpAMP's, which have the same form.
 */
import { toBinary } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { type AttributeJson, type KeyValue, KeyValueSchema, keyValues } from '@drover/protocol'

export interface Metric {
  readonly name: string
  readonly unit: string
  readonly description: string
  /** `counter` only grows since `startTime`; `sum` goes up and down and may be added up over processes; `gauge` may not. */
  readonly kind: 'counter' | 'sum' | 'gauge'
  readonly isInteger: boolean
  readonly points: readonly { readonly value: number; readonly attributes?: Readonly<Record<string, string>> }[]
}

export interface LogRecordData {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly severity: 'debug' | 'info' | 'warn' | 'error'
  readonly body: string
  readonly attributes: Readonly<Record<string, AttributeJson>>
}

export interface Span {
  readonly name: string
  /** Milliseconds since 1970. */
  readonly startTime: number
  readonly endTime: number
  readonly attributes: Readonly<Record<string, AttributeJson>>
  /** Why it failed, where it did. */
  readonly error: string | undefined
  /** 16 and 8 random bytes. */
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
}

export interface Origin {
  readonly resource: readonly KeyValue[]
  readonly scope: { readonly name: string; readonly version: string }
}

const cumulative = 2

type Write = (writer: BinaryWriter) => void

/** An `ExportMetricsServiceRequest`. Times are milliseconds since 1970. */
export function encodeMetrics(
  origin: Origin,
  metrics: readonly Metric[],
  { startTime, time }: { readonly startTime: number; readonly time: number },
): Uint8Array {
  return encodeExport(origin, metrics, (metric) => (writer) => {
    writeText(writer, 1, metric.name)
    writeText(writer, 2, metric.description)
    writeText(writer, 3, metric.unit)
    writeMessage(writer, metric.kind === 'gauge' ? 5 : 7, (data) => {
      for (const point of metric.points) writeMessage(data, 1, numberPoint(point, metric, startTime, time))
      if (metric.kind === 'gauge') return
      data.tag(2, WireType.Varint).int32(cumulative)
      if (metric.kind === 'counter') data.tag(3, WireType.Varint).bool(true)
    })
  })
}

/** An `ExportLogsServiceRequest`. */
export function encodeLogs(origin: Origin, records: readonly LogRecordData[]): Uint8Array {
  return encodeExport(origin, records, ({ time, severity, body, attributes }) => (writer) => {
    writer.tag(1, WireType.Bit64).fixed64(nanoseconds(time))
    writer.tag(2, WireType.Varint).int32(severityNumbers[severity])
    writeText(writer, 3, severity.toUpperCase())
    writeMessage(writer, 5, (value) => writeText(value, 1, body))
    writeAttributes(writer, 6, keyValues(attributes))
    writer.tag(11, WireType.Bit64).fixed64(nanoseconds(time))
  })
}

const internalKind = 1
const statusOk = 1
const statusError = 2

/** An `ExportTraceServiceRequest`. */
export function encodeSpans(origin: Origin, spans: readonly Span[]): Uint8Array {
  return encodeExport(origin, spans, ({ name, startTime, endTime, attributes, error, traceId, spanId }) => (writer) => {
    writer.tag(1, WireType.LengthDelimited).bytes(traceId)
    writer.tag(2, WireType.LengthDelimited).bytes(spanId)
    writeText(writer, 5, name)
    writer.tag(6, WireType.Varint).int32(internalKind)
    writer.tag(7, WireType.Bit64).fixed64(nanoseconds(startTime))
    writer.tag(8, WireType.Bit64).fixed64(nanoseconds(endTime))
    writeAttributes(writer, 9, keyValues(attributes))
    writeMessage(writer, 15, (status) => {
      writeText(status, 2, error ?? '')
      status.tag(3, WireType.Varint).int32(error === undefined ? statusOk : statusError)
    })
  })
}

const severityNumbers: Readonly<Record<LogRecordData['severity'], number>> = { debug: 5, info: 9, warn: 13, error: 17 }

/** All requests have the same frame: one resource, one scope, and the items. */
function encodeExport<Item>({ resource, scope }: Origin, items: readonly Item[], write: (item: Item) => Write): Uint8Array {
  const writer = new BinaryWriter()
  writeMessage(writer, 1, (ofResource) => {
    writeMessage(ofResource, 1, (message) => writeAttributes(message, 1, resource))
    writeMessage(ofResource, 2, (ofScope) => {
      writeMessage(ofScope, 1, (message) => {
        writeText(message, 1, scope.name)
        writeText(message, 2, scope.version)
      })
      for (const item of items) writeMessage(ofScope, 2, write(item))
    })
  })
  return writer.finish()
}

function numberPoint({ value, attributes }: Metric['points'][number], { isInteger, kind }: Metric, startTime: number, time: number): Write {
  return (writer) => {
    if (kind !== 'gauge') writer.tag(2, WireType.Bit64).fixed64(nanoseconds(startTime))
    writer.tag(3, WireType.Bit64).fixed64(nanoseconds(time))
    if (isInteger) writer.tag(6, WireType.Bit64).sfixed64(BigInt(Math.round(value)))
    else writer.tag(4, WireType.Bit64).double(value)
    writeAttributes(writer, 7, keyValues(attributes ?? {}))
  }
}

function writeAttributes(writer: BinaryWriter, field: number, attributes: readonly KeyValue[]): void {
  for (const attribute of attributes) writer.tag(field, WireType.LengthDelimited).bytes(toBinary(KeyValueSchema, attribute))
}

function writeMessage(writer: BinaryWriter, field: number, write: Write): void {
  writer.tag(field, WireType.LengthDelimited).fork()
  write(writer)
  writer.join()
}

function writeText(writer: BinaryWriter, field: number, text: string): void {
  if (text !== '') writer.tag(field, WireType.LengthDelimited).string(text)
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms)) * 1_000_000n
}
