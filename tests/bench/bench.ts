/** Numbers, by hand: `node tests/bench/bench.ts [--agents 5000] [--connections 4000] [--external 3000]`. Prints a table. */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { Child } from '../harness/child.ts'
import { startServer } from '../harness/server.ts'
import type { Server } from '../harness/server.ts'
import { measureHeartbeats } from './heartbeat-load.ts'
import { readProcessUse } from './process-use.ts'

const restSeconds = 30
const listRequests = 1000
const loadSeconds = 10

interface Row {
  readonly what: string
  readonly value: string
}

const round = (value: number, digits = 0) => value.toLocaleString('en', { maximumFractionDigits: digits })

/** A fleet that does nothing: what does it cost to keep it? */
async function measureFleet(agents: number): Promise<readonly Row[]> {
  const startedAt = performance.now()
  await using server = await startServer({ args: ['--demo', String(agents)] })
  const readyMs = performance.now() - startedAt
  await server.until(async (api) => ((await api.countAgents({})).data.connected >= agents ? true : undefined), {
    what: `${agents} connected agents`,
    timeoutMs: 300_000,
  })
  const connectedMs = performance.now() - startedAt
  await delay(15_000) // first reports, components and configurations settle
  const before = await sample(server)
  await delay(restSeconds * 1000)
  const after = await sample(server)
  const heartbeats = after.heartbeats - before.heartbeats
  const times = await listTimes(server)
  return [
    { what: `ready (--demo ${agents})`, value: `${round(readyMs)} ms` },
    { what: `all ${agents} agents connected`, value: `${round(connectedMs / 1000, 1)} s` },
    { what: 'resident memory', value: `${round(after.residentBytes / 2 ** 20)} MiB` },
    { what: 'CPU at rest, agents included', value: `${round(((after.cpuSeconds - before.cpuSeconds) / restSeconds) * 100, 1)} % of one core` },
    { what: `heartbeats in ${restSeconds} s`, value: round(heartbeats) },
    { what: 'reports with content meanwhile', value: round(after.reports - before.reports) },
    {
      what: 'store operations meanwhile',
      value: `${round(after.storeOperations - before.storeOperations)} (${round((after.storeOperations - before.storeOperations) / heartbeats, 4)} per heartbeat)`,
    },
    {
      what: `agent list, ${listRequests} requests`,
      value: `P50 ${round(percentile(times, 0.5), 1)} ms, P99 ${round(percentile(times, 0.99), 1)} ms, slowest ${round(times.at(-1) ?? 0, 1)} ms`,
    },
  ]
}

async function sample(server: Server) {
  const [heartbeats, reports, storeOperations, use] = await Promise.all([
    server.metric('drover_reports_total', { kind: 'heartbeat' }),
    server.metric('drover_reports_total', { kind: 'report' }),
    server.metric('drover_store_operations_total'),
    readProcessUse(server.child.pid),
  ])
  return { heartbeats, reports, storeOperations, ...use }
}

/** First pages, later pages, searches, filters and states, as the console asks for them. Ascending milliseconds. */
async function listTimes(server: Server): Promise<readonly number[]> {
  const first = (await server.api.listAgents({ query: { limit: 100 } })).data
  const queries = [
    { limit: 100 },
    { limit: 100, ...(first.nextCursor === null ? {} : { cursor: first.nextCursor }) },
    { limit: 100, sort: '-lastSeenAt' as const },
    { limit: 100, search: 'web' },
    { limit: 100, state: 'healthy' as const },
    { limit: 100, filter: 'os.type = linux and service.name =~ "otelcol.*"' },
  ]
  const times: number[] = []
  for (let index = 0; index < listRequests; index++) {
    const startedAt = performance.now()
    await server.api.listAgents({ query: queries[index % queries.length] ?? {} })
    times.push(performance.now() - startedAt)
  }
  return times.toSorted((a, b) => a - b)
}

function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? 0
}

