/**
 * What own telemetry costs, by hand: `node apps/control-plane/src/telemetry/cost.bench.ts [--agents 10000] [--seconds 60]`. Prints a table.
 * Each agent tells what a Collector with one receiver and two exporters for three signals does.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { Registry } from '@prometheus-io/client'
import { pino } from 'pino'
import { FleetSums } from './fleet-sums.ts'
import { openTelemetry } from './index.ts'
import { AgentMeter } from './meter/agent-meter.ts'
import { telemetryLimits } from './limits.ts'
import { readMetrics } from './otlp/read-request.ts'
import { createEvidence } from './queries.ts'
import { makeFolder, openTestStore, removeFolder } from './store/test-files.ts'
import { metricsRequest } from './test-otlp.ts'
import type { TestPoint } from './test-otlp.ts'

const SECOND = 1_000
const HOUR = 3_600 * SECOND
const DAY = 24 * HOUR
const T = Date.parse('2026-01-01T00:00:00Z')
const signals = ['spans', 'metric_points', 'log_records'] as const

/** Load that goes up and down over the day with noise, a queue that moves, memory that creeps. */
function pointsOf(agent: number, timeMs: number, state: { accepted: number; cpu: number }): TestPoint[] {
  const load = (agent % 7) * 100 + 300 + 200 * Math.sin((timeMs / DAY) * 2 * Math.PI) + 80 * Math.random()
  state.accepted += load * 10
  state.cpu += load / 400
  const counter = (name: string, value: number, attributes: Record<string, string>): TestPoint => ({
    name,
    value: Math.round(value),
    isInteger: true,
    attributes,
    startMs: T - HOUR,
    timeMs,
  })
  const gauge = (name: string, value: number, attributes: Record<string, string> = {}): TestPoint => ({
    name,
    value: Math.round(value),
    isInteger: true,
    kind: 'gauge',
    attributes,
    timeMs,
  })
  return [
    ...signals.flatMap((signal, at) => [
      counter(`otelcol_receiver_accepted_${signal}`, state.accepted / (at + 1), { receiver: 'otlp', transport: 'grpc' }),
      counter(`otelcol_receiver_refused_${signal}`, 0, { receiver: 'otlp', transport: 'grpc' }),
      ...['otlp/backend', 'otlp/archive'].flatMap((exporter) => [
        counter(`otelcol_exporter_sent_${signal}`, state.accepted / (at + 1), { exporter }),
        counter(`otelcol_exporter_send_failed_${signal}`, 0, { exporter }),
      ]),
      ...['otlp/backend', 'otlp/archive'].flatMap((exporter) => {
        const attributes = { exporter, data_type: ['traces', 'metrics', 'logs'][at] ?? '' }
        return [
          gauge('otelcol_exporter_queue_size', Math.random() < 0.2 ? Math.random() * 50 : 0, attributes),
          gauge('otelcol_exporter_queue_capacity', 1000, attributes),
        ]
      }),
    ]),
    { name: 'otelcol_process_cpu_seconds', value: state.cpu, startMs: T - HOUR, timeMs },
    gauge('otelcol_process_memory_rss', 2e8 + 1e6 * Math.random() + (timeMs - T) / 100),
    { name: 'otelcol_process_uptime', value: (timeMs - T + HOUR) / 1000, startMs: T - HOUR, timeMs },
  ]
}

