/** The whole part: a socket in, the API out, over restarts. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AnyRoute } from '@drover/api'
import { Registry } from '@prometheus-io/client'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BindRoute, Call } from '../http/bind-route.ts'
import { NotFoundError } from '../http/errors.ts'
import { openTelemetry } from './index.ts'
import type { OwnMetricsOffer, Post, Telemetry } from './index.ts'
import { makeFolder, removeFolder } from './store/test-files.ts'
import { collectorPoints, logsRequest, metricsRequest, tracesRequest } from './test-otlp.ts'

const T = Date.parse('2026-01-01T00:00:00Z')
let time = T
let dir = ''
let server: Server
let telemetry: Telemetry
let metrics: Registry
let offer: OwnMetricsOffer
const copied: string[] = []
const routes = new Map<string, { readonly route: AnyRoute; readonly handle: (call: unknown) => unknown }>()

async function open(): Promise<void> {
  metrics = new Registry()
  const post: Post = async ({ url }) => {
    copied.push(url)
    return { status: 200 }
  }
  telemetry = await openTelemetry({
    dir,
    budgetBytes: 2 ** 26,
    clock: { now: () => time },
    log: pino({ level: 'silent' }),
    metrics,
    agentOf: (token) => /^token-(agt_[ab])$/.exec(token)?.[1],
    offerOf: (agentId) => (['agt_a', 'agt_b'].includes(agentId) ? offer : undefined),
    forward: { url: 'http://backend', headers: {}, post },
  })
  const bind = ((route: AnyRoute, handle: (call: unknown) => unknown) => void routes.set(route.id, { route, handle })) as BindRoute
  telemetry.bindRoutes(bind)
}

beforeEach(async () => {
  time = T
  offer = { canReport: true, destination: 'drover', outcome: 'applied' }
  dir = makeFolder()
  copied.length = 0
  await open()
  server = createServer((request, response) => void telemetry.intake.handle(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await telemetry[Symbol.asyncDispose]()
  removeFolder(dir)
})

/** As the API would answer; the schema is checked. */
async function ask(id: string, params: Record<string, string> = {}, query: Record<string, unknown> = {}): Promise<never> {
  const bound = routes.get(id)
  if (bound === undefined) throw new Error(`no route ${id}`)
  const parsed = (bound.route.query as { parse(value: unknown): unknown } | undefined)?.parse(query)
  const { data } = (await bound.handle({ params, query: parsed } as Partial<Call<AnyRoute>>)) as { data: unknown }
  return (bound.route.response as { parse(value: unknown): unknown }).parse(data) as never // as: each test looks at what it asked for
}

async function send(agentId: string, signal: string, body: Uint8Array): Promise<number> {
  const { port } = server.address() as AddressInfo
  const headers = { authorization: `Bearer token-${agentId}`, 'content-type': 'application/x-protobuf' }
  return (await fetch(`http://127.0.0.1:${port}/v1/${signal}`, { method: 'POST', headers, body: body as unknown as string })).status
}

interface Metrics {
  readonly lastAt: string | null
  readonly absent: string | null
  readonly series: readonly { readonly metric: string; readonly component: string | null; readonly points: readonly (readonly [number, number | null])[] }[]
}
const last = ({ series }: Metrics, metric: string, component: string | null = null) =>
  series.find((one) => one.metric === metric && one.component === component)?.points.findLast(([, value]) => value !== null)?.[1]

