/** Our supervisor with a real Collector under opamp-go's server: nothing of it depends on a server of ours. */
import { RemoteConfigStatuses, createInstanceUid, instanceUidToBytes } from '@drover/protocol'
import { expect, it } from 'vitest'
import { GoServer } from '../conformance/go-server.ts'
import { everyServerCapability } from '../conformance/scripted-server.ts'
import { createTemporaryFolder, freePort, startOtlpSink } from '../harness/index.ts'
import { describeWithPeers } from '../peers/index.ts'
import { forwardLogs, refusedByCollector, sendLogLine } from './collector-configs.ts'
import { Subject } from './supervisor/subject.ts'

const { RemoteConfigStatuses_APPLIED: APPLIED, RemoteConfigStatuses_FAILED: FAILED } = RemoteConfigStatuses

await describeWithPeers("drover supervisor under opamp-go's server", ['opamp-server', 'collector'], (peers) => {
  it.each(['websocket', 'http'] as const)('applies a configuration, takes back a bad one, and says goodbye, over %s', async (transport) => {
    await using folder = await createTemporaryFolder()
    await using sink = await startOtlpSink()
    await using server = await GoServer.start(peers['opamp-server'])
    const uid = createInstanceUid(Date.now(), (bytes) => void crypto.getRandomValues(bytes))
    const endpoint = server.url(transport)
    await using subject = new Subject({ kind: 'drover', stock: '', collector: peers.collector, folder: folder.path, uid, endpoint })
    const offer = async (hash: number, body: string) => {
      const message = {
        instanceUid: instanceUidToBytes(uid),
        capabilities: everyServerCapability,
        remoteConfig: { configHash: Uint8Array.of(hash), config: { configMap: { '': { body: new TextEncoder().encode(body) } } } },
      }
      await (transport === 'websocket' ? server.send(message) : server.answer(message))
    }
    const untilStatus = (hash: number, status: RemoteConfigStatuses) =>
      server.untilMessage(
        ({ remoteConfigStatus: one }) => one?.status === status && one.lastRemoteConfigHash[0] === hash,
        `${RemoteConfigStatuses[status]} for ${hash}`,
      )

    // Over plain HTTP an offer waits for the next poll, which a short interval brings soon.
    if (transport === 'http')
      await server.answer({
        capabilities: everyServerCapability,
        connectionSettings: { hash: Uint8Array.of(1), opamp: { destinationEndpoint: endpoint, heartbeatIntervalSeconds: 1n } },
      })
    await subject.start()
    await server.untilMessage(({ health }) => health?.healthy === true, 'a healthy agent')
    const port = await freePort()
    await offer(1, forwardLogs(port, sink.url))
    await untilStatus(1, APPLIED)
    await sendLogLine(port, 'before')
    await sink.untilReceived('logs', 'before')

    await offer(2, refusedByCollector())
    expect((await untilStatus(2, FAILED)).remoteConfigStatus?.errorMessage).toContain('cannot assign requested address')
    await server.until(() => server.messages.findLast(({ message }) => message.health !== undefined)?.message.health?.healthy || undefined, 'healthy again')
    await sendLogLine(port, 'after')
    await sink.untilReceived('logs', 'after')

    await subject.stop()
    await server.untilMessage(({ agentDisconnect }) => agentDisconnect !== undefined, 'goodbye')
    expect(subject.collectors()).toEqual([])
  })
})
