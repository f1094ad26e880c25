/** What an earlier supervisor left running when it was killed: found by `agent.pid`, and by the mark in the environment for the moment before that file is written. */
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerLog } from '@drover/server'
import { hasMark } from './environment.ts'
import { readPidFile, removePidFile } from './pid-file.ts'
import { isAlive, readProcess, readText } from './process-identity.ts'
import type { ProcessIdentity, ProcessStatus } from './process-identity.ts'

/** Another supervisor works in the same storage directory. */
export class StorageInUseError extends Error {
  override readonly name = 'StorageInUseError'
}

/** A process that is no child of ours tells nobody when it ends. */
const lookEveryMs = 10

export interface LeftoverOptions {
  readonly storageDirectory: string
  readonly stopTimeoutMs: number
  readonly log: ServerLog
  readonly signal?: AbortSignal
}

/**
 * Ends everything that an earlier supervisor of this storage directory left, politely at first. Returns the pids.
 * Throws `StorageInUseError` when that supervisor still runs.
 */
export async function endLeftovers({ storageDirectory, stopTimeoutMs, log, signal }: LeftoverOptions): Promise<readonly number[]> {
  const record = readPidFile(storageDirectory)
  if (record !== undefined && record.supervisor.pid !== process.pid && isAlive(record.supervisor))
    throw new StorageInUseError(`another supervisor (pid ${record.supervisor.pid}) runs with the storage directory ${storageDirectory}`)
  const leftovers = findLeftovers(storageDirectory, record?.agent)
  if (leftovers.length > 0) {
    log('warn', 'Ending what an earlier supervisor left running', { pids: leftovers.map(({ pid }) => pid).join(' ') })
    send(leftovers, 'SIGTERM')
    if (!(await untilGone(leftovers, stopTimeoutMs, signal))) send(leftovers, 'SIGKILL')
    // A killed process may still take a while to give its memory back; its ports are free when it is gone.
    if (!(await untilGone(leftovers, stopTimeoutMs, signal))) throw new Error(`pid ${leftovers.find(isAlive)?.pid} of an earlier supervisor cannot be ended`)
  }
  removePidFile(storageDirectory)
  return leftovers.map(({ pid }) => pid)
}

/** The recorded agent with its process group, and everything that carries the mark; never this process or one that it descends from. */
function findLeftovers(storageDirectory: string, recorded: ProcessIdentity | undefined): readonly ProcessStatus[] {
  const agentPid = recorded !== undefined && isAlive(recorded) ? recorded.pid : undefined
  const spared = new Set(ancestry(process.pid))
  return listPids().flatMap((pid) => {
    if (spared.has(pid)) return []
    const found = readProcess(pid)
    if (found === undefined) return []
    const isOurs = pid === agentPid || (found.groupId === agentPid && agentPid !== undefined) || hasMark(readText(`/proc/${pid}/environ`), storageDirectory)
    return isOurs ? [found] : []
  })
}

function listPids(): readonly number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return []
  }
}

function ancestry(pid: number): readonly number[] {
  const parentPid = readProcess(pid)?.parentPid ?? 0
  return parentPid <= 1 ? [pid] : [pid, ...ancestry(parentPid)]
}

function send(processes: readonly ProcessIdentity[], signal: NodeJS.Signals): void {
  for (const one of processes) {
    if (!isAlive(one)) continue
    try {
      process.kill(one.pid, signal)
    } catch {
      // it ended meanwhile, or is somebody else's: then the wait that follows says so
    }
  }
}

async function untilGone(processes: readonly ProcessIdentity[], withinMs: number, signal: AbortSignal | undefined): Promise<boolean> {
  const deadline = performance.now() + withinMs
  while (processes.some(isAlive)) {
    if (performance.now() >= deadline) return false
    await sleep(lookEveryMs, undefined, signal === undefined ? {} : { signal })
  }
  return true
}
