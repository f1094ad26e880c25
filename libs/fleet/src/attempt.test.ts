import { describe, expect, it } from 'vitest'
import {
  type Attempt,
  type AttemptState,
  AttemptStateError,
  confirmApplied,
  offerAgain,
  offerAttempt,
  recordFailure,
  rollBack,
  startApplying,
  supersede,
  timeOut,
} from './attempt.ts'

const offered = offerAttempt(7, 'aa', 'desired', 1)
const applying = startApplying(offered, 2)
const applied = confirmApplied(applying, 3)
const failed = recordFailure(applying, 'boom', 3)
const all: Readonly<Record<AttemptState, Attempt>> = {
  offered,
  applying,
  applied,
  failed,
  timedOut: timeOut(offered, 3),
  superseded: supersede(offered, 3),
  rolledBack: rollBack(failed, 'bb', 4),
}

describe('attempt', () => {
  it('walks from offer to applied', () => {
    expect(offered).toEqual({ seq: 7, hash: 'aa', reason: 'desired', offeredAt: 1, updatedAt: 1, state: 'offered' })
    expect(applied).toEqual({ seq: 7, hash: 'aa', reason: 'desired', offeredAt: 1, updatedAt: 3, state: 'applied' })
  })

  it('walks from offer to failed to rolled back, and keeps what the agent said', () => {
    expect(all.rolledBack).toEqual({
      seq: 7,
      hash: 'aa',
      reason: 'desired',
      offeredAt: 1,
      updatedAt: 4,
      state: 'rolledBack',
      errorMessage: 'boom',
      restoredHash: 'bb',
    })
    expect(confirmApplied(all.rolledBack, 5)).not.toHaveProperty('errorMessage')
  })

  it('has exactly the arrows that are written above its functions', () => {
    const arrows: Readonly<Record<string, (attempt: Attempt) => Attempt>> = {
      offerAgain: (attempt) => offerAgain(attempt, 9),
      startApplying: (attempt) => startApplying(attempt, 9),
      confirmApplied: (attempt) => confirmApplied(attempt, 9),
      recordFailure: (attempt) => recordFailure(attempt, 'x', 9),
      timeOut: (attempt) => timeOut(attempt, 9),
      supersede: (attempt) => supersede(attempt, 9),
      rollBack: (attempt) => rollBack(attempt, 'cc', 9),
    }
    const allowed = Object.fromEntries(
      Object.entries(arrows).map(([name, arrow]) => [
        name,
        Object.values(all)
          .filter((attempt) => {
            try {
              return arrow(attempt).updatedAt === 9
            } catch (error) {
              if (error instanceof AttemptStateError) return false
              throw error
            }
          })
          .map(({ state }) => state),
      ]),
    )
    expect(allowed).toEqual({
      offerAgain: ['offered', 'applying', 'timedOut'],
      startApplying: ['offered', 'timedOut'],
      confirmApplied: ['offered', 'applying', 'failed', 'timedOut', 'superseded', 'rolledBack'],
      recordFailure: ['offered', 'applying', 'applied', 'failed', 'timedOut', 'superseded'],
      timeOut: ['offered', 'applying'],
      supersede: ['offered', 'applying'],
      rollBack: ['failed'],
    })
  })
})
