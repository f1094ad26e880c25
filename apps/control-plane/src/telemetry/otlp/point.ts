/** What is read of OTLP, whatever its encoding was. */
import type { MetricRole } from '../meter/roles.ts'

/** A point of a metric that Drover keeps. */
export interface MetricPoint {
  readonly role: MetricRole
  readonly temporality: 'gauge' | 'delta' | 'cumulative'
  /** The attributes as they were sent: what tells one counter of a metric from another. */
  readonly identity: string
  /** Of the attributes; empty: not told. */
  readonly receiver: string
  readonly exporter: string
  readonly dataType: string
  /** Milliseconds by the agent's clock; 0: not told. */
  readonly startMs: number
  readonly timeMs: number
  readonly value: number
}

export interface LogRecord {
  /** Milliseconds by the agent's clock; 0: not told. */
  readonly timeMs: number
  /** OTLP's numbers from 1 to 24; 0: not told. */
  readonly severityNumber: number
  readonly severityText: string
  readonly body: string
  readonly attributes: readonly (readonly [name: string, value: string])[]
}

export interface ReadLimits {
  readonly maxElements: number
  readonly maxItems: number
  readonly maxAttributes: number
  readonly maxNameBytes: number
  readonly maxJsonDepth: number
  readonly maxBodyChars: number
}
