/** What is read of requests, of recorded ones and of hostile ones. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { telemetryLimits } from '../limits.ts'
import { collectorPoints, field, fixed64, logsRequest, metricsJson, metricsRequest, number, text, tracesRequest, varint } from '../test-otlp.ts'
import { OtlpError } from './errors.ts'
import { countSpans, readLogs, readMetrics } from './read-request.ts'

const recorded = (name: string) => readFileSync(new URL(`../vectors/collector-0.149.0/${name}.binpb`, import.meta.url))

const faultOf = (read: () => unknown): string | undefined => {
  try {
    read()
    return undefined
  } catch (error) {
    if (error instanceof OtlpError) return error.fault
    throw error
  }
}

const emptyFields = (at: number, count: number) => Buffer.alloc(2 * count, field(at))

describe('a recorded request of a Collector', () => {
  it('tells its counters and gauges with their components', () => {
    const points = readMetrics(recorded('metrics-3'), 'protobuf').map(({ role, temporality, receiver, exporter, dataType, value }) => [
      role.name,
      temporality,
      receiver + exporter + (dataType && ` ${dataType}`),
      value,
    ])
    expect(points).toEqual([
      ['receiver_accepted_log_records', 'cumulative', 'otlp', 4],
      ['receiver_accepted_spans', 'cumulative', 'otlp', 2],
      ['receiver_failed_log_records', 'cumulative', 'otlp', 0],
      ['receiver_failed_spans', 'cumulative', 'otlp', 0],
      ['receiver_refused_log_records', 'cumulative', 'otlp', 0],
      ['receiver_refused_spans', 'cumulative', 'otlp', 0],
      ['process_cpu_seconds', 'cumulative', '', 0.05],
      ['process_memory_rss', 'gauge', '', 40243200],
      ['process_uptime', 'cumulative', '', 8.997552838],
      ['exporter_queue_capacity', 'gauge', 'otlphttp/out metrics', 1000],
      ['exporter_queue_capacity', 'gauge', 'otlphttp/out logs', 1000],
      ['exporter_queue_size', 'gauge', 'otlphttp/out logs', 0],
      ['exporter_queue_size', 'gauge', 'otlphttp/out metrics', 0],
      ['exporter_send_failed_log_records', 'cumulative', 'otlphttp/out', 4],
      ['exporter_sent_log_records', 'cumulative', 'otlphttp/out', 0],
      ['exporter_sent_spans', 'cumulative', 'debug', 2],
    ])
    expect(points.length).toBe(16)
  })

  it('has times to the microsecond', () => {
    const [first] = readMetrics(recorded('metrics-3'), 'protobuf')
    expect(first?.timeMs).toBeCloseTo((first?.startMs ?? 0) + 9000, -2)
    expect(new Date(first?.timeMs ?? 0).toISOString()).toMatch(/^2026-11-21T13:49:/)
  })

  it('tells log records with severity, body, and who speaks', () => {
    const [first] = readLogs(recorded('logs'), 'protobuf')
    expect(first).toMatchObject({ severityText: 'info', severityNumber: 9, body: 'Traces' })
    expect(first?.attributes).toContainEqual(['otelcol.component.id', 'debug'])
    expect(readLogs(recorded('logs'), 'protobuf')[1]).toMatchObject({ severityText: 'error', body: expect.stringContaining('Exporting failed') })
  })

  it('counts spans', () => {
    expect(countSpans(recorded('traces'), 'protobuf')).toBeGreaterThan(3)
    expect(countSpans(tracesRequest(7), 'protobuf')).toBe(7)
  })

  it.each([
    ['metrics-3', readMetrics],
    ['logs', readLogs],
    ['traces', countSpans],
  ] as const)('%s is refused when it is cut at any byte', (name, read) => {
    const whole = recorded(name)
    for (let length = 1; length < whole.length; length++)
      expect(
        faultOf(() => read(whole.subarray(0, length), 'protobuf')),
        `${length} bytes`,
      ).toBe('malformed')
  })

  it('does nothing worse than being refused when any byte is another one', () => {
    const whole = Buffer.from(recorded('metrics-3'))
    for (let at = 0; at < whole.length; at++) {
      const before = whole[at] ?? 0
      whole[at] = before ^ (1 << (at % 8))
      expect([undefined, 'malformed', 'too-many']).toContain(faultOf(() => readMetrics(whole, 'protobuf')))
      whole[at] = before
    }
  })
})

describe('JSON and protobuf', () => {
  it('say the same', () => {
    const points = collectorPoints({ startMs: 1_700_000_000_000, timeMs: 1_700_000_060_000 })
    const plain = (encoded: ReturnType<typeof readMetrics>) => encoded.map(({ identity: _, ...point }) => point)
    expect(plain(readMetrics(Buffer.from(metricsJson(points)), 'json'))).toEqual(plain(readMetrics(metricsRequest(points), 'protobuf')))
  })

  it('read log records alike', () => {
    const json = {
      resourceLogs: [
        {
          scopeLogs: [
            {
              logRecords: [{ timeUnixNano: '1000000', severityNumber: 17, body: { stringValue: 'no' }, attributes: [{ key: 'n', value: { intValue: '5' } }] }],
            },
          ],
        },
      ],
    }
    expect(readLogs(Buffer.from(JSON.stringify(json)), 'json')).toEqual(
      readLogs(logsRequest([{ body: 'no', severity: 17, attributes: { n: '5' } }]), 'protobuf'),
    )
  })

  it.each([
    ['no JSON', '{"resourceMetrics":['],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['a number for the whole', '5'],
    ['a list for the whole', '[]'],
    ['a text for a list', '{"resourceMetrics":"x"}'],
    ['a number in a list', '{"resourceMetrics":[1]}'],
    ['a number for a name', '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":1}]}]}]}'],
    ['attributes that are none', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":{}}]}]}]}'],
  ])('refuse %s', (_, body) => {
    expect(faultOf(() => [readMetrics(Buffer.from(body), 'json'), readLogs(Buffer.from(body), 'json')])).toBe('malformed')
  })

  it('take names that objects have for names', () => {
    const body = '{"__proto__":{"resourceMetrics":[]},"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"constructor","sum":{"dataPoints":[]}}]}]}]}'
    expect(readMetrics(Buffer.from(body), 'json')).toEqual([])
  })
})

describe('limits', () => {
  it('stop a million points before they are read', () => {
    const point = { name: 'otelcol_process_uptime', value: 1, timeMs: 1 }
    const single = metricsRequest([point])
    expect(readMetrics(single, 'protobuf')).toHaveLength(1)
    const many = field(1, field(2, field(2, text(1, point.name), field(5, emptyFields(1, 1_000_000)))))
    expect(faultOf(() => readMetrics(many, 'protobuf'))).toBe('too-many')
    const json = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"${point.name}","gauge":{"dataPoints":[${Array(1_000_000).fill('{}').join()}]}}]}]}]}`
    expect(faultOf(() => readMetrics(Buffer.from(json), 'json'))).toBe('too-many')
  })

  it('pass over what nobody wants, however much it is', () => {
    const many = field(1, field(2, field(2, text(1, 'http.server.duration'), field(5, emptyFields(1, 1_000_000)))))
    expect(readMetrics(many, 'protobuf')).toEqual([])
  })

  it('stop a million empty metrics', () => {
    expect(faultOf(() => readMetrics(field(1, field(2, emptyFields(2, 1_000_000))), 'protobuf'))).toBe('too-many')
  })

  it('stop deep JSON, and take deep protobuf for what it is worth', () => {
    expect(faultOf(() => readMetrics(Buffer.from('['.repeat(100_000)), 'json'))).toBe('too-many')
    let value = text(1, 'x')
    for (let depth = 0; depth < 5_000; depth++) value = field(5, field(1, value))
    const record = field(2, field(5, value))
    expect(readLogs(field(1, field(2, record)), 'protobuf')).toMatchObject([{ body: '[…]' }])
  })

  it('bound attributes and the length of names', () => {
    const attributes = Object.fromEntries(Array.from({ length: telemetryLimits.maxAttributes + 1 }, (_, at) => [`k${at}`, 'v']))
    expect(faultOf(() => readMetrics(metricsRequest([{ name: 'otelcol_process_uptime', value: 1, timeMs: 1, attributes }]), 'protobuf'))).toBe('too-many')
    const [point] = readMetrics(
      metricsRequest([{ name: 'otelcol_receiver_accepted_spans', value: 1, timeMs: 1, attributes: { receiver: 'x'.repeat(1_000_000) } }]),
      'protobuf',
    )
    expect(point?.receiver).toHaveLength(telemetryLimits.maxNameBytes)
    expect(point?.identity.length).toBeLessThan(1_000)
  })

  it.each([
    ['a group', Buffer.from([0x0b, 0x0c])],
    ['field number 0', Buffer.from([0x02, 0x00])],
    ['a length beyond 2^63', Buffer.concat([varint(10), varint(2n ** 63n)])],
    ['a number without end', Buffer.from(Array(11).fill(0x80))],
    ['wire type 7', Buffer.from([0x0f])],
  ])('refuse %s', (_, body) => {
    expect(faultOf(() => readMetrics(body, 'protobuf'))).toBe('malformed')
  })
})

describe('points', () => {
  it('without a value are left out, as the agent says', () => {
    expect(readMetrics(metricsRequest([{ name: 'otelcol_process_uptime', value: 1, timeMs: 1, flags: 1 }]), 'protobuf')).toEqual([])
  })

  it('may have their name and temporality anywhere', () => {
    const point = field(1, fixed64(3, 5_000_000n), fixed64(6, 7n))
    const metric = field(2, field(7, number(2, 1), point), text(1, 'otelcol.exporter.sent_spans'))
    expect(readMetrics(field(1, field(2, metric)), 'protobuf')).toMatchObject([
      { temporality: 'delta', timeMs: 5, value: 7, role: { metric: 'sent', signal: 'traces' } },
    ])
  })

  it.each([
    ['otelcol_exporter_sent_spans', 'sent'],
    ['otelcol_exporter_sent_spans_total', 'sent'],
    ['otelcol.exporter.sent_spans', 'sent'],
    ['otelcol_exporter_enqueue_failed_log_records', 'sendFailed'],
    ['otelcol_exporter_send_failed_metric_points_total', 'sendFailed'],
    ['otelcol_receiver_failed_metric_points', 'refused'],
    ['otelcol_process_cpu_seconds_total', 'cpu'],
    ['otelcol_process_memory_rss_bytes', 'memory'],
    ['otelcol.process.memory.rss', 'memory'],
    ['otelcol_process_uptime_seconds_total', 'uptime'],
    ['otelcol_exporter_queue_capacity', 'queueCapacity'],
  ])('are known as %s', (name, metric) => {
    expect(readMetrics(metricsRequest([{ name, value: 1, timeMs: 1 }]), 'protobuf')).toMatchObject([{ role: { metric } }])
  })

  it.each(['process.memory.usage', 'otelcol_processor_incoming_items', 'otelcol_', 'x_otelcol_process_uptime', 'otelcol_constructor'])(
    'are not known as %s',
    (name) => {
      expect(readMetrics(metricsRequest([{ name, value: 1, timeMs: 1 }]), 'protobuf')).toEqual([])
    },
  )
})
