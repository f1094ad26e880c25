/** Which process a pid stands for. A pid alone is reused; with the time of its start and of the machine's boot it is not. */
import { readFileSync } from 'node:fs'

/**
 * Known on Linux only. Elsewhere nothing that an earlier supervisor left can be told from a stranger with the same pid, so nothing is ended:
 * a Collector then ends by itself, as its extension watches for the supervisor's pid.
 */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks since the boot, as the kernel writes them. */
  readonly startTicks: string
  readonly bootId: string
}

export interface ProcessStatus extends ProcessIdentity {
  readonly parentPid: number
  readonly groupId: number
}

/** `undefined`: no such process, or one that has ended and only waits to be collected. */
export function readProcess(pid: number): ProcessStatus | undefined {
  const status = parseStat(readText(`/proc/${pid}/stat`))
  const bootId = readText('/proc/sys/kernel/random/boot_id').trim()
  return status === undefined || bootId === '' ? undefined : { pid, bootId, ...status }
}

export function isAlive(identity: ProcessIdentity): boolean {
  const now = readProcess(identity.pid)
  return now !== undefined && now.startTicks === identity.startTicks && now.bootId === identity.bootId
}

/** The second field is the program's name in parentheses, and may itself hold any character. */
export function parseStat(text: string): Omit<ProcessStatus, 'pid' | 'bootId'> | undefined {
  const [state, parentPid, groupId, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const startTicks = rest[16]
  if (startTicks === undefined || !/^\d+$/.test(startTicks) || state === 'Z' || state === 'X') return undefined
  return { parentPid: Number(parentPid), groupId: Number(groupId), startTicks }
}

export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
