/**
 * The machine that decides what the agent runs. `step` is pure: it takes what is known, what happened and the time, and gives what is known then
 * and what is to be done, in order.
 *
 * - An offer is tried beside what runs (composed, then checked by the program itself) before anything is touched.
 * - It is APPLIED when the agent is healthy `applyTimeoutMs` after it was given to it, and did not crash in between. What is already running and
 *   healthy is APPLIED at once.
 * - Otherwise it is FAILED, and the last good configuration runs again at once.
 * - An applied configuration is in its grace for ten minutes: when the process ends by itself in the first minute, or for the second time in any way,
 *   it is FAILED after all. Being unhealthy without a crash does not count: what an agent cannot reach may be anybody's fault.
 * - A crash of a good configuration is followed by a restart, later and later.
 */
import type { Rejection } from '../agent/agent.ts'
import type { OfferedConfig } from '../state/offered-config.ts'
import { confirmRun, restartAfterCrash, runAgain, runFallback, runGood, waitToRestart } from './agent-life.ts'
import { activeChange, type AgentProcess, type ApplyEvent, type ApplyState, type Change, type Crash, type Step } from './apply-state.ts'
import { acceptChange, beginChange, considerComposed, memoryWrite, rejectChange, relapse, startChange, timesBegun } from './changes.ts'
import { andThen, isHeld, keep, note, noteRepetition, notTriedAgain } from './effects.ts'

export function step(state: ApplyState, event: ApplyEvent, now: number): Step {
  if (state.phase.kind === 'stopped') return keep(state)
  switch (event.kind) {
    case 'start':
      return start(state, event.pending, event.mayFallBack, now)
    case 'offer':
      return takeOffer(state, event.offer, now)
    case 'own-telemetry':
      return beginChange(state, { telemetry: event })
    case 'instance-uid':
      return changeInstanceUid(state, event.instanceUid)
    case 'restart-command':
      return restart(state)
    case 'server':
      return hearOfServer(state, event.reachable)
    case 'composed':
      return ofChange(state, 'composing', event.changeId, (change) => considerComposed(state, change, event.config, now))
    case 'compose-failed':
      return ofChange(state, 'composing', event.changeId, (change) => rejectChange(state, change, event.rejection, now))
    case 'validated':
      return validated(state, event.changeId, event.rejection, now)
    case 'not-stored':
      return notStored(state, event, now)
    case 'time':
      return passTime(state, now)
    case 'stop':
      return stop(state)
    case 'ran':
    case 'run-failed':
    case 'agent-started':
    case 'agent-crashed':
    case 'agent-health':
      return hearOfAgent(state, event, now)
    default:
      return event satisfies never
  }
}

type AgentNews = Extract<ApplyEvent, { kind: 'ran' | 'run-failed' | 'agent-started' | 'agent-crashed' | 'agent-health' }>

function hearOfAgent(state: ApplyState, event: AgentNews, now: number): Step {
  const { agent } = state
  switch (event.kind) {
    case 'agent-started':
      return agent.kind === 'starting' ? keep({ ...state, agent: { ...agent, isRunning: true, lost: undefined } }) : keep(state)
    case 'ran':
      return agent.kind === 'starting' && agent.runId === event.runId ? ran(state, agent, event.config, now) : keep(state)
    case 'run-failed':
      if (agent.kind !== 'starting' || agent.runId !== event.runId) return keep(state)
      return lose(state, { rejection: event.rejection, isByItself: true, ranForMs: 0, random: event.random }, now)
    case 'agent-crashed':
      if (agent.kind === 'starting' && !agent.isRunning) return keep({ ...state, agent: { ...agent, lost: event.crash } })
      return agent.kind === 'starting' || agent.kind === 'up' ? lose(state, event.crash, now) : keep(state)
    case 'agent-health':
      return agent.kind === 'up'
        ? hearHealth({ ...state, agent: { ...agent, healthy: event.healthy, complaint: event.complaint } }, event.healthy, now)
        : keep(state)
    default:
      return event satisfies never
  }
}

/** Answers that concern a change which is no longer tried come too late. */
function ofChange(state: ApplyState, phase: 'composing' | 'validating', changeId: number, next: (change: Change) => Step): Step {
  return state.phase.kind === phase && state.phase.change.id === changeId ? next(state.phase.change) : keep(state)
}

/** A supervisor that ended so often while it applied a configuration was probably ended by it. */
const maxTimesBegun = 2

