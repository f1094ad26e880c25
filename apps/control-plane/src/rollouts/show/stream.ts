/** A rollout as server-sent events: at once and at each change, at most twice a second, until it is over. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { rolloutRoutes } from '@drover/api'
import type { Rollout } from '@drover/api'
import type { BindStream, Caller } from '../../http/bind-route.ts'
import { ConflictError } from '../../http/errors.ts'
import { consoleLimits } from '../../http/limits.ts'
import { toProblem } from '../../http/problems.ts'
import type { Timing } from '../part.ts'
import type { LiveRollout } from '../run/live-rollout.ts'
import type { RolloutMemory } from '../run/memory.ts'

export interface RolloutStreamOptions {
  readonly memory: RolloutMemory
  readonly timing: Timing
  /** @throws {NotFoundError} */
  readonly find: (id: string, caller: Caller) => Promise<Rollout>
}

const intervalMs = 500
/** Followers of rollouts at a time. */
const maxStreams = 200

export function bindRolloutStream(bindStream: BindStream, options: RolloutStreamOptions): void {
  let open = 0
  bindStream(rolloutRoutes.streamRollout, ({ params, caller, signal }) => {
    if (open >= maxStreams) throw new ConflictError('too-many-streams', 'too many programs follow rollouts: close some, or read the rollout from time to time')
    return async (response) => {
      open++
      try {
        await send(response, params.rolloutId, caller, signal, options)
      } finally {
        open--
        response.end()
      }
    }
  })
}

async function send(response: ServerResponse, id: string, caller: Caller, signal: AbortSignal, { memory, timing, find }: RolloutStreamOptions): Promise<void> {
  let first: Rollout
  try {
    first = await find(id, caller)
  } catch (error) {
    const { problem } = toProblem(error, '')
    response.writeHead(problem.status, { 'content-type': 'application/problem+json', connection: 'close' }).end(JSON.stringify(problem))
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no', connection: 'close' })
  response.write('retry: 2000\n\n')
  const comment = setInterval(() => response.write(': alive\n\n'), consoleLimits.eventStreamCommentMs)
  try {
    let shown = first
    for (;;) {
      const live = memory.find(id)
      const changed = live === undefined ? undefined : nextChange(live, signal)
      if (!response.write(`data: ${JSON.stringify(shown)}\n\n`)) await drained(response, signal)
      if (changed === undefined || signal.aborted || shown.endedAt !== null) return
      await pause(timing, signal)
      await changed
      if (signal.aborted) return
      shown = await find(id, caller)
    }
  } finally {
    clearInterval(comment)
  }
}

/** Listens from the call on, so that nothing is missed while what was before is written. */
function nextChange(live: LiveRollout, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stop()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const stop = live.onChanged(done)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}

function pause(timing: Timing, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      timing.clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = timing.setTimeout(done, intervalMs)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}

/** A reader that takes nothing is cut off; it may come back. */
async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  try {
    await once(response, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(consoleLimits.eventStreamStallMs)]) })
  } catch {
    response.destroy()
  }
}
