/** Log lines by severity. */
import { expect, it } from 'vitest'
import { attributeText, linesFrom, severityRank, severityTone } from './log-lines.ts'

const lines = ['TRACE', 'debug', 'INFO', 'Warn', 'ERROR2', 'fatal', 'odd'].map((severity) => ({ severity }))
const words = (filter: Parameters<typeof linesFrom>[1]) => linesFrom(lines, filter).map(({ severity }) => severity)

it('keeps lines from a severity on, however it is written', () => {
  expect(words('all')).toHaveLength(7)
  expect(words('info')).toEqual(['INFO', 'Warn', 'ERROR2', 'fatal', 'odd'])
  expect(words('warn')).toEqual(['Warn', 'ERROR2', 'fatal'])
  expect(words('error')).toEqual(['ERROR2', 'fatal'])
})

it('takes a severity that it does not know for information', () => {
  expect(severityRank('notice')).toBe(severityRank('info'))
  expect(severityTone('notice')).toBe('idle')
})

it('writes attributes behind a line, those with spaces in quotes', () => {
  expect(attributeText({ kind: 'exporter', reason: 'queue is full' })).toBe('kind=exporter reason="queue is full"')
})