async function measureLoad(connections: number): Promise<readonly Row[]> {
  await using server = await startServer()
  const { data: token } = await server.api.createEnrolmentToken({ body: { name: 'bench' } })
  const before = await readProcessUse(server.child.pid)
  const result = await measureHeartbeats({ address: server.agentsListen, token: token.token, connections, inFlight: 256, seconds: loadSeconds })
  const after = await readProcessUse(server.child.pid)
  return [
    { what: `connect and first report, ${connections} agents`, value: `${round(result.connectsPerSecond)}/s` },
    { what: 'heartbeats answered', value: `${round(result.heartbeatsPerSecond)}/s` },
    { what: 'resident memory per connection after load', value: `${round((after.residentBytes - before.residentBytes) / connections / 1024, 1)} KiB` },
  ]
}

const externalFleet = fileURLToPath(new URL('external-fleet.ts', import.meta.url))
/** Of each agent's effective configuration, in bytes. */
const configBytes = 1500
const pushedConfig =
  'receivers:\n  otlp:\n    protocols:\n      grpc: {}\nexporters:\n  debug: {}\nservice:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      exporters: [debug]\n'

/** All agents at once, from a process of their own: new ones, the same ones again, and a push of 10 KB to all of them. */
async function measureExternal(agents: number): Promise<readonly Row[]> {
  await using server = await startServer()
  const { data: token } = await server.api.createEnrolmentToken({ body: { name: 'bench' } })
  const empty = await readProcessUse(server.child.pid)
  const start = () =>
    new Child({ title: 'fleet', command: process.execPath, args: [externalFleet, server.agentsUrl, token.token, String(agents), String(configBytes)] })
  const counts = async () => (await server.api.countAgents({})).data
  const rows: Row[] = []
  const time = async (what: string, isDone: () => Promise<boolean>) => {
    const before = await readProcessUse(server.child.pid)
    const startedAt = performance.now()
    await worstDelayMs(server)
    await server.until(async () => ((await isDone()) ? true : undefined), { what, timeoutMs: 300_000 })
    const seconds = (performance.now() - startedAt) / 1000
    const after = await readProcessUse(server.child.pid)
    const used = `${round(seconds, 1)} s, ${round(after.cpuSeconds - before.cpuSeconds, 1)} s CPU, event loop late by ${round(await worstDelayMs(server))} ms at most`
    rows.push({ what: `${what}, ${agents} agents`, value: used })
  }
  {
    await using _fleet = start()
    await time('first connect with full state', async () => (await counts()).healthy >= agents)
    await delay(15_000)
    const { residentBytes } = await readProcessUse(server.child.pid)
    rows.push({ what: 'resident memory per external agent', value: `${round((residentBytes - empty.residentBytes) / agents / 1024, 1)} KiB` })
  }
  await server.until(async () => ((await counts()).connected === 0 ? true : undefined), { what: 'an empty server' })
  await using _fleet = start()
  await time('reconnect with full state', async () => (await counts()).connected >= agents)
  await delay(10_000)
  await server.api.createConfig({
    body: { name: 'base', files: [{ name: 'base.yaml', contentType: 'text/yaml', body: `${pushedConfig}# ${'x'.repeat(10_000)}\n` }] },
  })
  await server.api.createGroup({
    body: { name: 'all', selector: '*', priority: 10, configs: [{ config: 'base', version: 1 }], ownTelemetry: null, rollout: { preset: 'everyone' } },
  })
  await time('push of 10 KB until applied', async () => (await counts()).applied >= agents)
  return rows
}

async function worstDelayMs(server: Server): Promise<number> {
  return (await server.metric('drover_event_loop_delay_seconds', { quantile: '1' })) * 1000
}

const { values } = parseArgs({
  options: { agents: { type: 'string', default: '5000' }, connections: { type: 'string', default: '4000' }, external: { type: 'string', default: '3000' } },
})
const rows = [
  ...(await measureFleet(Number(values.agents))),
  ...(await measureLoad(Number(values.connections))),
  ...(await measureExternal(Number(values.external))),
]
const width = Math.max(...rows.map(({ what }) => what.length))
for (const { what, value } of rows) process.stdout.write(`${what.padEnd(width)}  ${value}\n`)