const tell = (what: string, value: string) => void process.stdout.write(`| ${what} | ${value} |\n`)
const number = (value: number, digits = 1) => value.toLocaleString('en', { maximumFractionDigits: digits })
const cpuSeconds = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Files of a day and two hours; what is in each step of one agent and day. */
async function measureDisk(agents: number): Promise<void> {
  const test = await openTestStore(T)
  const fleet = Array.from({ length: agents }, (_, at) => ({ id: `agt_${at}`, at, meter: new AgentMeter(telemetryLimits), state: { accepted: 0, cpu: 0 } }))
  const bytes = { points10s: 0, journal: 0 }
  let takeSeconds = 0
  let takes = 0
  const seen = new Set<string>()
  for (let now = T; now < T + DAY + 2 * HOUR; now += 10 * SECOND) {
    for (const agent of fleet) {
      const body = metricsRequest(pointsOf(agent.at, now, agent.state))
      const before = cpuSeconds()
      const { row } = agent.meter.take(readMetrics(body, 'protobuf'), now)
      if (row !== undefined) test.store.write({ agentId: agent.id, atMs: now, ...row })
      takeSeconds += cpuSeconds() - before
      takes++
    }
    await test.store.tick(now)
    if (now % (300 * SECOND) !== 0) continue
    for (const name of readdirSync(test.dir)) {
      const size = statSync(join(test.dir, name)).size
      if (name.startsWith('10s-') && !seen.has(name)) bytes.points10s += size
      if (name.startsWith('journal-')) bytes.journal = Math.max(bytes.journal, size)
      seen.add(name)
    }
  }
  const of = (tier: string) =>
    readdirSync(test.dir)
      .filter((name) => name.startsWith(tier))
      .map((name) => statSync(join(test.dir, name)).size)
  const kib = (value: number) => `${number(value / agents / 1024)} KiB`
  const [hour10s, day1m, day15m] = [
    bytes.points10s / 26,
    of('1m-')
      .slice(0, 24)
      .reduce((a, b) => a + b, 0),
    of('15m-')[0] ?? 0,
  ]
  tell('series of an agent', String(test.store.openWindows()[0]?.columns('agt_0')?.list.keys.length ?? 0))
  tell('10 s points, an agent and hour', kib(hour10s))
  tell('1 min points, an agent and day', kib(day1m))
  tell('15 min points, an agent and day', kib(day15m))
  tell('all that is planned, an agent', kib(2 * hour10s + 8 * day1m + 90 * day15m))
  tell('journal, an agent at most', kib(bytes.journal * 2))
  tell('reading and keeping one request', `${number((takeSeconds / takes) * 1e6, 0)} µs CPU`)
  await test[Symbol.asyncDispose]()
}

