/** What the desired side knows: what is good, what is being tried, and how the agent stands. Values only. */
import type { InstanceUid } from '@drover/protocol'
import type { ComposedConfig, Rejection } from '../agent/agent.ts'
import type { OwnTelemetry } from '../own-telemetry/settings.ts'
import type { CrashHistory } from '../process/crash-back-off.ts'
import type { OfferedConfig, WayBack } from '../state/offered-config.ts'

/** All times are milliseconds of a clock that never goes back. */
export interface ApplyTimes {
  /** A new configuration must be healthy when this has passed since the agent got it, and must not have crashed until then. */
  readonly applyTimeoutMs: number
  /** A first start without a Server waits so long for one before the fallback configuration runs. */
  readonly firstContactMs: number
  /** A process that ends by itself so soon after APPLIED proves the configuration bad at once … */
  readonly suspectMs: number
  /** … and so do `graceCrashes` ends of any kind within this time. What happens later is not its fault. */
  readonly graceMs: number
  readonly graceCrashes: number
}

export const defaultApplyTimes: Omit<ApplyTimes, 'applyTimeoutMs'> = {
  firstContactMs: 5_000,
  suspectMs: 60_000,
  graceMs: 600_000,
  graceCrashes: 2,
}

/** What decides what the agent runs, apart from the instance uid. */
export interface Wish {
  /** `undefined`: local files alone. */
  readonly remote: OfferedConfig | undefined
  readonly ownTelemetry: OwnTelemetry | undefined
}

/** What the agent goes back to. */
export interface Good extends Wish {
  /** As it ran; undefined until it did, or when the instance uid changed since. */
  readonly config: ComposedConfig | undefined
}

/** A try to run something else than what is good. */
export interface Change {
  readonly id: number
  readonly target: Wish
  /** The offer that waits for a status. */
  readonly offer: OfferedConfig | undefined
  /** The own-telemetry offers that wait for an answer. */
  readonly telemetryRequests: readonly number[]
}

export type Phase =
  /** Not started. */
  | { readonly kind: 'idle' }
  /** A first start: whether the fallback configuration must run depends on the Server. */
  | { readonly kind: 'awaiting-server'; readonly until: number }
  | { readonly kind: 'fallback' }
  | { readonly kind: 'composing'; readonly change: Change }
  | { readonly kind: 'validating'; readonly change: Change; readonly config: ComposedConfig }
  | { readonly kind: 'starting'; readonly change: Change; readonly config: ComposedConfig }
  /** `isProven`: it is the good one, on its way back: its first good word is enough. */
  | { readonly kind: 'watching'; readonly change: Change; readonly config: ComposedConfig; readonly until: number; readonly isProven: boolean }
  /** Nothing is being tried: the agent runs what is good, or is on its way there. */
  | { readonly kind: 'settled' }
  | { readonly kind: 'stopped' }

/** The agent's process as far as it matters here. */
export type AgentProcess =
  /** Never started, or told to run nothing. */
  | { readonly kind: 'down' }
  | {
      readonly kind: 'starting'
      readonly runId: number
      /** The new process is there, so what crashes now is no longer the old one. */
      readonly isRunning: boolean
      /** It is what the agent goes back to. */
      readonly isGood: boolean
      /** A process crashed before a new one was there: the old one, or, where no new one comes, the one that was told to reload. */
      readonly lost: Crash | undefined
    }
  | { readonly kind: 'up'; readonly healthy: boolean | undefined; readonly complaint: string }
  /** Crashed; started again at that time. */
  | { readonly kind: 'waiting'; readonly restartAt: number }

export interface Crash {
  readonly rejection: Rejection
  /** Not from outside: a kill may be the kernel's, for the memory that it took, or a person's, who wants it to start again. */
  readonly isByItself: boolean
  readonly ranForMs: number
  /** In [0, 1). */
  readonly random: number
}