describe('own telemetry', () => {
  it('goes from the socket of an agent to its page, and to nobody else’s', async () => {
    for (let at = 0; at <= 60; at += 10) {
      time = T + at * 1000
      expect(
        await send(
          'agt_a',
          'metrics',
          metricsRequest(collectorPoints({ startMs: T - 3_600_000, timeMs: time, failedPerSecond: 20 }), { 'service.instance.id': 'agt_b' }),
        ),
      ).toBe(200)
    }
    const read: Metrics = await ask('getAgentMetrics', { agentId: 'agt_a' })
    expect([last(read, 'accepted'), last(read, 'sent'), last(read, 'sendFailed'), last(read, 'refused'), last(read, 'cpu'), last(read, 'memory')]).toEqual([
      100, 80, 20, 0, 0.25, 134_200_000,
    ])
    expect([last(read, 'queueUse'), last(read, 'sendFailed', 'exporter otlp traces'), last(read, 'accepted', 'receiver otlp traces')]).toEqual([
      0.01563, 20, 100,
    ])
    expect([read.absent, read.lastAt]).toEqual([null, '2026-01-01T00:01:00.000Z'])
    const other: Metrics = await ask('getAgentMetrics', { agentId: 'agt_b' })
    expect([other.series, other.lastAt, other.absent]).toEqual([[], null, expect.stringContaining('nothing came so far')])
    expect((await telemetry.evidence.means('sendFailed', ['agt_a', 'agt_b'], T, time)).entries().toArray()).toEqual([['agt_a', 20]])
    expect(await ask('getTelemetryStatus')).toMatchObject({ agents: 1, refused: {}, budgetBytes: 2 ** 26 })
  })

  it('is there after a restart, and goes on with a gap of one interval', async () => {
    const tell = () => send('agt_a', 'metrics', metricsRequest(collectorPoints({ startMs: T - 3_600_000, timeMs: time })))
    for (const at of [0, 10, 20]) {
      time = T + at * 1000
      await tell()
    }
    await telemetry[Symbol.asyncDispose]()
    await open()
    for (const at of [30, 40]) {
      time = T + at * 1000
      await tell()
    }
    const read: Metrics = await ask('getAgentMetrics', { agentId: 'agt_a' })
    const points = read.series.find(({ metric, component }) => metric === 'accepted' && component === null)?.points.filter(([at]) => at >= T && at <= time)
    expect(points?.map(([, value]) => value)).toEqual([null, 100, 100, null, 100])
    expect(read.series.find(({ metric }) => metric === 'memory')?.points.filter(([, value]) => value !== null)).toHaveLength(5)
  })

  it('shows log lines and counts spans', async () => {
    expect(await send('agt_a', 'logs', logsRequest([{ body: 'password=hunter2', severity: 17, attributes: { component: 'otlp' } }]))).toBe(200)
    expect(await send('agt_a', 'traces', tracesRequest(12))).toBe(200)
    expect(await ask('getAgentLogs', { agentId: 'agt_a' })).toEqual({
      items: [{ at: '2026-01-01T00:00:00.000Z', severity: 'error', body: 'password=[REDACTED]', attributes: { component: 'otlp' } }],
      dropped: 0,
    })
    expect(await ask('getTelemetryStatus')).toMatchObject({ spans: 12 })
    expect(await metrics.metrics()).toContain('drover_telemetry_spans_total 12')
  })

  it('is copied to the other backend once it was taken', async () => {
    await send('agt_a', 'traces', tracesRequest(1))
    await send('agt_a', 'traces', Buffer.from([0xff]))
    await send('agt_c', 'traces', tracesRequest(1))
    expect(copied).toEqual(['http://backend/v1/traces'])
    const text = await metrics.metrics()
    expect(text).toContain('drover_telemetry_forwarded_total{outcome="sent"} 1')
    expect(text).toContain('drover_telemetry_refused_total{cause="unauthorized"} 1')
    expect(text).toContain('drover_telemetry_refused_total{cause="malformed"} 1')
    expect(await ask('getTelemetryStatus')).toMatchObject({ refused: { unauthorized: 1, malformed: 1 } })
  })

  it('of an agent that nobody knows does not exist', async () => {
    await expect(ask('getAgentMetrics', { agentId: 'agt_x' })).rejects.toThrow(NotFoundError)
    await expect(ask('getAgentLogs', { agentId: 'agt_x' })).rejects.toThrow(NotFoundError)
  })

  it.each([
    [{ canReport: false, destination: null, outcome: null }, 'ReportsOwnMetrics'],
    [{ canReport: true, destination: null, outcome: null }, 'was not told to send'],
    [{ canReport: true, destination: 'other', outcome: 'applied' }, 'another backend'],
    [{ canReport: true, destination: 'drover', outcome: null }, 'not offered'],
    [{ canReport: true, destination: 'drover', outcome: 'failed' }, 'could not take it'],
    [{ canReport: true, destination: 'drover', outcome: 'offered' }, 'nothing came'],
  ] as const)('that is absent says why: %o', async (state, words) => {
    offer = state
    const read: Metrics = await ask('getAgentMetrics', { agentId: 'agt_a' })
    expect(read.absent).toContain(words)
  })
})
