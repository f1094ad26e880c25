/** ExportMetricsServiceRequest of OTLP 1.x in protobuf: the points of the metrics that Drover keeps, and nothing else of it. */
import type { MetricRole } from '../meter/roles.ts'
import { roleOf } from '../meter/roles.ts'
import { OtlpError } from './errors.ts'
import { identityOf } from './point.ts'
import type { MetricPoint, ReadLimits } from './point.ts'
import { tagOf, wireType, WireReader } from './wire-reader.ts'

const { varint, fixed64, bytes } = wireType
const resourceMetrics = tagOf(1, bytes)
const scopeMetrics = tagOf(2, bytes)
const metric = tagOf(2, bytes)
const metricFields = { name: tagOf(1, bytes), gauge: tagOf(5, bytes), sum: tagOf(7, bytes) }
const dataPoints = tagOf(1, bytes)
const temporality = tagOf(2, varint)
const point = {
  start: tagOf(2, fixed64),
  time: tagOf(3, fixed64),
  double: tagOf(4, fixed64),
  int: tagOf(6, fixed64),
  attribute: tagOf(7, bytes),
  flags: tagOf(8, varint),
}
const keyValue = { key: tagOf(1, bytes), value: tagOf(2, bytes) }
const stringValue = tagOf(1, bytes)
const DELTA = 1
const NO_RECORDED_VALUE = 1

/** @throws {OtlpError} */
export function readProtobufMetrics(body: Uint8Array, limits: ReadLimits): readonly MetricPoint[] {
  const reader = new WireReader(body, limits.maxElements)
  const points: MetricPoint[] = []
  const read = (end: number) => readMetric(reader, end, points, limits)
  eachField(reader, body.length, resourceMetrics, (resourceEnd) =>
    eachField(reader, resourceEnd, scopeMetrics, (scopeEnd) => eachField(reader, scopeEnd, metric, read)),
  )
  return points
}

/** Calls `visit` with the end of each such message; it has to read up to there. */
export function eachField(reader: WireReader, end: number, wanted: number, visit: (end: number) => void): void {
  while (reader.position < end) {
    const tag = reader.tag(end)
    if (tag === wanted) visit(reader.enter(end))
    else reader.skip(tag, end)
  }
}

/** Fields may stand in any order, so the name is looked for first. */
function readMetric(reader: WireReader, end: number, points: MetricPoint[], limits: ReadLimits): void {
  let role: MetricRole | undefined
  let data = 0
  let at = 0
  while (reader.position < end) {
    const tag = reader.tag(end)
    if (tag === metricFields.name) role = roleOf(reader.text(end, limits.maxNameBytes))
    else {
      if (tag === metricFields.gauge || tag === metricFields.sum) {
        data = tag
        at = reader.position
      }
      reader.skip(tag, end)
    }
  }
  if (role === undefined || data === 0) return
  reader.position = at
  const dataEnd = reader.enter(end)
  const kind = data === metricFields.gauge ? 'gauge' : readTemporality(reader, dataEnd)
  eachField(reader, dataEnd, dataPoints, (pointEnd) => {
    if (points.length >= limits.maxItems) throw new OtlpError('too-many', `the request has more than ${limits.maxItems} points`)
    const read = readPoint(reader, pointEnd, role, kind, limits)
    if (read !== undefined) points.push(read)
  })
  reader.position = end
}

/** Stands behind the points; leaves the position where it was. */
function readTemporality(reader: WireReader, end: number): 'delta' | 'cumulative' {
  const start = reader.position
  let value = 0
  while (reader.position < end) {
    const tag = reader.tag(end)
    if (tag === temporality) value = reader.varint(end)
    else reader.skip(tag, end)
  }
  reader.position = start
  return value === DELTA ? 'delta' : 'cumulative'
}

function readPoint(reader: WireReader, end: number, role: MetricRole, kind: MetricPoint['temporality'], limits: ReadLimits): MetricPoint | undefined {
  const told = { startMs: 0, timeMs: 0, value: Number.NaN, identity: '', receiver: '', exporter: '', dataType: '' }
  let [attributes, flags] = [0, 0]
  while (reader.position < end) {
    const tag = reader.tag(end)
    if (tag === point.start) told.startMs = reader.nanosAsMs(end)
    else if (tag === point.time) told.timeMs = reader.nanosAsMs(end)
    else if (tag === point.double) told.value = reader.double(end)
    else if (tag === point.int) told.value = reader.signed64(end)
    else if (tag === point.flags) flags = reader.varint(end)
    else if (tag === point.attribute) {
      if (++attributes > limits.maxAttributes) throw new OtlpError('too-many', `a point has more than ${limits.maxAttributes} attributes`)
      readAttribute(reader, reader.enter(end), told, limits)
    } else reader.skip(tag, end)
  }
  return flags % 2 === NO_RECORDED_VALUE ? undefined : { role, temporality: kind, ...told, identity: identityOf(told.identity) }
}

function readAttribute(
  reader: WireReader,
  end: number,
  told: { identity: string; receiver: string; exporter: string; dataType: string },
  limits: ReadLimits,
): void {
  const start = reader.position
  let [key, text] = ['', '']
  while (reader.position < end) {
    const tag = reader.tag(end)
    if (tag === keyValue.key) key = reader.text(end, limits.maxNameBytes)
    else if (tag === keyValue.value) text = readText(reader, reader.enter(end), limits)
    else reader.skip(tag, end)
  }
  told.identity += reader.bytes.toString('latin1', start, Math.min(end, start + 2 * limits.maxNameBytes))
  if (key === 'receiver') told.receiver = text
  else if (key === 'exporter') told.exporter = text
  else if (key === 'data_type') told.dataType = text
}

/** Of an AnyValue; empty when it is none. */
function readText(reader: WireReader, end: number, limits: ReadLimits): string {
  let text = ''
  while (reader.position < end) {
    const tag = reader.tag(end)
    if (tag === stringValue) text = reader.text(end, limits.maxNameBytes)
    else reader.skip(tag, end)
  }
  return text
}
