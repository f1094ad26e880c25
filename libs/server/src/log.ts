/** Logging and counting: what the server says about itself, at a bounded rate. */
import type { InstanceUid } from '@drover/protocol'
import type { Clock } from './clock.ts'
import type { Transport } from './handler.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** Takes a fixed sentence and fields. Text that an agent sent appears only at `debug`. */
export type ServerLog = (level: LogLevel, message: string, fields: LogFields) => void

/** Why something was turned away. */
export type RefusalCause =
  | 'authentication'
  | 'browser-origin'
  | 'capability'
  | 'draining'
  | 'duplicate-uid'
  | 'handler-failed'
  | 'in-flight-bytes'
  | 'malformed'
  | 'method'
  | 'overload'
  | 'path'
  | 'rate'
  | 'slow'
  | 'source-rate'
  | 'text-frame'
  | 'too-large'
  | 'too-many-agents'
  | 'unsupported-encoding'
  | 'unsupported-media-type'

/** Counters. Called often: an implementation adds to numbers and returns. */
export interface ServerObserver {
  /** One incoming message was dealt with. `bytes` is its uncompressed size. */
  received?(message: { transport: Transport; kind: 'heartbeat' | 'report' | 'refused'; bytes: number; durationMs: number }): void
  sent?(message: { transport: Transport; kind: 'reply' | 'push'; bytes: number }): void
  refused?(cause: RefusalCause): void
  /** Part of an offer was too large for a message and is gone. */
  droppedForSize?(dropped: { uid: InstanceUid; slot: string; bytes: number }): void
}

/** A line with its cause, by which lines are counted. */
export type CauseLog = (cause: string, level: LogLevel, message: string, fields: LogFields) => void

/** At most so many lines a second of one cause; the number left out comes with the next line of that cause. */
export function limitLog(log: ServerLog, clock: Clock, linesPerSecond: number): CauseLog {
  const causes = new Map<string, { second: number; lines: number; suppressed: number }>()
  return (cause, level, message, fields) => {
    const second = Math.floor(clock.monotonic() / 1000)
    let state = causes.get(cause)
    if (state === undefined) causes.set(cause, (state = { second, lines: 0, suppressed: 0 }))
    if (state.second !== second) {
      state.second = second
      state.lines = 0
    }
    if (state.lines >= linesPerSecond) {
      state.suppressed += 1
      return
    }
    state.lines += 1
    const suppressed = state.suppressed
    state.suppressed = 0
    log(level, message, suppressed > 0 ? { cause, ...fields, suppressed } : { cause, ...fields })
  }
}
