/** Finds out who the agent is, patiently: a machine that just started is slow, and a supervisor that gives up runs nothing. */
import type { InstanceUid } from '@drover/protocol'
import type { Clock } from '@drover/server'
import { AgentBootstrapError, type AgentFacts, type SupervisedAgent } from './agent/agent.ts'
import type { Log } from './log.ts'

const retryMs = [1_000, 5_000, 15_000] as const

export async function bootstrapAgent(
  agent: SupervisedAgent,
  uid: InstanceUid,
  { clock, log, signal }: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal },
): Promise<AgentFacts> {
  for (const waitMs of [...retryMs, undefined]) {
    try {
      return await agent.bootstrap(uid, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof AgentBootstrapError) || !mayPass(error) || waitMs === undefined) throw error
      log('warn', 'The agent did not say who it is, and is asked again', { reason: error.message, waitMs, logTail: error.logTail })
      await wait(waitMs, clock, signal)
    }
  }
  throw new Error('unreachable: the last attempt returns or throws')
}

/** A program that is not there, or that has another uid in its own configuration, will not change by waiting. */
function mayPass({ code }: AgentBootstrapError): boolean {
  return code === 'timeout' || code === 'exited'
}

async function wait(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = clock.setTimeout(resolve, ms)
  const abort = (): void => reject(signal.reason as Error) // as: what an aborted signal has
  signal.addEventListener('abort', abort, { once: true })
  try {
    await promise
  } finally {
    clock.clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}
