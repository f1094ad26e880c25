/** What a rollout that does not go on says to a person. */
import type { RolloutDecision } from '@drover/api'
import { expect, it } from 'vitest'
import { calloutOf } from './callout.ts'
import { sampleRollout } from './sample-rollout.ts'

const decision = (kind: string, cause: string, part: Partial<RolloutDecision> = {}): RolloutDecision => ({
  seq: 9,
  at: '2026-11-21T10:10:00.000Z',
  kind,
  cause,
  by: null,
  wave: 1,
  sentence: `Drover ${kind}.`,
  reason: '',
  numbers: {},
  ...part,
})
const gate = { gate: 1, title: 'refused data at most 1.5 times the control group’s', text: 'only 1 of 15 agents sent it', numbers: {}, round: 3 }

it('needs no callout while a rollout simply goes on', () => {
  expect(calloutOf(sampleRollout(), [])).toBeUndefined()
})

it('names what is not known, and what one can do, and says that nothing was taken back', () => {
  const told = calloutOf(sampleRollout({ state: 'paused', gates: [{ ...gate, verdict: 'inconclusive' }] }), [decision('paused', 'inconclusive')])
  expect(told?.title).toContain('not known')
  expect(told?.unknown).toEqual([{ title: gate.title, text: gate.text }])
  expect(told?.told.join(' ')).toContain('Nothing was taken back')
  expect(told?.choices.map((choice) => choice.split(':')[0])).toEqual(['Resume', 'Next wave now', 'Roll back'])
})

it('takes an open question for the cause while the log is not there yet', () => {
  expect(calloutOf(sampleRollout({ state: 'paused', gates: [{ ...gate, verdict: 'inconclusive' }] }), [])?.title).toContain('not known')
})

it('does not speak of open questions when a person paused', () => {
  const told = calloutOf(sampleRollout({ state: 'paused' }), [decision('paused', 'person', { by: 'ada', reason: 'lunch' })])
  expect(told?.title).toBe('Paused by ada')
  expect(told?.told[0]).toBe('lunch.')
})

it('tells after a rollback what happened, who was touched, and where they are now', () => {
  const rollout = sampleRollout({ state: 'rolledBack', counts: { restored: 16, restoringAway: 1, pending: 80, away: 1 }, agents: 98 })
  const told = calloutOf(rollout, [decision('rolledBack', 'gate'), decision('rollingBack', 'gate', { reason: '4 of 15 agents refuse data' })])
  expect(told?.title).toBe('Drover took the change back')
  expect(told?.told).toEqual([
    'Why: 4 of 15 agents refuse data.',
    'Touched: 17 agents of 98 got the change; 81 agents never did.',
    'Now: 16 agents are back; 1 agent not connected: back when it returns. They have revision 4.',
  ])
})

it('does not say of agents that are still waited for, or no longer are, that they are back', () => {
  for (const state of ['rollingBack', 'rolledBack'] as const) {
    const told = calloutOf(sampleRollout({ state, counts: { restored: 2, restoring: 1 }, agents: 3 }), [])
    expect(told?.told.at(-1)).toBe('Now: 2 agents are back; 1 agent is going back. They get revision 4.')
  }
})

it('is alarming when agents could not go back', () => {
  const told = calloutOf(sampleRollout({ state: 'rolledBack', counts: { restored: 2, restoreFailed: 1 }, agents: 3 }), [])
  expect(told?.tone).toBe('bad')
  expect(told?.told.at(-1)).toContain('1 agent could not go back')
})

it('says that a stopped rollout leaves the group divided', () => {
  expect(calloutOf(sampleRollout({ state: 'stopped', counts: { applied: 18, pending: 80 } }), [])?.told).toEqual([
    'The group is divided: 18 agents got revision 5, 80 agents did not.',
  ])
})
