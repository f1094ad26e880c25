/** The supervisor's own log: one JSON object to a line. */
import { closeSync, openSync, writeSync } from 'node:fs'
import process from 'node:process'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** Takes a fixed sentence and fields; no secrets in either. Fits where the libraries want a log. */
export type Log = (level: LogLevel, message: string, fields?: LogFields) => void

export interface LogRecord {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

export interface LogOptions {
  readonly level: LogLevel
  /** `stdout`, `stderr`, or the path of a file to append to. */
  readonly outputPaths: readonly string[]
  readonly now: () => number
}

export interface SupervisorLog extends Disposable {
  readonly log: Log
  /** Called for every record that is written, whatever it is written to; undefined: nobody. */
  tap: ((record: LogRecord) => void) | undefined
}

const severities: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }
/** A longer text is cut: what comes from elsewhere, an error's message say, may be of any length. */
const maxFieldChars = 4096

type Write = (line: string) => void

/** Throws when a file cannot be opened. */
export function openLog({ level, outputPaths, now }: LogOptions): SupervisorLog {
  const descriptors: number[] = []
  const writers = outputPaths.map((path): Write => {
    if (path === 'stdout') return (line) => void process.stdout.write(line)
    if (path === 'stderr') return (line) => void process.stderr.write(line)
    const descriptor = openSync(path, 'a', 0o600)
    descriptors.push(descriptor)
    return (line) => void writeSync(descriptor, line)
  })
  const opened: SupervisorLog = {
    tap: undefined,
    log(at, message, fields = {}) {
      if (severities[at] < severities[level]) return
      const record: LogRecord = { time: now(), level: at, message, fields }
      const line = formatLine(record)
      for (const write of writers) tryWrite(write, line)
      opened.tap?.(record)
    },
    [Symbol.dispose]() {
      for (const descriptor of descriptors.splice(0)) closeSync(descriptor)
    },
  }
  return opened
}

/** A full disk must not end the supervisor. */
function tryWrite(write: Write, line: string): void {
  try {
    write(line)
  } catch {
    // there is nowhere left to say it
  }
}

export function formatLine({ time, level, message, fields }: LogRecord): string {
  const shown = Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? value.slice(0, maxFieldChars) : value] as const)
  return `${JSON.stringify({ level, ts: new Date(time).toISOString(), msg: message, ...Object.fromEntries(shown) })}\n`
}
