/** Logs our own faults, at a bounded rate: a request that fails may come again and again. */
import type { Logger } from 'pino'

const LINES_PER_SECOND = 10

export type FaultLog = (fields: Readonly<Record<string, unknown>>, message: string) => void

/** What is left out is counted in the next line that is written. */
export function createFaultLog(log: Pick<Logger, 'error'>, now: () => number = () => performance.now()): FaultLog {
  let second = -1
  let lines = 0
  let suppressed = 0
  return (fields, message) => {
    const current = Math.floor(now() / 1000)
    if (current !== second) {
      second = current
      lines = 0
    }
    if (lines >= LINES_PER_SECOND) return void suppressed++
    lines++
    log.error(suppressed > 0 ? { ...fields, suppressed } : fields, message)
    suppressed = 0
  }
}
