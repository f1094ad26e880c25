/** The environment of what the supervisor starts: its own, what the configuration adds, and a mark by which it is found again. */
import { createHash } from 'node:crypto'

const markName = 'DROVER_SUPERVISOR'

/** Between the supervisor and its own service manager; a child that used them would speak for the supervisor. */
const ofServiceManager: ReadonlySet<string> = new Set(['NOTIFY_SOCKET', 'WATCHDOG_PID', 'WATCHDOG_USEC', 'LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES'])

export function childEnvironment(added: Readonly<Record<string, string>>, storageDirectory: string): Record<string, string> {
  const inherited = Object.entries(process.env).flatMap(([name, value]) => (value === undefined || ofServiceManager.has(name) ? [] : [[name, value]]))
  return { ...Object.fromEntries(inherited), ...added, [markName]: markOf(storageDirectory) }
}

/** The same for each supervisor of this storage directory, and no other. */
function markOf(storageDirectory: string): string {
  return createHash('sha256').update(storageDirectory).digest('hex').slice(0, 32)
}

/** `text`: as in `/proc/<pid>/environ`. */
export function hasMark(text: string, storageDirectory: string): boolean {
  return `\0${text}`.includes(`\0${markName}=${markOf(storageDirectory)}\0`)
}
