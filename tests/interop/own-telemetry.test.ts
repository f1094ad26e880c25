/** Where own telemetry goes, told to both supervisors: taken at once with one start of the Collector, once, and kept. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTemporaryFolder, freePort, startOtlpSink, startServer } from '../harness/index.ts'
import type { OtlpSink, Server, TemporaryFolder } from '../harness/index.ts'
import { describeWithPeers } from '../peers/index.ts'
import { createConfig, isUp, untilAgent } from './agents.ts'
import { forwardSpans, startLoad } from './rollout-pipelines.ts'
import { findCollectors } from './supervisor/subject.ts'
import { Supervisor, drover } from './supervisor.ts'

/** Own traces as well, which the printed file leaves off. */
const everySignal = (pasted: string) => pasted.replace('  reports_own_logs: true\n', '  reports_own_logs: true\n  reports_own_traces: true\n')
const startedOnce = 'Everything is ready'

await describeWithPeers('own telemetry', ['supervisor', 'collector'], (peers) => {
  let server: Server
  let folder: TemporaryFolder
  let sink: OtlpSink
  beforeAll(async () => {
    folder = await createTemporaryFolder()
    sink = await startOtlpSink()
    server = await startServer({
      dataDir: join(folder.path, 'data'),
      agentsListen: `127.0.0.1:${await freePort()}`,
      consoleListen: `127.0.0.1:${await freePort()}`,
    })
    await createConfig(server, 'pipeline', forwardSpans(sink.url, 'spans'))
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  const spans = async () => (await server.api.getTelemetryStatus({})).data.spans
  const offers = () => server.metric('drover_settings_offers_total')
  const lastAt = async (agentId: string) => Date.parse((await server.api.getAgentMetrics({ params: { agentId }, query: { range: '1h' } })).data.lastAt ?? '')
  const readLog = async (agentId: string) =>
    (await server.api.getAgentLogs({ params: { agentId }, query: { limit: 1000 } })).data.items.map(({ severity, body }) => `${severity} ${body}`)

  it.each(['stock', 'drover'])('is sent by the Collector of the %s supervisor where Drover says', async (kind) => {
    const pasted = everySignal(await drover(server, 'tokens', 'create', kind, '--for', 'supervisor'))
    const [otlpPort, metricsPort] = [await freePort(), await freePort()]
    await using supervisor = new Supervisor({
      supervisor: kind === 'stock' ? peers.supervisor : 'drover',
      collector: peers.collector,
      folder: join(folder.path, kind),
      pasted,
      metricsPort,
      env: { OTLP_PORT: String(otlpPort) },
    })
    await supervisor.start()
    const { id: agentId } = await server.until(
      async (api) => (await api.listAgents({})).data.items.find(({ connected, healthy }) => connected && healthy === true),
      {
        what: 'connected and healthy',
      },
    )
    const { capabilities } = await untilAgent(server, isUp, { what: 'everything reported', agentId })
    expect(capabilities).toEqual(expect.arrayContaining(['ReportsOwnMetrics', 'ReportsOwnLogs', 'ReportsOwnTraces']))
    const [before, spansBefore] = [await offers(), await spans()]
    const group = { selector: '*', configs: [{ config: 'pipeline', version: 1 }], rollout: { preset: 'everyone' as const } }
    await server.api.createGroup({ body: { name: kind, ...group } })
    await untilAgent(server, (one) => one.configState === 'applied', { what: 'applied', agentId })
    const [collector] = findCollectors(supervisor.storage)
    using _load = startLoad([otlpPort])
    await server.until(async () => ((await lastAt(agentId)) > 0 && (await spans()) > spansBefore ? true : undefined), { what: 'metrics and spans' })
    const log = await server.until(async () => ((await readLog(agentId)).some((line) => line.includes(startedOnce)) ? readLog(agentId) : undefined), {
      what: 'a log',
    })
    console.info(`${kind}: ${log.length} lines of own log for a start:\n${log.join('\n')}`)
    expect(log.length).toBeLessThan(40)
    expect(log.filter((line) => line.includes(startedOnce))).toHaveLength(1)
    expect(await offers()).toBe(before + 1)

    // The server goes and comes back; nothing is said twice, and nothing restarts.
    const { dataDir, agentsListen, consoleListen } = server
    await server.stop()
    server = await startServer({ dataDir, agentsListen, consoleListen })
    const since = Date.now()
    await untilAgent(server, (one) => isUp(one) && one.configState === 'applied', { what: 'back', agentId, timeoutMs: 90_000 })
    await server.until(async () => ((await lastAt(agentId)) > since ? true : undefined), { what: 'metrics after the restart of the server' })
    expect(await offers()).toBe(0)
    expect(findCollectors(supervisor.storage)).toEqual([collector])

    // The supervisor remembers, too.
    await supervisor.stop()
    await untilAgent(server, (one) => !one.connected, { what: 'gone', agentId })
    const again = Date.now()
    await supervisor.start()
    await server.until(async () => ((await lastAt(agentId)) > again ? true : undefined), {
      what: 'metrics after the restart of the supervisor',
      timeoutMs: 90_000,
    })
    expect(await offers()).toBe(0)
    expect(await readFile(join(supervisor.storage, 'effective.yaml'), 'utf8')).toContain('/v1/metrics')

    const { etag } = await server.api.getGroup({ params: { name: kind } })
    await server.api.deleteGroup({ params: { name: kind }, query: { allAtOnce: 'true' }, ...(etag === null ? {} : { ifMatch: etag }) })
    await supervisor.stop()
    await untilAgent(server, (one) => !one.connected, { what: 'gone', agentId })
  })
})
