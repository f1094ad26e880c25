/** Tells scripts that both listeners accept, and where. */
import { renameSync, writeFileSync } from 'node:fs'

export interface Ready {
  readonly agents: string
  readonly console: string
  readonly pid: number
}

/** Appears whole or not at all. */
export function writeReadyFile(path: string, ready: Ready): void {
  const temporary = `${path}.${process.pid}.new`
  writeFileSync(temporary, `${JSON.stringify(ready)}\n`)
  renameSync(temporary, path)
}
