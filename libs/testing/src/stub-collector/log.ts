/** The Collector's log: lines for people, or JSON when the configuration says so. */
import { writeSync } from 'node:fs'

export type LogLevel = 'info' | 'warn' | 'error'

export interface Log {
  (level: LogLevel, message: string): void
}

const stderr = 2
const waitMs = 2
const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Goes to stderr, as the Collector's does. */
export function createLog(json: boolean): Log {
  return (level, message) => {
    const line = json
      ? JSON.stringify({ level, ts: new Date().toISOString(), caller: 'stub/collector.ts', msg: message })
      : `${new Date().toISOString()}\t${level}\tstub/collector.ts\t${message}`
    writeLine(line)
  }
}

/** Returns when all of it is out, so that nothing is lost when the process ends right after. */
export function writeLine(line: string): void {
  const bytes = Buffer.from(`${line}\n`)
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(stderr, bytes, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return // as: fs throws such; nobody reads any more
      Atomics.wait(sleeper, 0, 0, waitMs) // the pipe is full: wait as a blocking write would
    }
  }
}
