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
/** How long an offer of a configuration that just failed is answered from memory, by how often it failed. */
const holdMs = [10 * second, 60 * second, 600 * second, 3600 * second] as const

/**
 * A Server that knows of the failure does not offer the configuration again by itself. So an offer that comes at once crossed our FAILED on the
 * way, and one that comes later is somebody's wish to retry. A Server that repeats itself anyway is slowed down more and more.
 */
export function isHeld({ isOver, at, times }: Failure, now: number): boolean {
  return !isOver && now < at + (holdMs[Math.min(times, holdMs.length) - 1] ?? 0)
}

const maxFailures = 8

export function rememberFailure(failures: readonly Failure[], hash: string, message: string, now: number): readonly Failure[] {
  const before = failures.find((failure) => failure.hash === hash)
  const times = before === undefined || before.isOver ? 1 : before.times + 1
  return [...failures.filter((failure) => failure !== before), { hash, message, at: now, times, isOver: false }].slice(-maxFailures)
}

/** Another configuration was offered and answered: it is news when a failed one is offered again. */
export function forgiveFailures(failures: readonly Failure[], answeredHash: string): readonly Failure[] {
  return failures.filter(({ hash }) => hash !== answeredHash).map((failure) => ({ ...failure, isOver: true }))
}
