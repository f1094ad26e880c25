/** The compared metric. */
import { expect, it } from 'vitest'
import { comparedSeries, firstMetric, latestInWords, unitOf, waveMarks } from './metric-view.ts'
import { samplePlan, sampleWave } from './sample-rollout.ts'

const at = '2026-11-21T10:00:00.000Z'
const atMs = Date.parse(at)
const point = (changed: number | null, control: number | null) => ({ at, changed, control, changedAgents: 1, controlAgents: 80 })

it('keeps gaps where nobody told anything', () => {
  expect(comparedSeries({ points: [point(1, null)] }).map(({ points }) => points)).toEqual([[[atMs, 1]], [[atMs, null]]])
})

it('marks only waves that were opened', () => {
  expect(waveMarks([sampleWave('passed', {}), sampleWave('ahead', {})])).toEqual([{ atMs, label: 'wave 1' }])
})

it('shows first what the plan compares', () => {
  expect(firstMetric({ gates: [{ kind: 'ownTelemetry', metric: 'memory', against: 'control', maxRatio: 2, minSample: 3 }] })).toBe('memory')
  expect(firstMetric({ ...samplePlan, gates: [] })).toBe('refused')
})

it('writes values as the server says they are', () => {
  expect(unitOf({ metric: 'refused', unit: '/s' })).toBe('perSecond')
  expect(unitOf({ metric: 'refused', unit: '1' })).toBe('share')
  expect(unitOf({ metric: 'memory', unit: 'By' })).toBe('bytes')
})

it('says in words what the newest point shows, and that nobody told anything', () => {
  const series = { metric: 'refused', unit: '/s' } as const
  expect(latestInWords({ ...series, points: [point(12.5, 3), point(null, null)] })).toBe(
    'With the change: 12.5/s (mean of 1 agent); without: 3/s (mean of 80 agents).',
  )
  expect(latestInWords({ ...series, points: [point(null, 3)] })).toContain('With the change: nobody told;')
  expect(latestInWords({ ...series, points: [] })).toBe('No agent has told anything yet.')
})
