/** The agent's process: started, crashed, started again. What it runs is decided elsewhere. */
import type { ComposedConfig } from '../agent/agent.ts'
import { nextCrash } from '../process/crash-back-off.ts'
import type { ApplyState, Crash, RunWhat, Step } from './apply-state.ts'
import { tell } from './effects.ts'

function run(state: ApplyState, what: RunWhat, isGood: boolean): Step {
  const runId = state.nextId
  return {
    state: { ...state, nextId: runId + 1, agent: { kind: 'starting', runId, isRunning: false, isGood, lost: undefined } },
    effects: [{ kind: 'run', runId, what }],
  }
}

export function runConfig(state: ApplyState, config: ComposedConfig): Step {
  return run(state, { kind: 'composed', config }, false)
}

export function runGood(state: ApplyState): Step {
  const { good, instanceUid } = state
  if (good.config !== undefined) return run(state, { kind: 'composed', config: good.config }, true)
  return run(state, { kind: 'wish', wish: { remote: good.remote, ownTelemetry: good.ownTelemetry }, instanceUid }, true)
}

export function runFallback(state: ApplyState): Step {
  return run({ ...state, phase: { kind: 'fallback' } }, { kind: 'fallback', instanceUid: state.instanceUid }, false)
}

/** The same again, as it runs or ran. */
export function runAgain(state: ApplyState, config: ComposedConfig): Step {
  return run(state, { kind: 'again', config }, isGoodRunning(state))
}

export function isGoodRunning({ running, good }: ApplyState): boolean {
  return running !== undefined && running.fingerprint === good.config?.fingerprint
}

/** starting -> up | down */
export function confirmRun(state: ApplyState, config: ComposedConfig): Step {
  const { agent, good } = state
  const isGood = agent.kind === 'starting' && agent.isGood
  const next: ApplyState = {
    ...state,
    running: config,
    agent: config.runsNothing ? { kind: 'down' } : { kind: 'up', healthy: undefined, complaint: '' },
    good: isGood ? { ...good, config } : good,
  }
  return { state: next, effects: config.runsNothing ? [{ kind: 'report-health', healthy: true, message: '' }] : [] }
}

/** starting | up -> waiting */
export function waitToRestart(state: ApplyState, { rejection, ranForMs, random }: Crash, now: number): Step {
  const { history, delayMs } = nextCrash(state.crashHistory, ranForMs, () => random)
  return {
    state: { ...state, crashHistory: history, agent: { kind: 'waiting', restartAt: now + delayMs } },
    effects: [{ kind: 'report-health', healthy: false, message: tell(rejection) }],
  }
}

/** waiting -> starting */
export function restartAfterCrash(state: ApplyState): Step {
  const { phase, running } = state
  if (phase.kind === 'fallback') return runFallback(state)
  // Something that was given up while it was being tried is not started again.
  return running !== undefined && isGoodRunning(state) ? run(state, { kind: 'composed', config: running }, true) : runGood(state)
}
