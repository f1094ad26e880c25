import { keyValues } from '@drover/protocol'
import { FakeClock } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import type { LogRecord } from '../log.ts'
import { createSelfExport } from './self-export.ts'
import { createSelfMetrics } from './self-metrics.ts'
import { messageAt, readWire, startReceiver, textAt } from './test-otlp.ts'

const record = (message: string): LogRecord => ({ time: Date.UTC(2026, 0, 1), level: 'warn', message, fields: { hash: 'ab', times: 2 } })

function setUp() {
  const clock = new FakeClock()
  const lines: string[] = []
  const selfExport = createSelfExport({
    clock,
    log: (_level, message) => lines.push(message),
    scope: { name: 'drover.supervisor', version: '1.2.3' },
    resource: () => keyValues({ 'service.name': 'otelcol', 'service.instance.id': 'u1' }),
    metrics: () => createSelfMetrics().collect(),
  })
  return { clock, lines, selfExport }
}

describe("the supervisor's own telemetry", () => {
  it('sends metrics every ten seconds, with the identifying attributes and headers of the destination [OT-01] [OT-07] [OT-08] [OT-09] [OT-10] [OT-12]', async () => {
    await using receiver = await startReceiver()
    const { clock, selfExport } = setUp()
    selfExport.setDestinations([{ metrics: { endpoint: `${receiver.url}/v1/metrics`, headers: [['x-token', 'abc']] } }])
    await clock.advanceAsync(9_999)
    expect(receiver.received).toHaveLength(0)
    await clock.advanceAsync(1)
    const { path, headers, body } = await receiver.next()
    expect(path).toBe('/v1/metrics')
    expect(headers).toMatchObject({ 'content-type': 'application/x-protobuf', 'x-token': 'abc' })
    // ExportMetricsServiceRequest.resource_metrics.resource.attributes
    expect(textAt(body, 1, 1, [1, 0], 1)).toBe('service.name')
    expect(textAt(body, 1, 1, [1, 0], 2, 1)).toBe('otelcol')
    expect(textAt(body, 1, 1, [1, 1], 1)).toBe('service.instance.id')
    expect(textAt(body, 1, 2, 1, 1)).toBe('drover.supervisor')
    const names = (readWire(messageAt(body, 1, 2)).get(2) ?? []).map((metric) => textAt(metric as Uint8Array, 1)) // as: metrics are messages
    expect(names).toEqual([
      'process.memory.usage',
      'process.cpu.time',
      'process.uptime',
      'supervisor.agent.health_status',
      'drover.supervisor.connected',
      'drover.supervisor.agent.restarts',
      'drover.supervisor.config.statuses',
    ])
    // The first metric is a sum that goes up and down; its point is an integer.
    const memory = readWire(messageAt(body, 1, 2, 2, 7))
    expect(memory.get(2)).toEqual([2n])
    expect(memory.get(3)).toBeUndefined()
    const bytes = readWire(messageAt(body, 1, 2, 2, 7, 1)).get(6)?.[0]
    expect(Number(bytes)).toBeGreaterThan(10_000_000)
    await selfExport[Symbol.asyncDispose]()
  })

  it('sends its log a second after it was written, with severity and fields [OT-11]', async () => {
    await using receiver = await startReceiver()
    const { clock, selfExport } = setUp()
    selfExport.addLog(record('before anybody wanted it'))
    selfExport.setDestinations([{ logs: { endpoint: `${receiver.url}/v1/logs`, headers: [] } }])
    selfExport.addLog(record('one'))
    selfExport.addLog(record('two'))
    await clock.advanceAsync(1_000)
    const { path, body } = await receiver.next()
    expect(path).toBe('/v1/logs')
    const records = readWire(messageAt(body, 1, 2)).get(2) ?? []
    expect(records.map((bytes) => textAt(bytes as Uint8Array, 5, 1))).toEqual(['one', 'two']) // as: records are messages
    expect(readWire(records[0] as Uint8Array).get(2)).toEqual([13n]) // as: records are messages
    expect(textAt(records[0] as Uint8Array, [6, 0], 1)).toBe('hash')
    await selfExport[Symbol.asyncDispose]()
  })

  it('sends what took it time as spans, with what went wrong', async () => {
    await using receiver = await startReceiver()
    const { clock, selfExport } = setUp()
    selfExport.setDestinations([{ traces: { endpoint: `${receiver.url}/v1/traces`, headers: [] } }])
    const startTime = clock.now()
    await clock.advanceAsync(250)
    selfExport.addSpan({ name: 'ApplyRemoteConfig', startTime, attributes: { hash: 'ab' }, error: 'it crashed' })
    await clock.advanceAsync(1_000)
    const { path, body } = await receiver.next()
    expect(path).toBe('/v1/traces')
    const span = messageAt(body, 1, 2, 2)
    expect([messageAt(span, 1).length, messageAt(span, 2).length, textAt(span, 5), textAt(span, 9, 1)]).toEqual([16, 8, 'ApplyRemoteConfig', 'hash'])
    expect(readWire(span).get(7)).toEqual([BigInt(startTime) * 1_000_000n])
    expect(readWire(span).get(8)).toEqual([BigInt(startTime + 250) * 1_000_000n])
    expect(textAt(span, 15, 2)).toBe('it crashed')
    expect(readWire(messageAt(span, 15)).get(3)).toEqual([2n])
    await selfExport[Symbol.asyncDispose]()
  })

  it('keeps log records for a receiver that is busy, says once that nothing arrives, and once that it does again', async () => {
    await using receiver = await startReceiver()
    const { clock, selfExport, lines } = setUp()
    selfExport.setDestinations([{ logs: { endpoint: `${receiver.url}/v1/logs`, headers: [] } }])
    receiver.status = 503
    selfExport.addLog(record('one'))
    await clock.advanceAsync(1_000)
    await receiver.next()
    while (lines.length === 0) await clock.advanceAsync(0)
    expect(lines).toEqual(['Own telemetry does not arrive'])
    receiver.status = 200
    selfExport.addLog(record('two'))
    await clock.advanceAsync(1_000)
    const { body } = await receiver.next()
    expect(readWire(messageAt(body, 1, 2)).get(2)).toHaveLength(2)
    while (lines.length === 1) await clock.advanceAsync(0)
    expect(lines.at(-1)).toBe('Own telemetry arrives again')
    await selfExport[Symbol.asyncDispose]()
  })

  it('goes to each destination once, and nowhere any more when there is none', async () => {
    await using receiver = await startReceiver()
    const { clock, selfExport } = setUp()
    const destination = { metrics: { endpoint: `${receiver.url}/v1/metrics`, headers: [] } }
    selfExport.setDestinations([destination, { ...destination }, undefined])
    await clock.advanceAsync(10_000)
    await receiver.next()
    selfExport.setDestinations([undefined])
    await clock.advanceAsync(30_000)
    expect(receiver.received).toHaveLength(1)
    expect(clock.pending).toBe(0)
    await selfExport[Symbol.asyncDispose]()
  })

  it('sends the last records when it ends, but does not wait for a receiver that is silent', async () => {
    await using receiver = await startReceiver()
    const { selfExport } = setUp()
    selfExport.setDestinations([{ logs: { endpoint: `${receiver.url}/v1/logs`, headers: [] } }])
    selfExport.addLog(record('goodbye'))
    await selfExport[Symbol.asyncDispose]()
    expect(textAt((await receiver.next()).body, 1, 2, 2, 5, 1)).toBe('goodbye')
  })
})
