/** `agent.pid`: which process is the agent, and whose it is. Written as soon as it was started, removed when it ended. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readProcess } from './process-identity.ts'
import type { ProcessIdentity } from './process-identity.ts'

export interface PidRecord {
  readonly agent: ProcessIdentity
  readonly supervisor: ProcessIdentity
}

const pathIn = (storageDirectory: string): string => join(storageDirectory, 'agent.pid')

/**
 * Whole or not at all, also after a kill -9: it is renamed into place. A power cut may lose it, but ends the agent as well. Synchronous, so that
 * nothing else happens between the start of the process and this. Where a process cannot be identified there is no file.
 */
export function writePidFile(storageDirectory: string, agentPid: number): void {
  const agent = readProcess(agentPid)
  const supervisor = readProcess(process.pid)
  if (agent === undefined || supervisor === undefined) return
  const path = pathIn(storageDirectory)
  const record: PidRecord = { agent: identityOf(agent), supervisor: identityOf(supervisor) }
  writeFileSync(`${path}.new`, `${JSON.stringify(record)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** `undefined` when there is none, or none that can be read. */
export function readPidFile(storageDirectory: string): PidRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(pathIn(storageDirectory), 'utf8')) as Partial<PidRecord> | null // as: checked on the next line
    if (isIdentity(record?.agent) && isIdentity(record.supervisor)) return { agent: record.agent, supervisor: record.supervisor }
  } catch {
    // none, or not ours
  }
  return undefined
}

export function removePidFile(storageDirectory: string): void {
  rmSync(pathIn(storageDirectory), { force: true })
}

function identityOf({ pid, startTicks, bootId }: ProcessIdentity): ProcessIdentity {
  return { pid, startTicks, bootId }
}

function isIdentity(value: Partial<ProcessIdentity> | undefined): value is ProcessIdentity {
  return Number.isSafeInteger(value?.pid) && (value?.pid ?? 0) > 1 && typeof value?.startTicks === 'string' && typeof value.bootId === 'string'
}
