/** What is read of OTLP, whatever its encoding was. */
import { createHash } from 'node:crypto'
import type { MetricRole } from '../meter/roles.ts'

/** A point of a metric that Drover keeps. */
export interface MetricPoint {
  readonly role: MetricRole
  readonly temporality: 'gauge' | 'delta' | 'cumulative'
  /** What tells one counter of a metric from another: the attributes as they were sent, or a hash of them. */
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

const MAX_IDENTITY_CHARS = 512

/** The identity is remembered of each counter, so that one of many long attributes must not be as long. */
export function identityOf(attributes: string): string {
  return attributes.length <= MAX_IDENTITY_CHARS ? attributes : createHash('sha256').update(attributes).digest('base64')
}
