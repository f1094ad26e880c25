/** How a change goes out. */
import type { RolloutPreview } from '@drover/api'
import { describe, expect, it } from 'vitest'
import { samplePlan } from '../sample-rollout.ts'
import { type StartChoice, firstChoice, missingInAll, previewSentence, sidesOf, startLabel, startOf, startRefusal } from './start-choice.ts'

const choice = (part: Partial<StartChoice> = {}): StartChoice => ({ ...firstChoice(null), ...part })
const wave = { label: '3 agents', agents: 3, connected: 2, soakMs: 60_000, sample: [], missing: [] }
const preview = (part: Partial<RolloutPreview> = {}): RolloutPreview => ({
  agents: 10,
  changing: 8,
  notAccepting: 0,
  waves: [wave, { ...wave, agents: 7 }],
  findings: [],
  plan: [],
  atLeastMs: 120_000,
  blockers: [],
  supersedes: null,
  ...part,
})

it('begins with the plan of the group, else the standard one', () => {
  expect(firstChoice(samplePlan).way).toBe('group')
  expect(firstChoice(null).way).toBe('standard')
})

it('says to the server no more than was chosen', () => {
  expect(startOf(choice({ way: 'group' }), false)).toEqual({})
  expect(startOf(choice({ way: 'careful', reason: ' why ' }), true)).toEqual({ preset: 'careful', draft: true, reason: 'why' })
  expect(startOf(choice({ way: 'own', plan: samplePlan }), false)).toEqual({ plan: samplePlan })
})

describe('it cannot be started', () => {
  it('before it is known whom it reaches', () => {
    expect(startRefusal(choice(), undefined)).toMatch(/Wait/)
    expect(startRefusal(choice(), preview())).toBeUndefined()
  })

  it('to all at once unless that is confirmed', () => {
    expect(startRefusal(choice({ way: 'everyone' }), preview())).toMatch(/Confirm/)
    expect(startRefusal(choice({ way: 'everyone', sure: true }), preview())).toBeUndefined()
  })

  it('with a plan of mistakes or a change with errors, but with warnings', () => {
    expect(startRefusal(choice({ way: 'own', plan: { ...samplePlan, waves: [] } }), preview())).toMatch(/plan/)
    expect(startRefusal(choice(), preview({ findings: [{ severity: 'error', code: 'x', message: 'm' }] }))).toMatch(/errors/)
    expect(startRefusal(choice(), preview({ findings: [{ severity: 'warning', code: 'x', message: 'm' }] }))).toBeUndefined()
  })
})

it('names sending to all at once as what it is', () => {
  expect(startLabel(choice({ way: 'everyone' }), preview())).toBe('Send to all 8 agents at once')
  expect(startLabel(choice(), preview())).toBe('Start rollout')
})

it('tells the change in a sentence', () => {
  expect(previewSentence(preview())).toBe('8 of 10 agents get another configuration, in 2 waves, in no less than 2 min.')
  expect(previewSentence(preview({ agents: 1, changing: 1, waves: [wave], atLeastMs: 0 }))).toBe('1 agent gets another configuration, all at once.')
  expect(previewSentence(preview({ changing: 0 }))).toBe('None of 10 agents gets another configuration.')
  expect(previewSentence(preview({ agents: 0, changing: 0, waves: [] }))).toMatch(/^No agent/)
})

it('adds up over the waves what agents lack', () => {
  const lack = (lacking: number, agents: string[]) => ({ kind: 'exporter', type: 'kafka', lacking, agents })
  const waves = [wave, { ...wave, missing: [lack(1, ['a'])] }, { ...wave, missing: [lack(2, ['b', 'c'])] }]
  expect(missingInAll({ waves })).toEqual([{ kind: 'exporter', type: 'kafka', lacking: 3, agents: ['a', 'b', 'c'], wave: 1 }])
})

it('takes both sides out of a unified diff', () => {
  const unified = '--- before\n+++ after\n@@ -1,2 +1,2 @@\n a: 1\n-b: 2\n+b: 3\n@@ -9,1 +9,2 @@\n z: 9\n+y: 8\n\\ No newline at end of file'
  expect(sidesOf(unified)).toEqual({ before: 'a: 1\nb: 2\n# …\nz: 9', after: 'a: 1\nb: 3\n# …\nz: 9\ny: 8' })
})