function start(state: ApplyState, pending: OfferedConfig | undefined, mayFallBack: boolean, now: number): Step {
  if (state.phase.kind !== 'idle') return keep(state)
  if (mayFallBack) return keep({ ...state, phase: { kind: 'awaiting-server', until: now + state.times.firstContactMs } })
  const running = runGood({ ...state, phase: { kind: 'settled' } })
  if (pending === undefined) return running
  const begun = timesBegun(state, pending)
  const trying = andThen(running, (next) => beginChange(next, { offer: pending }))
  if (begun < maxTimesBegun) return trying
  const reason = `the supervisor ended ${begun} times while this configuration was being applied`
  return andThen(trying, (next) => {
    const change = activeChange(next)
    return change === undefined ? keep(next) : rejectChange(next, change, { reason, logTail: '' }, now)
  })
}

function takeOffer(state: ApplyState, offer: OfferedConfig, now: number): Step {
  const current = activeChange(state)
  if (current?.offer !== undefined && current.offer.hash === offer.hash && offer.hash !== '') {
    const isTold = state.phase.kind === 'starting' || state.phase.kind === 'watching'
    return { state, effects: isTold ? [{ kind: 'report-status', status: { hash: offer.hash, status: 'applying' } }] : [] }
  }
  const failure = offer.hash === '' ? undefined : state.failures.find(({ hash }) => hash === offer.hash)
  if (failure === undefined || !isHeld(failure, now)) return beginChange(state, { offer })
  return {
    state: { ...state, failures: noteRepetition(state.failures, offer.hash, now) },
    effects: [
      note('info', 'A configuration that failed was offered again at once', { hash: offer.hash, times: failure.times }),
      { kind: 'report-status', status: { hash: offer.hash, status: 'failed', message: notTriedAgain(failure.message) } },
    ],
  }
}

function changeInstanceUid(state: ApplyState, instanceUid: ApplyState['instanceUid']): Step {
  const agent: AgentProcess = state.agent.kind === 'starting' ? { ...state.agent, isGood: false } : state.agent
  const next: ApplyState = { ...state, instanceUid, agent, good: { ...state.good, config: undefined } }
  if (activeChange(state) !== undefined) return beginChange(next, {})
  if (state.phase.kind === 'fallback') return runFallback(next)
  return state.phase.kind === 'settled' ? runGood(next) : keep(next)
}

function restart(state: ApplyState): Step {
  const { phase, running, agent } = state
  if (phase.kind === 'starting' || phase.kind === 'watching') {
    return { state, effects: [note('info', 'No restart: the agent was just started with a new configuration')] }
  }
  if (running === undefined || agent.kind === 'down') return { state, effects: [note('info', 'No restart: the agent does not run')] }
  return runAgain(state, running)
}

function hearOfServer(state: ApplyState, reachable: boolean): Step {
  const { phase } = state
  if (phase.kind === 'awaiting-server' && !reachable) return runFallback(state)
  if (phase.kind !== 'awaiting-server' && phase.kind !== 'fallback') return keep(state)
  return reachable ? runGood({ ...state, phase: { kind: 'settled' } }) : keep(state)
}

function validated(state: ApplyState, changeId: number, rejection: Rejection | undefined, now: number): Step {
  const { phase } = state
  if (phase.kind !== 'validating' || phase.change.id !== changeId) return keep(state)
  return rejection === undefined ? startChange(state, phase.change, phase.config) : rejectChange(state, phase.change, rejection, now)
}

function notStored(state: ApplyState, { hash, message }: { readonly hash: string; readonly message: string }, now: number): Step {
  const { phase } = state
  if ((phase.kind !== 'composing' && phase.kind !== 'validating') || phase.change.offer?.hash !== hash) return keep(state)
  return rejectChange(state, phase.change, { reason: `the configuration could not be stored: ${message}`, logTail: '' }, now)
}

function ran(state: ApplyState, agent: Extract<AgentProcess, { kind: 'starting' }>, config: ApplyState['good']['config'] & {}, now: number): Step {
  // It was told to reload instead, and ended of it.
  if (agent.lost !== undefined && !config.runsNothing) return lose({ ...state, running: config }, agent.lost, now)
  return andThen(confirmRun(state, config), (next) => {
    const { phase, times } = next
    if (phase.kind !== 'starting') return keep(next)
    if (config.runsNothing) return acceptChange(next, phase.change, config, now)
    return keep({
      ...next,
      phase: { ...phase, kind: 'watching', until: now + times.applyTimeoutMs, isProven: config.fingerprint === next.good.config?.fingerprint },
    })
  })
}

