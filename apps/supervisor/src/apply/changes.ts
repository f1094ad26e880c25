/** Trying something else than what is good: how a change begins, and its two ends. */
import { isDeepStrictEqual } from 'node:util'
import type { ComposedConfig, Rejection } from '../agent/agent.ts'
import type { OwnTelemetry } from '../own-telemetry/settings.ts'
import { type OfferedConfig, sameConfig } from '../state/offered-config.ts'
import { isGoodRunning, runConfig, runGood, waitToRestart } from './agent-life.ts'
import { activeChange, type ApplyEffect, type ApplyState, beginGrace, type Change, type Crash, type Grace, type Step, wayBack } from './apply-state.ts'
import { andThen, forgiveFailures, keep, note, rememberFailure, settleStatus, tell } from './effects.ts'

export interface Wanted {
  readonly offer?: OfferedConfig
  readonly telemetry?: { readonly request: number; readonly ownTelemetry: OwnTelemetry | undefined }
}

/**
 * any -> composing. What was being tried and is not named here stays wanted: offers and own telemetry that come together are tried together, and a
 * newer offer takes the place of an older one, which then gets no verdict.
 */
export function beginChange(state: ApplyState, { offer, telemetry }: Wanted): Step {
  const current = activeChange(state)
  const { good, postponed } = state
  const kept = current?.target ?? good
  const newest = telemetry ?? (postponed === undefined ? undefined : { ownTelemetry: postponed.ownTelemetry })
  const change: Change = {
    id: state.nextId,
    target: { remote: offer ?? kept.remote, ownTelemetry: newest === undefined ? kept.ownTelemetry : newest.ownTelemetry },
    offer: offer ?? current?.offer,
    telemetryRequests: [...(current?.telemetryRequests ?? []), ...(postponed?.requests ?? []), ...(telemetry === undefined ? [] : [telemetry.request])],
  }
  const effects: ApplyEffect[] = []
  if (state.phase.kind === 'validating') effects.push({ kind: 'cancel-validation', changeId: state.phase.change.id })
  if (offer !== undefined && current?.offer !== undefined)
    effects.push(note('info', 'A newer configuration took the place of one that was being tried', { hash: current.offer.hash }))
  if (offer !== undefined && !sameConfig(offer, state.received)) effects.push({ kind: 'write', write: { kind: 'received', offer } })
  effects.push({ kind: 'compose', changeId: change.id, wish: change.target, instanceUid: state.instanceUid })
  return {
    state: { ...state, nextId: change.id + 1, postponed: undefined, received: offer ?? state.received, phase: { kind: 'composing', change } },
    effects,
  }
}

/** composing -> settled | watching | starting | validating */
export function considerComposed(state: ApplyState, change: Change, config: ComposedConfig, now: number): Step {
  const { agent, running, good } = state
  const isProven = config.fingerprint === good.config?.fingerprint
  const isRunning = running?.fingerprint === config.fingerprint && running.runsNothing === config.runsNothing
  if (isRunning && (agent.kind === 'up' || agent.kind === 'starting' || config.runsNothing)) {
    if (config.runsNothing || (isProven && agent.kind === 'up' && agent.healthy === true)) return acceptChange(state, change, config, now)
    // It came back a moment ago, or is in trouble. What was never proven is watched for the whole time.
    return { state: { ...state, phase: { kind: 'watching', change, config, until: now + state.times.applyTimeoutMs, isProven } }, effects: [] }
  }
  // What runs nothing cannot be asked about, and what is good was asked about before.
  if (config.runsNothing || isProven) return startChange(state, change, config)
  return { state: { ...state, phase: { kind: 'validating', change, config } }, effects: [{ kind: 'validate', changeId: change.id, config }] }
}

/** composing | validating -> starting. On disk first: if this process does not live to see the verdict, the next one knows. */
export function startChange(state: ApplyState, change: Change, config: ComposedConfig): Step {
  const { offer } = change
  const begun: Step =
    offer === undefined
      ? keep(state)
      : andThen(keep({ ...state, unfinished: { hash: offer.hash, times: timesBegun(state, offer) + 1 } }), (next) => ({
          state: next,
          effects: [memoryWrite(next), ...settleStatus({ hash: offer.hash, status: 'applying' })],
        }))
  return andThen(begun, (next) => runConfig({ ...next, phase: { kind: 'starting', change, config } }, config))
}

export function timesBegun({ unfinished }: ApplyState, { hash }: OfferedConfig): number {
  return unfinished?.hash === hash ? unfinished.times : 0
}

export function memoryWrite({ failures, unfinished }: ApplyState): ApplyEffect {
  return { kind: 'write', write: { kind: 'memory', failures, unfinished } }
}

