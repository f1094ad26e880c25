/** ExportLogsServiceRequest and ExportTraceServiceRequest of OTLP 1.x in protobuf. */
import { OtlpError } from './errors.ts'
import type { LogRecord, ReadLimits } from './point.ts'
import { eachField } from './protobuf-metrics.ts'
import { tagOf, wireType, WireReader } from './wire-reader.ts'

const { varint, fixed64, bytes } = wireType
const resources = tagOf(1, bytes)
const scopes = tagOf(2, bytes)
const scope = { itself: tagOf(1, bytes), attribute: tagOf(3, bytes), items: tagOf(2, bytes) }
const record = {
  time: tagOf(1, fixed64),
  severityNumber: tagOf(2, varint),
  severityText: tagOf(3, bytes),
  body: tagOf(5, bytes),
  attribute: tagOf(6, bytes),
  observed: tagOf(11, fixed64),
}
const keyValue = { key: tagOf(1, bytes), value: tagOf(2, bytes) }
const anyValue = {
  text: tagOf(1, bytes),
  bool: tagOf(2, varint),
  int: tagOf(3, varint),
  double: tagOf(4, fixed64),
  list: tagOf(5, bytes),
  map: tagOf(6, bytes),
}

type Attributes = readonly (readonly [name: string, value: string])[]

/** @throws {OtlpError} */
export function readProtobufLogs(body: Uint8Array, limits: ReadLimits): readonly LogRecord[] {
  const reader = new WireReader(body, limits.maxElements)
  const records: LogRecord[] = []
  eachField(reader, body.length, resources, (resourceEnd) => eachField(reader, resourceEnd, scopes, (scopeEnd) => readScope(reader, scopeEnd, records, limits)))
  return records
}

/** The number of spans. @throws {OtlpError} */
export function countProtobufSpans(body: Uint8Array, limits: ReadLimits): number {
  const reader = new WireReader(body, limits.maxElements)
  let spans = 0
  eachField(reader, body.length, resources, (resourceEnd) =>
    eachField(reader, resourceEnd, scopes, (scopeEnd) =>
      eachField(reader, scopeEnd, scope.items, (end) => {
        spans++
        reader.position = end
      }),
    ),
  )
  return spans
}

/** The Collector tells in the scope which component speaks. */
function readScope(reader: WireReader, end: number, records: LogRecord[], limits: ReadLimits): void {
  const start = reader.position
  let shared: Attributes = []
  eachField(reader, end, scope.itself, (scopeEnd) => {
    shared = readAttributes(reader, scopeEnd, scope.attribute, limits)
  })
  reader.position = start
  eachField(reader, end, scope.items, (recordEnd) => {
    if (records.length >= limits.maxItems) throw new OtlpError('too-many', `the request has more than ${limits.maxItems} log records`)
    records.push(readRecord(reader, recordEnd, shared, limits))
  })
}

function readAttributes(reader: WireReader, end: number, wanted: number, limits: ReadLimits): Attributes {
  const attributes: (readonly [string, string])[] = []
  eachField(reader, end, wanted, (attributeEnd) => {
    attributes.push(readAttribute(reader, attributeEnd, limits))
    checkCount(attributes.length, limits)
  })
  return attributes
}

function checkCount(attributes: number, limits: ReadLimits): void {
  if (attributes > limits.maxAttributes) throw new OtlpError('too-many', `more than ${limits.maxAttributes} attributes`)
}

function readRecord(reader: WireReader, end: number, shared: Attributes, limits: ReadLimits): LogRecord {
  const told = { timeMs: 0, severityNumber: 0, severityText: '', body: '' }
  const attributes: (readonly [string, string])[] = []
  let observedMs = 0
  while (reader.position < end) {
    const tag = reader.tag(end)
    if (tag === record.time) told.timeMs = reader.nanosAsMs(end)
    else if (tag === record.observed) observedMs = reader.nanosAsMs(end)
    else if (tag === record.severityNumber) told.severityNumber = reader.varint(end)
    else if (tag === record.severityText) told.severityText = reader.text(end, limits.maxNameBytes)
    else if (tag === record.body) told.body = readValue(reader, reader.enter(end), limits.maxBodyChars)
    else if (tag === record.attribute) {
      attributes.push(readAttribute(reader, reader.enter(end), limits))
      checkCount(attributes.length, limits)
    } else reader.skip(tag, end)
  }
  return { ...told, timeMs: told.timeMs || observedMs, attributes: shared.length === 0 ? attributes : [...shared, ...attributes] }
}

function readAttribute(reader: WireReader, end: number, limits: ReadLimits): readonly [string, string] {
  let [key, value] = ['', '']
  while (reader.position < end) {
    const tag = reader.tag(end)
    if (tag === keyValue.key) key = reader.text(end, limits.maxNameBytes)
    else if (tag === keyValue.value) value = readValue(reader, reader.enter(end), limits.maxBodyChars)
    else reader.skip(tag, end)
  }
  return [key, value]
}

/** As text. What is inside a list or a map is not looked at: the Collector's log has none. */
function readValue(reader: WireReader, end: number, maxBytes: number): string {
  let text = ''
  while (reader.position < end) {
    const tag = reader.tag(end)
    if (tag === anyValue.text) text = reader.text(end, maxBytes)
    else if (tag === anyValue.bool) text = String(reader.varint(end) !== 0)
    else if (tag === anyValue.int) text = signedText(reader.varint(end))
    else if (tag === anyValue.double) text = String(reader.double(end))
    else {
      if (tag === anyValue.list) text = '[…]'
      else if (tag === anyValue.map) text = '{…}'
      reader.skip(tag, end)
    }
  }
  return text
}

/** Negative numbers come as what they are modulo 2^64. */
function signedText(value: number): string {
  return String(value >= 2 ** 63 ? value - 2 ** 64 : value)
}