/** The whole part behind a socket; the agents are another process. */
async function measureIntake(agents: number, seconds: number): Promise<void> {
  const dir = makeFolder()
  const telemetry = await openTelemetry({
    dir,
    budgetBytes: 2 ** 30,
    clock: { now: () => Date.now() },
    log: pino({ level: 'warn' }),
    metrics: new Registry(),
    agentOf: (token) => token,
    offerOf: () => undefined,
  })
  const server = createServer((incoming, response) => void telemetry.intake.handle(incoming, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const emptyBytes = process.memoryUsage.rss()
  const client = fork(fileURLToPath(import.meta.url), [
    '--client',
    String((server.address() as AddressInfo).port),
    '--agents',
    String(agents),
    '--seconds',
    String(seconds),
  ])
  await once(client, 'message')
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  const before = cpuSeconds()
  const startedAt = performance.now()
  const [sent] = (await once(client, 'message')) as [number]
  const [used, elapsed] = [cpuSeconds() - before, (performance.now() - startedAt) / 1000]
  tell(`requests a second from ${number(agents, 0)} agents`, number(sent / elapsed, 0))
  tell('CPU for 1,000 agents at 10 s', `${number((used / sent) * 100 * 100)} % of one core`)
  tell('memory for 1,000 agents', `${number((process.memoryUsage.rss() - emptyBytes) / agents / 1024)} MiB`.replace('MiB', 'KiB each'))
  tell('event loop late, 99 % and at most', `${number(delay.percentile(99) / 1e6 - 10)} ms, ${number(delay.max / 1e6 - 10)} ms`)
  client.kill()
  server.closeAllConnections()
  server.close()
  await telemetry[Symbol.asyncDispose]()
  removeFolder(dir)
}

/** Each agent once in ten seconds, evenly spread, as OTLP exporters of the Collector send: gzip, connections kept. */
async function runClient(port: number, agents: number, seconds: number): Promise<void> {
  const connections = new Agent({ keepAlive: true, maxSockets: 200 })
  const fleet = Array.from({ length: agents }, (_, at) => ({ at, state: { accepted: 0, cpu: 0 } }))
  let [sent, open] = [0, 0]
  const post = (agent: (typeof fleet)[number]) => {
    const body = gzipSync(metricsRequest(pointsOf(agent.at, Date.now(), agent.state)), { level: 1 })
    const headers = {
      authorization: `Bearer agt_${agent.at}`,
      'content-type': 'application/x-protobuf',
      'content-encoding': 'gzip',
      'content-length': body.length,
    }
    open++
    request({ port, path: '/v1/metrics', method: 'POST', agent: connections, headers }, (response) => {
      if (response.statusCode === 200) sent++
      response.resume()
      response.once('close', () => open--)
    }).end(body)
  }
  const round = async (length: number, first: number) => {
    const startedAt = performance.now()
    for (let at = 0; at < length; at++) {
      const dueMs = (at * 10 * SECOND) / agents - (performance.now() - startedAt)
      if (dueMs > 5 || open > 150) await new Promise((resolve) => setTimeout(resolve, Math.max(1, dueMs)))
      const agent = fleet[(first + at) % agents]
      if (agent !== undefined) post(agent)
    }
  }
  await round(agents, 0)
  sent = 0
  process.send?.('warm')
  await round(Math.round((agents * seconds) / 10), 0)
  process.send?.(sent)
}

/** Evidence and upkeep with everybody in the store. */
async function measureStore(agents: number): Promise<void> {
  let now = T
  const test = await openTestStore(T)
  const fleet = Array.from({ length: agents }, (_, at) => ({ id: `agt_${at}`, meter: new AgentMeter(telemetryLimits), state: { accepted: 0, cpu: 0 } }))
  const sums = new FleetSums(test.store)
  const lists = fleet.map(({ meter, state }, at) => {
    meter.take(readMetrics(metricsRequest(pointsOf(at, T - 10 * SECOND, state)), 'protobuf'), T - 10 * SECOND)
    return meter.take(readMetrics(metricsRequest(pointsOf(at, T, state)), 'protobuf'), T).row
  })
  const delay = monitorEventLoopDelay({ resolution: 10 })
  let [ticking, slowest, sumMs] = [0, 0, 0]
  for (; now < T + 64 * 60 * SECOND; now += 10 * SECOND) {
    lists.forEach((row, at) => {
      if (row !== undefined)
        test.store.write({
          agentId: `agt_${at}`,
          atMs: now,
          list: row.list,
          values: row.values.map((value) => value * (0.9 + 0.2 * Math.random())),
          coveredMs: 0,
        })
    })
    const before = cpuSeconds()
    const sumAt = performance.now()
    sums.tick(now)
    sumMs = Math.max(sumMs, performance.now() - sumAt)
    delay.enable()
    await test.store.tick(now)
    delay.disable()
    slowest = Math.max(slowest, cpuSeconds() - before)
    ticking += cpuSeconds() - before
  }
  tell(
    `upkeep of an hour, ${number(agents, 0)} agents`,
    `${number(ticking)} s CPU, ${number(slowest)} s for the file of the hour, event loop late by ${number(delay.max / 1e6 - 10, 0)} ms at most`,
  )
  tell('adding up a minute of all agents', `${number(sumMs, 0)} ms at most`)
  const evidence = createEvidence(test.store, () => now)
  const control = fleet.slice(0, 1000).map(({ id }) => id)
  for (const minutes of [10, 30, 60]) {
    const startedAt = performance.now()
    const means = await evidence.means('throughput', control, now - minutes * 60 * SECOND, now)
    tell(`means of ${means.size} agents over ${minutes} min`, `${number(performance.now() - startedAt, 0)} ms`)
  }
  await test[Symbol.asyncDispose]()
}

const { values } = parseArgs({
  options: { agents: { type: 'string', default: '10000' }, seconds: { type: 'string', default: '60' }, client: { type: 'string' } },
})
const agents = Number(values.agents)
if (values.client !== undefined) await runClient(Number(values.client), agents, Number(values.seconds))
else {
  await measureDisk(Math.min(agents, 3))
  await measureIntake(agents, Number(values.seconds))
  await measureStore(Math.min(agents, 2_000))
}
