/** From counters to rates: restarts, repetitions, late requests, and what a real Collector sends. */
import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { readMetrics } from '../otlp/read-request.ts'
import { keptBytes } from '../test-heap.ts'
import { metricsRequest } from '../test-otlp.ts'
import type { TestPoint } from '../test-otlp.ts'
import { AgentMeter } from './agent-meter.ts'
import type { MeterOutcome } from './agent-meter.ts'

const T = 1_700_000_000_000
let meter: AgentMeter
beforeEach(() => {
  meter = new AgentMeter({ maxCounters: 16, maxComponents: 3 })
})

const seconds = (count: number) => T + count * 1000
/** `at`: seconds by both clocks. */
const send = (at: number, points: readonly Partial<TestPoint>[], heardAt = at): MeterOutcome =>
  meter.take(
    readMetrics(metricsRequest(points.map((point) => ({ name: 'otelcol_exporter_sent_spans', value: 0, timeMs: seconds(at), ...point }))), 'protobuf'),
    seconds(heardAt),
  )

function told({ row }: MeterOutcome): Record<string, number> {
  const keys = row?.list.keys ?? []
  return Object.fromEntries(
    keys.flatMap(({ metric, component }, at) => (Number.isNaN(row?.values[at]) ? [] : [[`${component} ${metric}`.trim(), row?.values[at] ?? 0]])),
  )
}

const sent = (value: number, more: Partial<TestPoint> = {}): Partial<TestPoint> => ({
  value,
  startMs: T - 3_600_000,
  attributes: { exporter: 'otlp' },
  ...more,
})

describe('a rate', () => {
  it('is the increase since the last time over the time by the agent’s clock', () => {
    expect(told(send(0, [sent(1000)]))['sent']).toBeUndefined()
    expect(told(send(10, [sent(1500)]))).toMatchObject({ sent: 50, 'exporter otlp traces sent': 50 })
    expect(told(send(20, [sent(1500)], 23))['sent']).toBe(0)
  })

  it('is known at once for an agent that was started just now', () => {
    expect(told(send(0, [sent(300, { startMs: seconds(-60) })]))['sent']).toBe(5)
  })

  it('counts a new counter from zero, and says zero of what an agent never counted', () => {
    send(0, [sent(1000)])
    const row = told(
      send(10, [sent(1000), { name: 'otelcol_exporter_send_failed_spans', value: 20, startMs: T - 3_600_000, attributes: { exporter: 'otlp' } }]),
    )
    expect(row).toMatchObject({ sent: 0, sendFailed: 2, accepted: 0, refused: 0 })
  })

  it('goes on after a restart with what was counted since', () => {
    send(0, [sent(1000)])
    send(10, [sent(2000)])
    expect(told(send(20, [sent(30, { startMs: seconds(14) })]))['sent']).toBe(5)
    expect(told(send(30, [sent(130, { startMs: seconds(14) })]))['sent']).toBe(10)
  })

  it('sees a restart by a smaller number alone', () => {
    send(0, [sent(1000, { startMs: 0 })])
    expect(told(send(10, [sent(100, { startMs: 0 })]))['sent']).toBe(10)
  })

  it('sees a restart that counted past the old number by its start', () => {
    send(0, [sent(100)])
    expect(told(send(10, [sent(150, { startMs: seconds(5) })]))['sent']).toBe(30)
  })

  it('is the same when a request comes twice or too late', () => {
    send(0, [sent(1000)])
    expect(told(send(10, [sent(1500)]))['sent']).toBe(50)
    expect(send(10, [sent(1500)], 12).row).toBeUndefined()
    expect(send(5, [sent(1250)], 13).row).toBeUndefined()
    expect(told(send(20, [sent(1600)]))['sent']).toBe(10)
  })

  it('begins anew when the agent’s clock is set back', () => {
    send(0, [sent(1000)])
    expect(told(send(-3600, [sent(1100)], 10))['sent']).toBeUndefined()
    expect(told(send(-3590, [sent(1200)], 20))['sent']).toBe(10)
  })

  it('is that of the whole slot, however often an agent tells', () => {
    send(0, [sent(0)])
    for (const at of [10, 12, 14, 16]) send(at, [sent(at * 10)])
    expect(told(send(18, [sent(360)]))['sent']).toBeCloseTo(20)
    expect(told(send(20, [sent(380)]))['sent']).toBe(10)
  })

  it('adds what comes in several requests', () => {
    const other = (value: number) => sent(value, { attributes: { exporter: 'file' } })
    send(0, [sent(0)])
    send(0, [other(0)], 1)
    send(10, [sent(100)])
    expect(told(send(10, [other(50)], 11))).toMatchObject({ sent: 15, 'exporter otlp traces sent': 10, 'exporter file traces sent': 5 })
  })

  it('comes of increases as well as of sums', () => {
    expect(told(send(10, [sent(40, { kind: 'delta', startMs: seconds(0) })]))['sent']).toBe(4)
    expect(told(send(20, [sent(60, { kind: 'delta', startMs: seconds(10) })]))['sent']).toBe(6)
    expect(send(20, [sent(60, { kind: 'delta', startMs: seconds(10) })]).row).toBeUndefined()
  })
})