/** A configuration that was applied lately, and what to go back to when it does not last. */
export interface Grace {
  readonly suspectUntil: number
  readonly until: number
  readonly crashes: number
  readonly previous: OfferedConfig | undefined
  /** Of the previous one, when it was in its own grace as it was replaced: it may turn out no better. */
  readonly outer: Grace | undefined
}

/** A configuration that failed. */
export interface Failure {
  readonly hash: string
  /** As it was reported. */
  readonly message: string
  readonly at: number
  readonly times: number
  /** Another offer was answered since, so that offering this one again is somebody's decision. */
  readonly isOver: boolean
  /** It was offered again at once, so by a Server that repeats itself and not by a person. */
  readonly wasReflex: boolean
}

export interface ApplyState {
  readonly times: ApplyTimes
  readonly phase: Phase
  readonly agent: AgentProcess
  readonly instanceUid: InstanceUid
  readonly good: Good
  readonly grace: Grace | undefined
  /** What the agent was last told to run. */
  readonly running: ComposedConfig | undefined
  /** What is on disk as last received. */
  readonly received: OfferedConfig | undefined
  /** Own telemetry that shared a failed change with an offer, and is to be tried once more by itself. */
  readonly postponed: { readonly ownTelemetry: OwnTelemetry | undefined; readonly requests: readonly number[] } | undefined
  /** Newest last. */
  readonly failures: readonly Failure[]
  readonly crashHistory: CrashHistory | undefined
  /** How often this process or earlier ones began to apply a configuration without coming to a verdict. */
  readonly unfinished: { readonly hash: string; readonly times: number } | undefined
  readonly nextId: number
}

/** What a start finds on disk. */
export interface Beginning {
  readonly times: ApplyTimes
  readonly instanceUid: InstanceUid
  readonly good: Wish
  readonly previous: WayBack
  readonly received: OfferedConfig | undefined
  readonly failures: readonly Omit<Failure, 'at'>[]
  readonly unfinished: { readonly hash: string; readonly times: number } | undefined
  readonly now: number
}

export function createApplyState({ times, instanceUid, good, previous, received, failures, unfinished, now }: Beginning): ApplyState {
  return {
    times,
    phase: { kind: 'idle' },
    agent: { kind: 'down' },
    instanceUid,
    good: { ...good, config: undefined },
    grace: graceOf(times, previous, now),
    running: undefined,
    received,
    postponed: undefined,
    failures: failures.map((failure) => ({ ...failure, at: now })),
    crashHistory: undefined,
    unfinished,
    nextId: 1,
  }
}

const maxOuterGraces = 3

export function beginGrace(times: ApplyTimes, previous: OfferedConfig | undefined, outer: Grace | undefined, now: number): Grace {
  return { suspectUntil: now + times.suspectMs, until: now + times.graceMs, crashes: 0, previous, outer: limitDepth(outer, maxOuterGraces) }
}

function graceOf(times: ApplyTimes, [previous, ...rest]: WayBack, now: number): Grace | undefined {
  return previous === undefined ? undefined : beginGrace(times, previous.config, graceOf(times, rest, now), now)
}

/** What it takes to be in this grace after a restart. */
export function wayBack(grace: Grace | undefined): WayBack {
  return grace === undefined ? [] : [{ config: grace.previous }, ...wayBack(grace.outer)]
}

function limitDepth(grace: Grace | undefined, depth: number): Grace | undefined {
  if (grace === undefined || depth === 0) return undefined
  return { ...grace, outer: limitDepth(grace.outer, depth - 1) }
}

/** The change that is being tried, if any. */
export function activeChange({ phase }: ApplyState): Change | undefined {
  switch (phase.kind) {
    case 'composing':
    case 'validating':
    case 'starting':
    case 'watching':
      return phase.change
    case 'idle':
    case 'awaiting-server':
    case 'fallback':
    case 'settled':
    case 'stopped':
      return undefined
    default:
      return phase satisfies never
  }
}

