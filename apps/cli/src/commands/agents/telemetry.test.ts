/** Lines of bars for a terminal. */
import { describe, expect, it } from 'vitest'
import { sparkline } from './telemetry.ts'

describe('sparkline', () => {
  it('draws the highest of each part, and a gap where nothing was told', () => {
    expect(sparkline([0, 1, null, 4, 8])).toBe('▁▂ ▅█')
    expect(sparkline(Array.from({ length: 80 }, (_, index) => index % 2))).toBe('█'.repeat(40))
  })

  it('is flat for nothing and for zero', () => {
    expect(sparkline([])).toBe('')
    expect(sparkline([0, 0, 0])).toBe('▁▁▁')
    expect(sparkline([null])).toBe(' ')
  })
})
