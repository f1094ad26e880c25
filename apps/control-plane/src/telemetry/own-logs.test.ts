/** Log lines: bounds by agent, by bytes and by time, and secrets. */
import { beforeEach, describe, expect, it } from 'vitest'
import { logLimits } from './limits.ts'
import type { LogRecord } from './otlp/point.ts'
import { OwnLogs } from './own-logs.ts'
import type { LogLimits } from './own-logs.ts'
import { keptBytes } from './test-heap.ts'

const T = 1_700_000_000_000
const HOUR = 3_600_000
let logs: OwnLogs
beforeEach(() => {
  logs = new OwnLogs(logLimits)
})

const record = (body: string, more: Partial<LogRecord> = {}): LogRecord => ({ timeMs: 1, severityNumber: 9, severityText: '', body, attributes: [], ...more })
const bodies = (agentId: string, nowMs = T, limit = 1000) => logs.of(agentId, limit, nowMs).lines.map(({ body }) => body)
const limited = (limits: Partial<LogLimits>) => new OwnLogs({ ...logLimits, ...limits })

describe('own log lines', () => {
  it('are those of the last hour, newest last', () => {
    logs.add('agt_a', [record('one')], T)
    logs.add('agt_a', [record('two'), record('three')], T + HOUR / 2)
    logs.add('agt_b', [record('other')], T + HOUR / 2)
    expect(bodies('agt_a', T + HOUR)).toEqual(['one', 'two', 'three'])
    expect(bodies('agt_a', T + HOUR, 1)).toEqual(['three'])
    expect(bodies('agt_a', T + HOUR + 1)).toEqual(['two', 'three'])
    expect(bodies('agt_a', T + 3 * HOUR)).toEqual([])
    expect(logs.bytes).toBe(0)
    expect(bodies('agt_c')).toEqual([])
  })

  it.each([
    [1, '', 'trace'],
    [12, '', 'info'],
    [13, 'x', 'warn'],
    [24, '', 'fatal'],
    [0, 'Notice', 'notice'],
    [99, '<b>', 'unknown'],
    [Number.NaN, '', 'unknown'],
  ])('with severity %s %s are %s', (severityNumber, severityText, severity) => {
    logs.add('agt_a', [record('x', { severityNumber, severityText })], T)
    expect(logs.of('agt_a', 1, T).lines[0]?.severity).toBe(severity)
  })

  it('have no secrets, neither in their text nor under a name', () => {
    const attributes = [
      ['endpoint', 'https://user:hunter2@backend'],
      ['api_key', 'abc123'],
      ['header', 'Authorization: Bearer s3cr3t-token-1'],
      ['count', '5'],
    ] as const
    logs.add('agt_a', [record('failed: password=hunter2 url=http://u:p4ss@x', { attributes })], T)
    const [line] = logs.of('agt_a', 1, T).lines
    expect(JSON.stringify(line)).not.toMatch(/hunter2|abc123|s3cr3t|p4ss/)
    expect(line?.attributes['count']).toBe('5')
  })

  it('keep no memory once they are gone, though another agent has an older one', () => {
    logs.add('agt_quiet', [record('started')], T)
    const kept = keptBytes(() => {
      for (let request = 0; request < 200; request++) {
        const lines = Array.from({ length: 50 }, (_, line) => record(`${request} ${line} `.repeat(500)))
        logs.add('agt_chatty', lines, T + request)
      }
    })
    expect(bodies('agt_quiet')).toEqual(['started'])
    expect(kept).toBeLessThan(4 * logLimits.maxBytesPerAgent)
  })

  it('are asked for exact secrets as well', () => {
    logs = new OwnLogs(logLimits, (text) => text.replaceAll('plain words', '[REDACTED]'))
    logs.add('agt_a', [record('say plain words', { attributes: [['a', 'plain words']] })], T)
    expect(logs.of('agt_a', 1, T).lines).toMatchObject([{ body: 'say [REDACTED]', attributes: { a: '[REDACTED]' } }])
  })

  it('are cut when they are long, in number and in attributes', () => {
    const attributes = Array.from({ length: 40 }, (_, at) => [`k${at}`, 'word '.repeat(1_000)] as const)
    const excess = logs.add(
      'agt_a',
      Array.from({ length: 1_200 }, (_, at) => record(`${at} ${'word '.repeat(10)}`, at === 1_199 ? { attributes } : {})),
      T,
    )
    expect(excess).toBe(200)
    const { lines } = logs.of('agt_a', 1, T)
    expect(Object.keys(lines[0]?.attributes ?? {})).toHaveLength(logLimits.maxAttributes)
    expect(Math.max(...Object.values(lines[0]?.attributes ?? {}).map((value) => value.length))).toBeLessThanOrEqual(logLimits.maxAttributeChars)
    logs.add('agt_a', [record('word '.repeat(100_000))], T)
    expect(bodies('agt_a', T, 1)[0]?.length).toBeLessThanOrEqual(logLimits.maxBodyChars)
  })

  it('of one agent never push out those of another', () => {
    logs.add('agt_quiet', [record('still here')], T)
    for (let at = 0; at < 50; at++)
      logs.add(
        'agt_loud',
        Array.from({ length: 1_000 }, () => record('noise '.repeat(100))),
        T,
      )
    expect(bodies('agt_quiet')).toEqual(['still here'])
    expect(logs.bytes).toBeLessThan(logLimits.maxBytesPerAgent + 1_000)
    expect(logs.of('agt_loud', 1, T).dropped).toBeGreaterThan(45_000)
  })

  it('of all agents together stay within their room, and the oldest go', () => {
    logs = limited({ maxBytes: 10_000 })
    for (let at = 0; at < 100; at++) logs.add(`agt_${at}`, [record('x'.repeat(100))], T + at)
    expect(logs.bytes).toBeLessThanOrEqual(10_000)
    expect(bodies('agt_0', T + 100)).toEqual([])
    expect(bodies('agt_99', T + 100)).toHaveLength(1)
  })

  it('take no room for an agent that sends none', () => {
    logs.add('agt_a', [], T)
    expect(logs.bytes).toBe(0)
  })
})
