/** Small parts of steps: putting them together, and the words in which failures are reported. */
import type { Rejection } from '../agent/agent.ts'
import type { ApplyEffect, ApplyState, Failure, OfferStatus, Step } from './apply-state.ts'

export function keep(state: ApplyState): Step {
  return { state, effects: [] }
}

export function andThen({ state, effects }: Step, next: (state: ApplyState) => Step): Step {
  const following = next(state)
  return { state: following.state, effects: [...effects, ...following.effects] }
}

export function note(level: 'info' | 'warn', message: string, fields: Readonly<Record<string, string | number>> = {}): ApplyEffect {
  return { kind: 'note', level, message, fields }
}

/** Written before it is told: what the Server heard is on disk. */
export function settleStatus(status: OfferStatus): readonly ApplyEffect[] {
  return [
    { kind: 'write', write: { kind: 'status', status } },
    { kind: 'report-status', status },
  ]
}

/** Longer texts help nobody, and travel with every full report. */
const maxReportedChars = 16 * 1024

export function tell({ reason, logTail }: Rejection): string {
  const tail = logTail.trimEnd()
  const text = tail === '' ? reason : `${reason}\n${tail}`
  return text.length > maxReportedChars ? `${text.slice(0, maxReportedChars).toWellFormed()}…` : text
}

const second = 1000
/** How long an offer of a configuration that failed is answered from memory, by how often it failed. */
const holdMs = [10 * second, 60 * second, 600 * second, 3600 * second] as const
/** What follows our FAILED so closely is a Server's reflex. */
const reflexMs = 2 * second
/** Without a reflex, failures that are held only for the shortest time. */
const patientTries = 4

/**
 * A Server that knows of the failure does not offer the configuration again by itself. So an offer that comes at once crossed our FAILED on the
 * way, and one that comes later is somebody's wish to retry, which is granted. A Server that repeats itself anyway is slowed down more and more.
 */
export function isHeld({ isOver, at, times, wasReflex }: Failure, now: number): boolean {
  const step = wasReflex ? times : Math.max(1, times - patientTries + 1)
  return !isOver && now < at + (holdMs[Math.min(step, holdMs.length) - 1] ?? 0)
}

const maxFailures = 8

export function rememberFailure(failures: readonly Failure[], hash: string, message: string, now: number): readonly Failure[] {
  const before = failures.find((failure) => failure.hash === hash)
  const lasting = before === undefined || before.isOver ? { times: 0, wasReflex: false } : before
  const failure: Failure = { hash, message, at: now, times: lasting.times + 1, isOver: false, wasReflex: lasting.wasReflex }
  return [...failures.filter((one) => one !== before), failure].slice(-maxFailures)
}

/** Offered again while it is held. */
export function noteRepetition(failures: readonly Failure[], hash: string, now: number): readonly Failure[] {
  return failures.map((failure) => (failure.hash === hash && now < failure.at + reflexMs ? { ...failure, wasReflex: true } : failure))
}

/** The same words each time: news would be told, and be answered by the next reflex. */
export function notTriedAgain(message: string): string {
  return `not tried again so soon after it failed. It failed like this: ${message}`
}

/** Another configuration was offered and answered: it is news when a failed one is offered again. */
export function forgiveFailures(failures: readonly Failure[], answeredHash: string): readonly Failure[] {
  return failures.filter(({ hash }) => hash !== answeredHash).map((failure) => ({ ...failure, isOver: true }))
}
