/** What the page of a rollout works out. */
import { RolloutState } from '@drover/api'
import { describe, expect, it } from 'vitest'
import { countdown, currentWave, foldWaves, numberText, shownActions, soakView, touchedOf, waveLook, wordsOf } from './rollout-view.ts'
import { sampleRollout, sampleWave } from './sample-rollout.ts'

describe('waves', () => {
  const many = Array.from({ length: 400 }, (_, index) => sampleWave(index < 200 ? 'passed' : index === 200 ? 'open' : 'ahead', { applied: 1, pending: 2 }))

  it('stand each by themselves while they are few', () => {
    expect(foldWaves(many.slice(0, 12), 3, false).every(({ kind }) => kind === 'wave')).toBe(true)
  })

  it('are folded before and after the open one when they are many, and nobody is lost', () => {
    const items = foldWaves(many, 200, false)
    expect(items.length).toBeLessThan(15)
    expect(items.find((item) => item.kind === 'wave' && item.index === 200)).toBeDefined()
    const agents = items.reduce((sum, item) => sum + (item.kind === 'wave' ? item.wave.agents : item.agents), 0)
    expect(agents).toBe(1_200)
    expect(items[0]).toMatchObject({ kind: 'fold', first: 0, last: 197, state: 'passed', counts: { applied: 198, pending: 396 } })
  })

  it('of another state are not hidden in a fold', () => {
    const odd = many.map((wave, index) => (index === 50 ? sampleWave('open', { failed: 3 }) : wave))
    expect(foldWaves(odd, 200, false).filter((item) => item.kind === 'fold' && item.state === 'open')).toMatchObject([{ first: 50, last: 50 }])
  })

  it.each([0, 1, 2, 3, 199, 396, 398, 399])('are each shown once around wave %i', (current) => {
    const seen = foldWaves(many, current, false).flatMap((item) =>
      item.kind === 'wave' ? [item.index] : Array.from({ length: item.last - item.first + 1 }, (_, index) => item.first + index),
    )
    expect(seen).toEqual(many.map((_, index) => index))
  })

  it('are all there on demand', () => {
    expect(foldWaves(many, 200, true)).toHaveLength(400)
  })
})

it.each([
  [sampleWave('open', { applied: 1 }), 'running', 'open'],
  [sampleWave('open', { applied: 1 }), 'paused', 'paused'],
  [sampleWave('open', { restored: 3 }), 'rolledBack', 'taken back'],
  [sampleWave('passed', { restoring: 3 }), 'rollingBack', 'going back'],
  [sampleWave('ahead', { pending: 3 }), 'rolledBack', 'not opened'],
  [sampleWave('ahead', { pending: 3 }), 'running', 'ahead'],
  [sampleWave('soaking', { applied: 3 }), 'stopped', 'ended here'],
  [sampleWave('passed', { applied: 3 }), 'completed', 'passed'],
] as const)('tells how a wave stands by what became of its rollout: %#', (wave, state, label) => {
  expect(waveLook(wave, state).label).toBe(label)
})

it('knows the wave that matters: the open one, else the next, else the last', () => {
  expect(currentWave(sampleRollout())).toBe(1)
  expect(currentWave(sampleRollout({ wave: null }))).toBe(1)
  expect(currentWave(sampleRollout({ wave: null, waves: [sampleWave('passed', {}), sampleWave('passed', {})] }))).toBe(1)
  expect(currentWave(sampleRollout({ wave: null, waves: [] }))).toBe(0)
})

it('counts down the watching and does not go below nothing', () => {
  const soak = { since: '2026-11-21T10:00:00.000Z', until: '2026-11-21T10:05:00.000Z' }
  expect(soakView(soak, Date.parse('2026-11-21T10:01:15.000Z'))).toEqual({ share: 0.25, leftSeconds: 225 })
  expect(soakView(soak, Date.parse('2026-11-21T11:00:00.000Z'))).toEqual({ share: 1, leftSeconds: 0 })
  expect(countdown(225)).toBe('3:45')
  expect(countdown(3_729)).toBe('1:02:09')
})

it('counts as touched whoever was given the change', () => {
  expect(touchedOf({ pending: 5, away: 2, busy: 1, applied: 3, restored: 4, unheard: 1 })).toBe(8)
})

describe('buttons', () => {
  const actions = (['start', 'approve', 'pause', 'resume', 'promote', 'retry', 'stop', 'rollBack'] as const).map((action) => ({
    action,
    allowed: false,
    why: 'not now',
  }))
  const names = (state: RolloutState) => shownActions({ state, actions }).map(({ action }) => action)

  it('offer what fits the state, also when it is not possible now', () => {
    expect(names('draft')).toEqual(['start'])
    expect(names('running')).toEqual(['pause', 'promote', 'retry', 'stop', 'rollBack'])
    expect(names('paused')).toEqual(['resume', 'promote', 'retry', 'stop', 'rollBack'])
    expect(names('waiting')[0]).toBe('approve')
    expect(names('rollingBack')).toEqual(['stop'])
    expect(names('completed')).toEqual(['retry', 'rollBack'])
  })

  it.each(RolloutState.options)('never hide what the server allows in state %s', (state) => {
    const allowed = actions.map((action) => ({ ...action, allowed: true, why: null }))
    expect(new Set(shownActions({ state, actions: allowed }).map(({ action }) => action)).size).toBe(allowed.length)
  })
})

it('writes names and numbers for people', () => {
  expect(wordsOf('badPercent')).toBe('bad percent')
  expect(numberText(12_345)).toBe('12,345')
  expect(numberText(0.123456)).toBe('0.1235')
  expect(numberText(Number.NaN)).toBe('NaN')
})
