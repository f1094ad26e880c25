/** For tests: small programs of the shell that behave in one way or another, and what is said when they are ready. */
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '@drover/server'
import { readProcess } from './process-identity.ts'
import type { ProcessOptions } from './running-process.ts'

/** Says `ready` and stays. */
export const staying = 'echo ready; while :; do sleep 1; done'
/** Does not mind being asked to end. */
export const stubborn = 'trap "" TERM; echo ready; while :; do sleep 1; done'
/** Ends in good order, with a last word. */
export const polite = 'trap "echo bye; exit 3" TERM; echo ready; while :; do sleep 0.05; done'
/** Has a child that stays when it ends, and says its pid. */
export const parent = 'sleep 1000 & echo child $!; echo ready; wait'

export interface Heard {
  readonly options: ProcessOptions
  /** Waits until the output matches. */
  readonly until: (pattern: RegExp) => Promise<RegExpExecArray>
  readonly text: () => string
}

/** Options for a shell with that script; what it writes is kept. */
export function shell(script: string, more: Partial<ProcessOptions> = {}): Heard {
  let text = ''
  const listeners = new Set<() => void>()
  const onOutput = (chunk: Uint8Array) => {
    text += Buffer.from(chunk).toString()
    for (const listener of listeners) listener()
  }
  const until = async (pattern: RegExp) => {
    for (;;) {
      const found = pattern.exec(text)
      if (found !== null) return found
      await new Promise<void>((resolve) => listeners.add(resolve))
      listeners.clear()
    }
  }
  const env = { PATH: process.env['PATH'] ?? '' }
  return { options: { command: '/bin/sh', args: ['-c', script], env, stopTimeoutMs: 5_000, clock: systemClock, onOutput, ...more }, until, text: () => text }
}

/** A process that is not our child tells nobody when it ends. */
export async function untilGone(pid: number): Promise<void> {
  for (let found = readProcess(pid); found !== undefined; found = readProcess(pid)) await sleep(5)
}