/** The agent's process is gone, without having been asked to end. */
function lose(state: ApplyState, crash: Crash, now: number): Step {
  const { phase, grace, times } = state
  if (phase.kind === 'watching' && phase.isProven) {
    // The good one was asked for and runs; that it crashed is another matter.
    return andThen(acceptChange(state, phase.change, phase.config, now), (next) => lose(next, crash, now))
  }
  if (phase.kind === 'starting' || phase.kind === 'watching') return rejectChange(state, phase.change, crash.rejection, now, crash)
  if (state.postponed !== undefined) return andThen(giveUpPostponed(state, state.postponed.requests, crash), (next) => lose(next, crash, now))
  if (phase.kind !== 'settled' || grace === undefined) return waitToRestart(state, crash, now)
  const counted = { ...grace, crashes: grace.crashes + 1 }
  const isSuspect = crash.isByItself && now < grace.suspectUntil
  if (now >= grace.until || (!isSuspect && counted.crashes < times.graceCrashes)) return waitToRestart({ ...state, grace: counted }, crash, now)
  const reason = `${crash.rejection.reason}, ${counted.crashes === 1 ? 'soon after the configuration was applied' : `${counted.crashes} times since the configuration was applied`}`
  return relapse(state, counted, { ...crash.rejection, reason }, now)
}

/** Own telemetry waits for an agent that is well. */
function giveUpPostponed(state: ApplyState, requests: readonly number[], { rejection }: Crash): Step {
  const error = `not tried: ${rejection.reason}`
  return { state: { ...state, postponed: undefined }, effects: requests.map((request) => ({ kind: 'answer-own-telemetry', request, error })) }
}

function hearHealth(state: ApplyState, healthy: boolean, now: number): Step {
  const { phase, postponed } = state
  if (!healthy) return keep(state)
  if (phase.kind === 'watching' && phase.isProven) return acceptChange(state, phase.change, phase.config, now)
  return phase.kind === 'settled' && postponed !== undefined ? beginChange(state, {}) : keep(state)
}

function passTime(state: ApplyState, now: number): Step {
  const steps = [endWatch, endAwaitingServer, endWaiting, endGrace]
  return steps.reduce<Step>((before, next) => andThen(before, (reached) => next(reached, now)), keep(state))
}

function endWatch(state: ApplyState, now: number): Step {
  const { phase, agent, times } = state
  if (phase.kind !== 'watching' || now < phase.until) return keep(state)
  // Running the last good one, however it fares, is what was asked for.
  if ((agent.kind === 'up' && agent.healthy === true) || phase.isProven) return acceptChange(state, phase.change, phase.config, now)
  const seconds = times.applyTimeoutMs / 1000
  const complaint = agent.kind === 'up' && agent.healthy === false ? `it says: ${agent.complaint || 'nothing'}` : 'it reported no health'
  return rejectChange(state, phase.change, { reason: `the agent was not healthy ${seconds} s after it got the configuration; ${complaint}`, logTail: '' }, now)
}

function endAwaitingServer(state: ApplyState, now: number): Step {
  return state.phase.kind === 'awaiting-server' && now >= state.phase.until ? runFallback(state) : keep(state)
}

function endWaiting(state: ApplyState, now: number): Step {
  return state.agent.kind === 'waiting' && now >= state.agent.restartAt ? restartAfterCrash(state) : keep(state)
}

function endGrace(state: ApplyState, now: number): Step {
  if (state.grace === undefined || now < state.grace.until || state.phase.kind !== 'settled') return keep(state)
  return { state: { ...state, grace: undefined }, effects: [{ kind: 'write', write: { kind: 'previous', previous: [] } }] }
}

/** When `time` has something to do; undefined: never. */
export function nextDeadline({ phase, agent, grace }: ApplyState): number | undefined {
  const deadlines: number[] = []
  if (phase.kind === 'stopped') return undefined
  if (phase.kind === 'watching' || phase.kind === 'awaiting-server') deadlines.push(phase.until)
  if (agent.kind === 'waiting') deadlines.push(agent.restartAt)
  if (grace !== undefined && phase.kind === 'settled') deadlines.push(grace.until)
  return deadlines.length === 0 ? undefined : Math.min(...deadlines)
}

function stop(state: ApplyState): Step {
  const { phase, postponed } = state
  const change = activeChange(state)
  // Being asked to end is no fault of the configuration.
  const next: ApplyState = { ...state, phase: { kind: 'stopped' }, unfinished: undefined, postponed: undefined }
  const requests = [...(change?.telemetryRequests ?? []), ...(postponed?.requests ?? [])]
  return {
    state: next,
    effects: [
      ...(phase.kind === 'validating' ? [{ kind: 'cancel-validation', changeId: phase.change.id } as const] : []),
      ...(state.unfinished === undefined ? [] : [memoryWrite(next)]),
      ...requests.map((request) => ({ kind: 'answer-own-telemetry', request, error: 'the supervisor is stopping' }) as const),
      { kind: 'stop-agent' },
    ],
  }
}
