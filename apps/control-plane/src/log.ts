/** Structured logs on stderr: a fixed message and fields, no secrets. */
import type { ServerLog } from '@drover/server'
import { pino } from 'pino'
import type { Logger } from 'pino'
import type { LogLevel } from './config/options.ts'

const STDERR = 2

export function createLog(level: LogLevel): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ['authorization', 'cookie', 'token', '*.authorization', '*.cookie', '*.token', 'headers.*'], censor: '[redacted]' },
    },
    // Written at once, so that the last lines before a crash are there.
    pino.destination({ dest: STDERR, sync: true }),
  )
}

/** For the OpAMP server, which knows nothing of pino. */
export function toServerLog(log: Logger): ServerLog {
  return (level, message, fields) => log[level](fields, message)
}