describe('a row', () => {
  it('covers the time since the one before, unless the agent was silent', () => {
    expect(send(0, [sent(0)]).row?.coveredMs).toBe(0)
    expect(send(60, [sent(0)]).row?.coveredMs).toBe(60_000)
    expect(send(600, [sent(0)]).row?.coveredMs).toBe(0)
  })

  it('has the use of each queue, and of the agent that of the fullest', () => {
    const queue = (exporter: string, size: number) =>
      (['queue_size', 'queue_capacity'] as const).map((name) => ({
        name: `otelcol_exporter_${name}`,
        value: name === 'queue_size' ? size : 1000,
        kind: 'gauge' as const,
        attributes: { exporter, data_type: 'logs' },
      }))
    expect(told(send(0, [...queue('a', 500), ...queue('b', 100)]))).toMatchObject({
      queueSize: 600,
      queueCapacity: 2000,
      queueUse: 0.5,
      'exporter a logs queueUse': 0.5,
      'exporter b logs queueUse': 0.1,
    })
  })

  it('has no use of a queue without room', () => {
    const gauge = (name: string) => ({ name, value: 0, kind: 'gauge' as const, attributes: { exporter: 'a' } })
    expect(told(send(0, [gauge('otelcol_exporter_queue_size'), gauge('otelcol_exporter_queue_capacity')]))).toEqual({
      'exporter a queueSize': 0,
      'exporter a queueCapacity': 0,
      queueSize: 0,
      queueCapacity: 0,
    })
  })

  it('names only so many components, and counts the others in the totals', () => {
    const many = (value: number) => Array.from({ length: 5 }, (_, at) => sent(value, { attributes: { exporter: `e${at}` } }))
    send(0, many(0))
    const row = told(send(10, many(100)))
    expect(row['sent']).toBe(50)
    expect(Object.keys(row).filter((key) => key.startsWith('exporter'))).toHaveLength(3)
  })

  it('keeps only so many counters, and says how many points it left out', () => {
    const many = (from: number, count: number) => Array.from({ length: count }, (_, at) => sent(1, { attributes: { exporter: `e${from + at}` } }))
    expect(send(0, many(0, 20)).rejected).toBe(4)
    // Those that were not told for a quarter of an hour make room.
    expect(send(1000, many(20, 16)).rejected).toBe(0)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('leaves out %s', (value) => {
    expect(send(0, [sent(value)])).toMatchObject({ row: undefined, rejected: 1 })
  })

  it('leaves out points without a time, and takes any time of an agent whose clock is wrong', () => {
    expect(send(0, [sent(1, { timeMs: 0 })])).toMatchObject({ row: undefined, rejected: 1 })
    send(0, [sent(0, { timeMs: 4_000_000_000_000 })])
    expect(told(send(10, [sent(100, { timeMs: 4_000_000_010_000 })]))['sent']).toBe(10)
  })

  it('shows names without what could mislead', () => {
    send(0, [sent(0, { attributes: { exporter: 'a\u202Eb\n' } })])
    expect(Object.keys(told(send(10, [sent(0, { attributes: { exporter: 'a\u202Eb\n' } })])))).toContain('exporter a?b? traces sent')
  })

  it('of a real Collector has what it did', () => {
    const recorded = (name: string) => readMetrics(readFileSync(new URL(`../vectors/collector-0.149.0/${name}.binpb`, import.meta.url)), 'protobuf')
    meter = new AgentMeter({ maxCounters: 256, maxComponents: 32 })
    const start = Date.parse('2026-11-21T13:49:48Z')
    meter.take(recorded('metrics-1'), start)
    meter.take(recorded('metrics-2'), start + 3_000)
    const row = told(meter.take(recorded('metrics-3'), start + 13_000))
    expect(row['receiver otlp logs accepted']).toBeCloseTo(2 / 3, 2)
    expect(row['receiver otlp traces accepted']).toBeCloseTo(1 / 3, 2)
    expect(row['exporter otlphttp/out logs sendFailed']).toBeCloseTo(2 / 3, 2)
    expect(row['exporter debug traces sent']).toBeCloseTo(1 / 3, 2)
    expect(row).toMatchObject({ memory: 40_243_200, refused: 0, queueUse: 0, queueCapacity: 2000, 'exporter otlphttp/out metrics queueCapacity': 1000 })
    expect(row['uptime']).toBeCloseTo(9, 1)
    expect(row['cpu']).toBeCloseTo(0.01 / 3, 3)
  })
})

describe('counters with long attributes', () => {
  const attributesOf = (counter: number) => ({
    ...Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`key ${at}`, 'x'.repeat(250)])),
    counter: `${counter}`,
  })

  it('are told apart, and cost no more memory than others', () => {
    meter = new AgentMeter({ maxCounters: 256, maxComponents: 3 })
    send(0, [sent(0, { attributes: attributesOf(0) }), sent(0, { attributes: attributesOf(1) })])
    expect(told(send(10, [sent(10, { attributes: attributesOf(0) }), sent(20, { attributes: attributesOf(1) })]))['sent']).toBe(3)
    const meters: AgentMeter[] = []
    const kept = keptBytes(() => {
      for (let agent = 0; agent < 6; agent++) {
        meters.push((meter = new AgentMeter({ maxCounters: 256, maxComponents: 3 })))
        for (let counter = 0; counter < 250; counter++) send(10 + counter, [sent(0, { attributes: attributesOf(1000 * agent + counter) })])
      }
    })
    expect(kept).toBeLessThan(24 * 1024 * 1024)
  })
})
