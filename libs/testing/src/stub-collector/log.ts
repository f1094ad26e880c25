/** The Collector's log: lines for people, or JSON when the configuration says so. */
export type LogLevel = 'info' | 'warn' | 'error'

export interface Log {
  (level: LogLevel, message: string): void
}

/** Goes to stderr, as the Collector's does. */
export function createLog(json: boolean): Log {
  return (level, message) => {
    const line = json
      ? JSON.stringify({ level, ts: new Date().toISOString(), caller: 'stub/collector.ts', msg: message })
      : `${new Date().toISOString()}\t${level}\tstub/collector.ts\t${message}`
    process.stderr.write(`${line}\n`)
  }
}
