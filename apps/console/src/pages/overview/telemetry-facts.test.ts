/** The store of own telemetry in words. */
import { expect, it } from 'vitest'
import { refusedText, tierText } from './telemetry-facts.ts'

it('says how far back points reach, and what was planned when they do not', () => {
  expect(tierText({ intervalSeconds: 10, keptSeconds: 3_600, plannedSeconds: 3_600 })).toBe('10 s points reach back 1 h')
  expect(tierText({ intervalSeconds: 900, keptSeconds: 86_400 * 20, plannedSeconds: 86_400 * 90 })).toBe('15 min points reach back 20 days of 90 days')
})

it('names what was refused, the most frequent first, and nothing when nothing was', () => {
  expect(refusedText({ 'too large': 2, 'not signed in': 1_200, malformed: 0 })).toBe('not signed in 1,200, too large 2')
  expect(refusedText({ malformed: 0 })).toBeUndefined()
})
