/** The server goes away, politely or not: agents keep working, come back, and are sent nothing that they have. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTemporaryFolder, freePort, startOtlpSink, startServer } from '../harness/index.ts'
import type { OtlpSink, Server, TemporaryFolder } from '../harness/index.ts'
import { describeWithPeers } from '../peers/index.ts'
import { assign, attemptsOf, createConfig, isUp, untilAgent } from './agents.ts'
import { forwardLogs, sendLogLine } from './collector-configs.ts'
import { Supervisor, drover } from './supervisor.ts'

await describeWithPeers('a server that is restarted', ['supervisor', 'collector'], (peers) => {
  let server: Server
  let folder: TemporaryFolder
  let supervisor: Supervisor
  let sink: OtlpSink
  let port: number
  let agentId: string

  beforeAll(async () => {
    folder = await createTemporaryFolder()
    sink = await startOtlpSink()
    port = await freePort()
    server = await startServer({
      dataDir: `${folder.path}/data`,
      agentsListen: `127.0.0.1:${await freePort()}`,
      consoleListen: `127.0.0.1:${await freePort()}`,
    })
    const pasted = await drover(server, 'tokens', 'create', 'restart', '--for', 'supervisor')
    supervisor = new Supervisor({ ...peers, folder: folder.path, pasted })
    await supervisor.start()
    await createConfig(server, 'forward', forwardLogs(port, sink.url))
    await assign(server, 'everyone', ['forward'])
    agentId = (await untilAgent(server, (one) => isUp(one) && one.configState === 'applied', { what: 'applied', timeoutMs: 90_000 })).id
  })

  afterAll(async () => {
    await supervisor?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  it.each([
    { how: 'restarted', end: (one: Server) => one.stop() },
    { how: 'killed', end: (one: Server) => one.kill() },
  ])('$how: telemetry flows on, the agent comes back by itself, nothing is sent twice', async ({ how, end }) => {
    const before = (await server.api.getAgent({ params: { agentId } })).data
    const attempts = await attemptsOf(server, agentId)
    const received = supervisor.receivedConfigs
    await end(server)
    await sendLogLine(port, `while the server is ${how}`)
    await sink.untilReceived('logs', `while the server is ${how}`)
    server = await startServer({ dataDir: server.dataDir, agentsListen: server.agentsListen, consoleListen: server.consoleListen })
    const agent = await untilAgent(server, (one) => isUp(one) && one.configState === 'applied', { what: 'back and applied', agentId, timeoutMs: 90_000 })
    expect(agent).toMatchObject({
      instanceUid: before.instanceUid,
      desiredConfigHash: before.desiredConfigHash,
      remoteConfigStatus: before.remoteConfigStatus,
      firstSeenAt: before.firstSeenAt,
    })
    expect(agent.connection?.connectedAt).not.toBe(before.connection?.connectedAt)
    expect(await attemptsOf(server, agentId)).toEqual(attempts)
    expect(supervisor.receivedConfigs).toEqual(received)
    await createConfig(server, `after-${how}`, forwardLogs(port, sink.url, `# ${how}\n`))
    await assign(server, 'everyone', [`after-${how}`])
    await untilAgent(
      server,
      (one) => one.configState === 'applied' && one.desiredConfigHash !== before.desiredConfigHash && one.desiredConfigHash === one.remoteConfigStatus?.hash,
      { what: 'a new configuration applied', agentId },
    )
    expect((await attemptsOf(server, agentId)).length).toBe(attempts.length + 1)
    expect(supervisor.receivedConfigs.length).toBe(received.length + 1)
  })
})
