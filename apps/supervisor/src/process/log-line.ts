/** The Collector's own log lines as people read them. A supervised Collector logs JSON, of which each line says again who it is. */

/** Said of the whole agent elsewhere, or of use to its developers alone. */
const leftOut = new Set(['ts', 'level', 'msg', 'resource', 'caller', 'stacktrace'])

/** `time level message key=value …` for a line that is a JSON log record; any other line as it is. */
export function readableLine(line: string): string {
  const record = line.startsWith('{') ? parseRecord(line) : undefined
  if (record === undefined) return line
  const { ts, level, msg } = record
  if (typeof msg !== 'string') return line
  const rest = Object.entries(record)
    .filter(([key]) => !leftOut.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' && !/\s/.test(value) ? value : JSON.stringify(value)}`)
  return [ts, level, msg, ...rest].filter((part) => typeof part === 'string' || typeof part === 'number').join(' ')
}

function parseRecord(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined // as: checked
  } catch {
    return undefined
  }
}
