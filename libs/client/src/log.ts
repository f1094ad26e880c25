/** What the client says about itself. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** Takes a fixed sentence and fields. Never given secrets: no header values, keys or URL credentials. */
export type ClientLog = (level: LogLevel, message: string, fields: LogFields) => void
