/** A plan in words. */
import { expect, it } from 'vitest'
import { planFacts, timeText } from './plan-text.ts'
import { samplePlan } from './sample-rollout.ts'

it.each([
  [500, '0.5 s'],
  [30_000, '30 s'],
  [300_000, '5 min'],
  [5_400_000, '1.5 h'],
  [172_800_000, '2 d'],
  [Number.NaN, '?'],
])('writes %d ms as %s', (ms, text) => {
  expect(timeText(ms)).toBe(text)
})

it('names what a plan does, and leaves out what it does not ask for', () => {
  const facts = new Map(planFacts(samplePlan))
  expect(facts.get('Waves')).toBe('3 agents, then 5 times as many each, up to 100')
  expect(facts.get('When it fails')).toBe('Roll back')
  expect([...facts.keys()]).not.toContain('Only')
})

it('tells windows, approval and the deadline when there are some', () => {
  const windows = [{ days: ['mon', 'tue'] as ('mon' | 'tue')[], from: '22:00', to: '04:00', timeZone: 'Europe/Berlin' }]
  const facts = new Map(planFacts({ ...samplePlan, approval: 'anotherPerson', deadlineMs: 3_600_000, schedule: { notBefore: null, windows } }))
  expect(facts.get('Only')).toBe('mon, tue 22:00\u201304:00 Europe/Berlin')
  expect(facts.get('Approval')).toMatch(/another person/)
  expect(facts.get('Pauses after')).toBe('1 h')
})