export type ApplyEvent =
  /** What was good runs; then `pending` is tried. `mayFallBack`: nothing was ever offered, and there is a fallback configuration. */
  | { readonly kind: 'start'; readonly pending: OfferedConfig | undefined; readonly mayFallBack: boolean }
  | { readonly kind: 'offer'; readonly offer: OfferedConfig }
  /** All three signals, as they are to be. Answered under `request`. */
  | { readonly kind: 'own-telemetry'; readonly request: number; readonly ownTelemetry: OwnTelemetry | undefined }
  | { readonly kind: 'instance-uid'; readonly instanceUid: InstanceUid }
  | { readonly kind: 'restart-command' }
  | { readonly kind: 'server'; readonly reachable: boolean }
  | { readonly kind: 'composed'; readonly changeId: number; readonly config: ComposedConfig }
  | { readonly kind: 'compose-failed'; readonly changeId: number; readonly rejection: Rejection }
  | { readonly kind: 'validated'; readonly changeId: number; readonly rejection: Rejection | undefined }
  | { readonly kind: 'ran'; readonly runId: number; readonly config: ComposedConfig }
  /** `random` is in [0, 1). */
  | { readonly kind: 'run-failed'; readonly runId: number; readonly rejection: Rejection; readonly random: number }
  | { readonly kind: 'agent-started' }
  | { readonly kind: 'agent-crashed'; readonly crash: Crash }
  | { readonly kind: 'agent-health'; readonly healthy: boolean; readonly complaint: string }
  /** An offer could not be written to disk. */
  | { readonly kind: 'not-stored'; readonly hash: string; readonly message: string }
  /** The time that `nextDeadline` named has come. */
  | { readonly kind: 'time' }
  | { readonly kind: 'stop' }

/** How an offered configuration stands. */
export type OfferStatus =
  | { readonly hash: string; readonly status: 'applying' }
  | { readonly hash: string; readonly status: 'applied' }
  | { readonly hash: string; readonly status: 'failed'; readonly message: string }

/** One change of what is on disk; each is whole by itself. See `state-folder.ts` for why they come in the order they do. */
export type StateWrite =
  | { readonly kind: 'received'; readonly offer: OfferedConfig | undefined }
  | { readonly kind: 'working'; readonly offer: OfferedConfig | undefined }
  | { readonly kind: 'previous'; readonly previous: WayBack }
  | { readonly kind: 'own-telemetry'; readonly ownTelemetry: OwnTelemetry | undefined }
  | { readonly kind: 'status'; readonly status: OfferStatus }
  | { readonly kind: 'memory'; readonly failures: readonly Failure[]; readonly unfinished: { readonly hash: string; readonly times: number } | undefined }

export type RunWhat =
  | { readonly kind: 'composed'; readonly config: ComposedConfig }
  /** Not composed yet. */
  | { readonly kind: 'wish'; readonly wish: Wish; readonly instanceUid: InstanceUid }
  | { readonly kind: 'fallback'; readonly instanceUid: InstanceUid }
  /** What runs now, from the start. */
  | { readonly kind: 'again'; readonly config: ComposedConfig }

/** Carried out one after another, in order. */
export type ApplyEffect =
  | { readonly kind: 'write'; readonly write: StateWrite }
  | { readonly kind: 'compose'; readonly changeId: number; readonly wish: Wish; readonly instanceUid: InstanceUid }
  | { readonly kind: 'validate'; readonly changeId: number; readonly config: ComposedConfig }
  /** At once, before what waits. */
  | { readonly kind: 'cancel-validation'; readonly changeId: number }
  | { readonly kind: 'run'; readonly runId: number; readonly what: RunWhat }
  | { readonly kind: 'stop-agent' }
  | { readonly kind: 'report-status'; readonly status: OfferStatus }
  | { readonly kind: 'answer-own-telemetry'; readonly request: number; readonly error: string | undefined }
  /** Only what the agent cannot say itself. */
  | { readonly kind: 'report-health'; readonly healthy: boolean; readonly message: string }
  | { readonly kind: 'note'; readonly level: 'info' | 'warn'; readonly message: string; readonly fields: Readonly<Record<string, string | number>> }

export interface Step {
  readonly state: ApplyState
  readonly effects: readonly ApplyEffect[]
}
