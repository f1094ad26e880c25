/** OTLP 1.x in JSON: the same requests, read to the same values. */
import type { MetricRole } from '../meter/roles.ts'
import { roleOf } from '../meter/roles.ts'
import { OtlpError } from './errors.ts'
import { identityOf } from './point.ts'
import type { LogRecord, MetricPoint, ReadLimits } from './point.ts'

type Fields = Readonly<Record<string, unknown>>

/** @throws {OtlpError} */
export function readJsonMetrics(body: Uint8Array, limits: ReadLimits): readonly MetricPoint[] {
  const points: MetricPoint[] = []
  for (const metric of itemsOf(body, limits, 'resourceMetrics', 'scopeMetrics', 'metrics')) {
    const role = roleOf(textOf(metric.item['name'], limits.maxNameBytes))
    const data = optionalFields(metric.item['gauge']) ?? optionalFields(metric.item['sum'])
    if (role === undefined || data === undefined) continue
    const kind = metric.item['gauge'] === undefined ? temporalityOf(data['aggregationTemporality']) : 'gauge'
    for (const point of listOf(data['dataPoints'])) {
      if (points.length >= limits.maxItems) throw new OtlpError('too-many', `the request has more than ${limits.maxItems} points`)
      const read = readPoint(point, role, kind, limits)
      if (read !== undefined) points.push(read)
    }
  }
  return points
}

/** @throws {OtlpError} */
export function readJsonLogs(body: Uint8Array, limits: ReadLimits): readonly LogRecord[] {
  const records: LogRecord[] = []
  for (const { item, scope } of itemsOf(body, limits, 'resourceLogs', 'scopeLogs', 'logRecords')) {
    if (records.length >= limits.maxItems) throw new OtlpError('too-many', `the request has more than ${limits.maxItems} log records`)
    records.push({
      timeMs: nanosAsMs(item['timeUnixNano']) || nanosAsMs(item['observedTimeUnixNano']),
      severityNumber: numberOf(item['severityNumber']) || 0,
      severityText: textOf(item['severityText'], limits.maxNameBytes),
      body: valueText(item['body'], limits.maxBodyChars),
      attributes: [...attributesOf(optionalFields(scope['scope'])?.['attributes'], limits), ...attributesOf(item['attributes'], limits)],
    })
  }
  return records
}

/** The number of spans. @throws {OtlpError} */
export function countJsonSpans(body: Uint8Array, limits: ReadLimits): number {
  let spans = 0
  for (const _ of itemsOf(body, limits, 'resourceSpans', 'scopeSpans', 'spans')) spans++
  return spans
}

function* itemsOf(
  body: Uint8Array,
  limits: ReadLimits,
  resources: string,
  scopes: string,
  items: string,
): Generator<{ readonly item: Fields; readonly scope: Fields }> {
  for (const resource of listOf(fieldsOf(parse(body, limits))[resources]))
    for (const scope of listOf(resource[scopes])) for (const item of listOf(scope[items])) yield { item, scope }
}

function parse(body: Uint8Array, limits: ReadLimits): unknown {
  checkShape(body, limits)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (cause) {
    throw new OtlpError('malformed', 'the body is not JSON', { cause })
  }
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]

/** Depth and number of values, before anything is built from them. */
function checkShape(body: Uint8Array, limits: ReadLimits): void {
  let [depth, elements, isText] = [0, 0, false]
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] ?? 0
    if (isText) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) isText = false
    } else if (byte === QUOTE) isText = true
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > limits.maxJsonDepth) throw new OtlpError('too-many', `more than ${limits.maxJsonDepth} values inside each other`)
      elements++
    } else if (byte === 0x7d || byte === 0x5d) depth--
    else if (byte === COMMA) elements++
    if (elements > limits.maxElements) throw new OtlpError('too-many', `the body has more than ${limits.maxElements} values`)
  }
}

function readPoint(point: Fields, role: MetricRole, temporality: MetricPoint['temporality'], limits: ReadLimits): MetricPoint | undefined {
  if ((numberOf(point['flags']) || 0) % 2 === 1) return undefined
  const attributes = attributesOf(point['attributes'], limits)
  const attribute = (name: string) => attributes.find(([key]) => key === name)?.[1] ?? ''
  return {
    role,
    temporality,
    identity: identityOf(attributes.map(([key, value]) => JSON.stringify([key, value])).join()),
    receiver: attribute('receiver'),
    exporter: attribute('exporter'),
    dataType: attribute('data_type'),
    startMs: nanosAsMs(point['startTimeUnixNano']),
    timeMs: nanosAsMs(point['timeUnixNano']),
    value: numberOf(point['asDouble'] ?? point['asInt']),
  }
}

function attributesOf(value: unknown, limits: ReadLimits): readonly (readonly [string, string])[] {
  const attributes = listOf(value)
  if (attributes.length > limits.maxAttributes) throw new OtlpError('too-many', `more than ${limits.maxAttributes} attributes`)
  return attributes.map((one) => [textOf(one['key'], limits.maxNameBytes), valueText(one['value'], limits.maxBodyChars)])
}

/** Of an AnyValue. */
function valueText(value: unknown, maxChars: number): string {
  const told = optionalFields(value)
  if (told === undefined) return ''
  if (told['arrayValue'] !== undefined) return '[…]'
  if (told['kvlistValue'] !== undefined) return '{…}'
  const plain = told['stringValue'] ?? told['boolValue'] ?? told['intValue'] ?? told['doubleValue'] ?? ''
  return typeof plain === 'string' || typeof plain === 'number' || typeof plain === 'boolean' ? String(plain).slice(0, maxChars) : ''
}

function temporalityOf(value: unknown): 'delta' | 'cumulative' {
  return value === 1 || value === 'AGGREGATION_TEMPORALITY_DELTA' ? 'delta' : 'cumulative'
}

/** 64-bit numbers come as text; NaN and the infinities as well. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && value.length <= 64 && value.trim() !== '' ? Number(value) : Number.NaN
}

function nanosAsMs(value: unknown): number {
  const nanos = numberOf(value)
  return Number.isFinite(nanos) && nanos > 0 ? nanos / 1e6 : 0
}

function textOf(value: unknown, maxChars: number): string {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') throw wrongType('a text')
  return value.slice(0, maxChars)
}

function listOf(value: unknown): readonly Fields[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw wrongType('a list')
  return value.map(fieldsOf)
}

function optionalFields(value: unknown): Fields | undefined {
  return value === undefined || value === null ? undefined : fieldsOf(value)
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType('an object')
  return value as Fields // as: an object of JSON, whose fields are looked at one by one
}

function wrongType(expected: string): OtlpError {
  return new OtlpError('malformed', `the body is not a message of OTLP: ${expected} was expected where it has something else`)
}