/** Any phase of a change -> settled, with what was tried as the good one. */
export function acceptChange(state: ApplyState, change: Change, config: ComposedConfig, now: number): Step {
  const { target, offer, telemetryRequests } = change
  const { good } = state
  const isNew = !sameConfig(target.remote, good.remote)
  const runsOtherwise = isNew && config.fingerprint !== good.config?.fingerprint
  const outer = isInGrace(state.grace, now) ? state.grace : undefined
  const grace = runsOtherwise ? beginGrace(state.times, good.remote, outer, now) : state.grace
  const effects: ApplyEffect[] = []
  if (!isDeepStrictEqual(target.ownTelemetry, good.ownTelemetry))
    effects.push({ kind: 'write', write: { kind: 'own-telemetry', ownTelemetry: target.ownTelemetry } })
  if (runsOtherwise) effects.push({ kind: 'write', write: { kind: 'previous', previous: wayBack(grace) } })
  if (isNew) effects.push({ kind: 'write', write: { kind: 'working', offer: target.remote } })
  const next: ApplyState = {
    ...state,
    phase: { kind: 'settled' },
    good: { ...target, config },
    grace,
    failures: offer === undefined ? state.failures : forgiveFailures(state.failures, offer.hash),
    unfinished: offer === undefined ? state.unfinished : undefined,
  }
  if (offer !== undefined) effects.push(...settleStatus({ hash: offer.hash, status: 'applied' }), memoryWrite(next))
  for (const request of telemetryRequests) effects.push({ kind: 'answer-own-telemetry', request, error: undefined })
  return { state: next, effects }
}

/**
 * Any phase of a change -> settled, with the good one running again. First the verdict is on disk and told, then the good one is run, at once; what
 * was received is put right on disk last, so that the stock supervisor, too, would start with the good one.
 * `crash`: how the process ended, where it did.
 */
export function rejectChange(state: ApplyState, change: Change, rejection: Rejection, now: number, crash?: Crash): Step {
  const { telemetryRequests, target } = change
  const message = tell(rejection)
  // What the agent goes back to did not fail: whatever came with it did.
  const isGoodOffer = change.offer !== undefined && sameConfig(change.offer, state.good.remote)
  const offer = isGoodOffer ? undefined : change.offer
  const mayTryAlone = offer !== undefined && !isDeepStrictEqual(target.ownTelemetry, state.good.ownTelemetry)
  const wasRun = state.phase.kind === 'starting'
  const next: ApplyState = {
    ...state,
    phase: { kind: 'settled' },
    postponed: mayTryAlone ? { ownTelemetry: target.ownTelemetry, requests: telemetryRequests } : state.postponed,
    failures: offer === undefined ? state.failures : rememberFailure(state.failures, offer.hash, message, now),
    unfinished: change.offer === undefined ? state.unfinished : undefined,
  }
  const told: Step = {
    state: next,
    effects: [
      ...(isGoodOffer ? [...settleStatus({ hash: change.offer.hash, status: 'applied' }), memoryWrite(next)] : []),
      ...(offer === undefined ? [] : [...settleStatus({ hash: offer.hash, status: 'failed', message }), memoryWrite(next)]),
      ...(mayTryAlone
        ? []
        : telemetryRequests.map((request): ApplyEffect => ({ kind: 'answer-own-telemetry', request, error: offer === undefined ? message : undefined }))),
    ],
  }
  return andThen(
    andThen(told, (settled) => comeBack(settled, wasRun, crash, now)),
    receivedIsGood,
  )
}

function comeBack(state: ApplyState, wasRun: boolean, crash: Crash | undefined, now: number): Step {
  const isOther = state.running !== undefined && !isGoodRunning(state)
  if (wasRun || isOther) return runGood(state)
  return crash === undefined ? keep(state) : waitToRestart(state, crash, now)
}

export function receivedIsGood(state: ApplyState): Step {
  if (sameConfig(state.received, state.good.remote)) return keep(state)
  return { state: { ...state, received: state.good.remote }, effects: [{ kind: 'write', write: { kind: 'received', offer: state.good.remote } }] }
}

function isInGrace(grace: Grace | undefined, now: number): boolean {
  return grace !== undefined && now < grace.until
}

/** settled -> settled: what was applied does not last, and what it replaced comes back. */
export function relapse(state: ApplyState, grace: Grace, rejection: Rejection, now: number): Step {
  const failed = state.good.remote?.hash ?? ''
  const outer = isInGrace(grace.outer, now) ? grace.outer : undefined
  const message = tell(rejection)
  const next: ApplyState = {
    ...state,
    good: { remote: grace.previous, ownTelemetry: state.good.ownTelemetry, config: undefined },
    grace: outer,
    crashHistory: undefined,
    failures: rememberFailure(state.failures, failed, message, now),
  }
  const told: Step = {
    state: next,
    effects: [
      { kind: 'write', write: { kind: 'working', offer: grace.previous } },
      ...settleStatus({ hash: failed, status: 'failed', message }),
      memoryWrite(next),
    ],
  }
  return andThen(andThen(andThen(told, runGood), receivedIsGood), (restored) => ({
    state: restored,
    effects: [{ kind: 'write', write: { kind: 'previous', previous: wayBack(outer) } }],
  }))
}
