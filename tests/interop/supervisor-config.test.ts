/** One stock supervisor and its Collector, from first connection to revoked token. Each scenario takes away what it made. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTemporaryFolder, freePort, startOtlpSink, startServer } from '../harness/index.ts'
import type { OtlpSink, Server, TemporaryFolder } from '../harness/index.ts'
import { describeWithPeers } from '../peers/index.ts'
import { assign, attemptsOf, createConfig, isUp, removeGroup, untilAgent } from './agents.ts'
import { forwardLogs, refusedByCollector, sendLogLine } from './collector-configs.ts'
import { Supervisor, drover } from './supervisor.ts'

/** What a person is promised for a refused configuration … */
const restoredWithinMs = 5000
/** … and what a loaded test machine is granted before it counts as broken. */
const restoredCapMs = 30_000

/** The test's Collector has no such exporter. */
const withKafka =
  'receivers:\n  otlp:\n    protocols:\n      http: {}\nexporters:\n  kafka: {}\nservice:\n  pipelines:\n    logs:\n      receivers: [otlp]\n      exporters: [kafka]\n'

await describeWithPeers('a stock supervisor with a stock Collector', ['supervisor', 'collector'], (peers) => {
  let server: Server
  let folder: TemporaryFolder
  let supervisor: Supervisor
  let sink: OtlpSink
  let agentId: string

  beforeAll(async () => {
    server = await startServer()
    folder = await createTemporaryFolder()
    sink = await startOtlpSink()
    const pasted = await drover(server, 'tokens', 'create', 'first-host', '--for', 'supervisor')
    supervisor = new Supervisor({ ...peers, folder: folder.path, pasted })
    await supervisor.start()
    const startedAt = performance.now()
    agentId = (await untilAgent(server, isUp, { what: 'a connected, healthy agent', timeoutMs: 90_000 })).id
    console.info(`visible, healthy and complete ${Math.round(performance.now() - startedAt)} ms after the supervisor's start`)
  })

  afterAll(async () => {
    await supervisor?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  const agentWhen = (what: string, fits: Parameters<typeof untilAgent>[1]) => untilAgent(server, fits, { what, agentId })

  it('connects with the pasted file and is known: uid, description, health tree, effective config, components', async () => {
    const agent = await agentWhen('all it reports', (one) => isUp(one) && (one.health?.children.length ?? 0) > 0 && one.components?.complete === true)
    expect(agent.instanceUid).toBe(await supervisor.instanceUid())
    const token = (await server.api.listEnrolmentTokens({})).data.items.find(({ name }) => name === 'first-host')
    expect(token).toMatchObject({ state: 'active', connectedAgents: 1 })
    expect(agent).toMatchObject({
      serviceName: 'otelcol',
      serviceVersion: '0.149.0',
      transport: 'websocket',
      osType: 'linux',
      connection: { credential: token?.id },
    })
    expect(agent.capabilities).toEqual(
      expect.arrayContaining([
        'ReportsStatus',
        'AcceptsRemoteConfig',
        'AcceptsRestartCommand',
        'ReportsHealth',
        'ReportsEffectiveConfig',
        'ReportsRemoteConfig',
      ]),
    )
    const { data: effective } = await server.api.getEffectiveConfig({ params: { agentId } })
    expect(effective.files[0]?.body).toContain('extensions')
    expect(agent.components?.items).toEqual(
      expect.arrayContaining([expect.objectContaining({ kind: 'receiver', type: 'otlp' }), expect.objectContaining({ kind: 'exporter', type: 'debug' })]),
    )
    expect((await server.api.getDesiredConfig({ params: { agentId } })).data).toMatchObject({ state: 'unmanaged', hash: null })
  })

  it('applies a good configuration, and a log line goes through the new pipeline', async () => {
    const port = await freePort()
    const files = [{ name: 'forward.yaml', body: forwardLogs(port, sink.url) }]
    const { data: check } = await server.api.validateConfig({ body: { files, target: { selector: 'service.name = otelcol' } } })
    expect(check).toMatchObject({ valid: true, targets: { agents: 1, checked: 1, missing: [] } })
    const { data: lacking } = await server.api.validateConfig({ body: { files: [{ name: 'a.yaml', body: withKafka }], target: { selector: '*' } } })
    expect(lacking.targets?.missing).toMatchObject([{ kind: 'exporter', type: 'kafka', lacking: 1 }])
    await createConfig(server, 'forward', forwardLogs(port, sink.url))
    await assign(server, 'everyone', ['forward'])
    const agent = await agentWhen('applied', (one) => one.configState === 'applied')
    expect(agent.remoteConfigStatus).toMatchObject({ status: 'applied', hash: agent.desiredConfigHash })
    await sendLogLine(port, 'through the new pipeline')
    await sink.untilReceived('logs', 'through the new pipeline')
    const { data: effective } = await server.api.getEffectiveConfig({ params: { agentId } })
    expect(effective.files[0]?.body).toContain('otlphttp/out')
    const { data: desired } = await server.api.getDesiredConfig({ params: { agentId } })
    expect(desired).toMatchObject({ state: 'applied', drift: [], fragments: [{ group: 'everyone', config: 'forward', version: 1 }] })
    expect((await attemptsOf(server, agentId)).map(({ state }) => state)).toEqual(['applied'])
    expect(supervisor.receivedConfigs).toEqual([agent.desiredConfigHash])
  })

  it('refuses a bad configuration: its text is shown, the last good one comes back by itself, and the bad one is not sent again', async () => {
    const port = await freePort()
    await createConfig(server, 'steady', forwardLogs(port, sink.url))
    await assign(server, 'everyone', ['steady'])
    await agentWhen('applied', (one) => one.configState === 'applied' && one.desiredConfigHash === one.remoteConfigStatus?.hash)
    const good = (await server.api.getAgent({ params: { agentId } })).data
    await createConfig(server, 'refused', refusedByCollector())
    const before = await server.lastEventId()
    await assign(server, 'everyone', ['refused'])
    await server.untilEvent((event) => event.kind === 'attempt.failed' && event.subject === agentId, { what: 'the failure', after: before })
    const failedAt = performance.now()
    await supervisor.untilCollectorRuns()
    const tookMs = Math.round(performance.now() - failedAt)
    console.info(`the Collector runs its last good configuration ${tookMs} ms after FAILED (promised: ${restoredWithinMs} ms)`)
    expect(tookMs).toBeLessThan(restoredCapMs)
    const agent = await agentWhen('healthy on the last good configuration', (one) => one.configState === 'restored' && one.healthy === true)
    expect(agent.configError).toMatch(/exit|unexpected|fail/i)
    expect(agent.lastGoodConfigHash).toBe(good.lastGoodConfigHash)
    expect(agent.desiredConfigHash).not.toBe(good.desiredConfigHash)
    const { data: desired } = await server.api.getDesiredConfig({ params: { agentId } })
    expect(desired.heldBack).toMatchObject({ failedHash: agent.desiredConfigHash, runningHash: good.desiredConfigHash })
    await sendLogLine(port, 'still here')
    await sink.untilReceived('logs', 'still here')
    const offersOfBad = (await attemptsOf(server, agentId)).filter(({ hash }) => hash === agent.desiredConfigHash)
    expect(offersOfBad.map(({ state }) => state)).toEqual(['rolledBack'])
    expect(offersOfBad[0]?.errorMessage).toBe(agent.configError)
    expect(supervisor.receivedConfigs.filter((hash) => hash === agent.desiredConfigHash)).toHaveLength(1)
  })

  it('gets the failed configuration again when a person asks for it', async () => {
    const before = await server.lastEventId()
    const { data } = await server.api.retryAgent({ params: { agentId } })
    await server.untilEvent((event) => event.kind === 'attempt.failed' && event.subject === agentId, { what: 'the second failure', after: before })
    await agentWhen('restored once more', (one) => one.configState === 'restored' && one.healthy === true)
    const attempts = (await attemptsOf(server, agentId)).filter(({ hash }) => hash === data.hash)
    expect(attempts.map(({ reason, state }) => [reason, state])).toEqual([
      ['desired', 'rolledBack'],
      ['retry', 'rolledBack'],
    ])
  })

  it('runs what two groups give it, merged; where they differ the higher priority wins', async () => {
    const port = await freePort()
    await createConfig(server, 'base', forwardLogs(port, sink.url))
    await createConfig(server, 'quiet', 'exporters:\n  otlphttp/out:\n    timeout: 7s\nservice:\n  telemetry:\n    logs:\n      level: warn\n')
    await createConfig(server, 'loud', 'exporters:\n  otlphttp/out:\n    timeout: 9s\n')
    await assign(server, 'everyone', ['base', 'quiet'], { priority: 0 })
    await assign(server, 'collectors', ['loud'], { priority: 10, selector: 'service.name = otelcol' })
    await agentWhen('applied', (one) => one.configState === 'applied' && one.groups.includes('collectors'))
    await sendLogLine(port, 'merged')
    await sink.untilReceived('logs', 'merged')
    const { data: effective } = await server.api.getEffectiveConfig({ params: { agentId } })
    expect(effective.files[0]?.body).toMatch(/timeout: 9s/)
    expect(effective.files[0]?.body).toMatch(/level: warn/i)
    const { data: desired } = await server.api.getDesiredConfig({ params: { agentId } })
    const winner = desired.overrides.find(({ path }) => path.endsWith('timeout'))?.winner
    expect(desired.fragments[winner ?? -1]).toMatchObject({ group: 'collectors', config: 'loud' })
    await removeGroup(server, 'collectors')
    await agentWhen(
      'applied without the second group',
      (one) => one.configState === 'applied' && !one.groups.includes('collectors') && one.desiredConfigHash === one.remoteConfigStatus?.hash,
    )
    expect((await server.api.getEffectiveConfig({ params: { agentId } })).data.files[0]?.body).toMatch(/timeout: 7s/)
  })

  it('restarts its Collector when told to', async () => {
    const { health, connection } = (await server.api.getAgent({ params: { agentId } })).data
    expect((await server.api.restartAgent({ params: { agentId } })).data.delivery).toBe('sent')
    const agent = await agentWhen('healthy with a later start', (one) => isUp(one) && (one.health?.startedAt ?? '') > (health?.startedAt ?? ''))
    expect(agent.connected).toBe(true)
    expect(agent.connection?.connectedAt).toBe(connection?.connectedAt)
  })

  it('keeps its uid and its place over a restart of the supervisor, and gets nothing twice', async () => {
    const before = (await server.api.getAgent({ params: { agentId } })).data
    const offers = (await attemptsOf(server, agentId)).length
    await supervisor.stop()
    await agentWhen('gone', (one) => !one.connected)
    await supervisor.start()
    const agent = await untilAgent(server, (one) => isUp(one) && one.configState === 'applied', { what: 'back and applied', agentId, timeoutMs: 90_000 })
    expect(agent.instanceUid).toBe(before.instanceUid)
    expect(agent.connection?.connectedAt).not.toBe(before.connection?.connectedAt)
    expect((await attemptsOf(server, agentId)).length).toBe(offers)
    expect(supervisor.receivedConfigs).toEqual([])
    expect((await server.api.listAgents({})).data.total).toBe(1)
  })

  it('is disconnected and refused when its token is revoked', async () => {
    const token = (await server.api.listEnrolmentTokens({})).data.items.find(({ name }) => name === 'first-host')
    const position = supervisor.child.position
    await server.api.revokeEnrolmentToken({ params: { id: token?.id ?? '' } })
    await agentWhen('disconnected', (one) => !one.connected)
    await supervisor.child.untilOutput(/401|bad handshake/i, { since: position })
    expect((await server.api.getAgent({ params: { agentId } })).data.connected).toBe(false)
  })
})
