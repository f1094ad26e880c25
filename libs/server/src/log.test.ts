import { FakeClock } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { limitLog } from './log.ts'
import { type LogLine } from './test-agent.ts'

describe('the limited log', () => {
  it('writes ten lines a second of one cause and then says how many were left out', () => {
    const clock = new FakeClock()
    const lines: LogLine[] = []
    const log = limitLog((level, message, fields) => lines.push({ level, message, fields }), clock, 10)
    for (let i = 0; i < 10_000; i++) log('text-frame', 'warn', 'Refused', {})
    log('rate', 'warn', 'Refused', {})
    expect(lines).toHaveLength(11)
    clock.advance(1_000)
    log('text-frame', 'warn', 'Refused', {})
    expect(lines.at(-1)?.fields).toEqual({ cause: 'text-frame', suppressed: 9_990 })
  })
})
