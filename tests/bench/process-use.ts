/** What a process takes, from Linux's /proc. */
import { readFile } from 'node:fs/promises'

const ticksPerSecond = 100

export interface ProcessUse {
  readonly cpuSeconds: number
  readonly residentBytes: number
  /** The most it ever had. */
  readonly peakBytes: number
}

export async function readProcessUse(pid: number): Promise<ProcessUse> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // from field 3 on; the name before it may contain spaces
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond, residentBytes: bytes('VmRSS'), peakBytes: bytes('VmHWM') }
}
