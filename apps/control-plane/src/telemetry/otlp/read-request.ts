/** What a request says, whatever its encoding. */
import { logLimits, telemetryLimits } from '../limits.ts'
import type { Encoding } from './answers.ts'
import { countJsonSpans, readJsonLogs, readJsonMetrics } from './json.ts'
import type { LogRecord, MetricPoint, ReadLimits } from './point.ts'
import { countProtobufSpans, readProtobufLogs } from './protobuf-logs.ts'
import { readProtobufMetrics } from './protobuf-metrics.ts'

const limits: ReadLimits = { ...telemetryLimits, maxBodyChars: logLimits.maxBodyChars }

/** Each throws an OtlpError and has no effect then. */
export const readMetrics = (body: Uint8Array, encoding: Encoding): readonly MetricPoint[] =>
  encoding === 'json' ? readJsonMetrics(body, limits) : readProtobufMetrics(body, limits)

export const readLogs = (body: Uint8Array, encoding: Encoding): readonly LogRecord[] =>
  encoding === 'json' ? readJsonLogs(body, limits) : readProtobufLogs(body, limits)

export const countSpans = (body: Uint8Array, encoding: Encoding): number =>
  encoding === 'json' ? countJsonSpans(body, limits) : countProtobufSpans(body, limits)
