/** A plan while it is written. */
import type { RolloutPlan } from '@drover/api'
import { describe, expect, it } from 'vitest'
import { samplePlan } from '../sample-rollout.ts'
import { addWave, gateNames, gateOf, moveUp, planErrors, splitTime, waveNames, waveOf } from './plan-form.ts'
import type { Gate, Wave } from './plan-form.ts'

const withWaves = (...waves: Wave[]): RolloutPlan => ({ ...samplePlan, waves })

describe('what is wrong with a plan', () => {
  it('is nothing for a good one', () => {
    expect(planErrors(samplePlan)).toEqual({})
  })

  it('is told at the field, in words', () => {
    expect(planErrors(withWaves({ kind: 'count', count: 0 }))).toEqual({ 'waves.0.count': 'at least 1' })
    expect(planErrors({ ...samplePlan, soakMs: Number.NaN })).toEqual({ soakMs: 'write a number' })
    expect(planErrors({ ...samplePlan, gates: [gateOf('promql')] })).toEqual({
      'gates.0.url': 'write a whole address that begins with https:// or http://',
      'gates.0.query': 'write something',
    })
    expect(planErrors({ ...samplePlan, gates: [{ kind: 'webhook', url: 'ftp://x' }] })).toHaveProperty(['gates.0.url'])
  })

  it('is a percentage that is no more than that of an earlier wave', () => {
    const errors = planErrors(withWaves({ kind: 'percent', percent: 10 }, { kind: 'count', count: 3 }, { kind: 'percent', percent: 10 }))
    expect(Object.keys(errors)).toEqual(['waves.2.percent'])
  })

  it('is a growing wave before others, and no wave at all', () => {
    expect(planErrors(withWaves(waveOf('growing', []), { kind: 'count', count: 3 }))).toHaveProperty(['waves.0'])
    expect(planErrors(withWaves())).toHaveProperty(['waves'])
  })

  it('is a window that never opens or has no time', () => {
    const windows = [{ days: [], from: '25:00', to: '', timeZone: 'Mars/Olympus' }]
    expect(Object.keys(planErrors({ ...samplePlan, schedule: { notBefore: null, windows } })).toSorted()).toEqual([
      'schedule.windows.0.days',
      'schedule.windows.0.from',
      'schedule.windows.0.timeZone',
      'schedule.windows.0.to',
    ])
  })
})

describe('adding', () => {
  it('a wave keeps the plan one that can be started', () => {
    let waves: Wave[] = [...samplePlan.waves]
    for (let added = 0; added < 6; added++) {
      waves = addWave(waves)
      expect(planErrors(withWaves(...waves))).toEqual({})
    }
  })

  it.each((Object.keys(gateNames) as Gate['kind'][]).filter((kind) => kind !== 'promql' && kind !== 'webhook'))(
    'the gate %s needs no more to be valid',
    (kind) => {
      expect(planErrors({ ...samplePlan, gates: [gateOf(kind)] })).toEqual({})
    },
  )

  it.each(Object.keys(waveNames) as Wave['kind'][])('a wave of kind %s makes one of that kind', (kind) => {
    expect(waveOf(kind, []).kind).toBe(kind)
  })
})

it('moves an item up, and the first stays', () => {
  expect(moveUp(['a', 'b', 'c'], 2)).toEqual(['a', 'c', 'b'])
  expect(moveUp(['a', 'b'], 0)).toEqual(['a', 'b'])
})

it('writes a time in its largest whole unit', () => {
  expect(splitTime(300_000)).toEqual({ amount: 5, unit: 'min' })
  expect(splitTime(90_000)).toEqual({ amount: 90, unit: 's' })
  expect(splitTime(86_400_000)).toEqual({ amount: 1, unit: 'd' })
  expect(splitTime(0)).toEqual({ amount: 0, unit: 'min' })
})
