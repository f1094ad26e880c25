/** The whole server over real sockets: what an agent sees in the ordinary course of things. */
import { decodeServerToAgent, encodeAgentToServer, instanceUidToBytes } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { prepareRemoteConfig } from './remote-config.ts'
import { allAgentCapabilities, firstReport, report, startTestServer, TestPipe, TestSocket, uidA } from './test-agent.ts'

const config = prepareRemoteConfig(
  [{ name: 'collector.yaml', contentType: 'text/yaml', body: new TextEncoder().encode('receivers: {}') }],
  Uint8Array.of(1, 2, 3),
)

describe('an agent on a WebSocket', () => {
  it('gets the capabilities with the first answer and a bare acknowledgement afterwards [CAP-07] [CAP-08] [S2A-02]', async () => {
    await using test = await startTestServer()
    using agent = await TestSocket.connect(test.url)
    const first = await agent.ask(firstReport(uidA))
    expect(first.capabilities).toBe(0x27n)
    const second = await agent.ask(report(uidA, { sequenceNum: 1 }))
    expect(second).toMatchObject({ instanceUid: instanceUidToBytes(uidA), capabilities: 0n, flags: 0n })
    expect(test.handler.reports).toHaveLength(1)
  })

  it('is sent a remote configuration without asking for it [RC-06]', async () => {
    await using test = await startTestServer()
    using agent = await TestSocket.connect(test.url)
    await agent.ask(firstReport(uidA, { capabilities: ['ReportsStatus', 'AcceptsRemoteConfig'] }))
    expect(test.server.offer(uidA, { remoteConfig: config })).toBe('sent')
    const pushed = await agent.inbox.next()
    expect(pushed.remoteConfig?.configHash).toEqual(Uint8Array.of(1, 2, 3))
    expect(pushed.remoteConfig?.config?.configMap['collector.yaml']?.contentType).toBe('text/yaml')
  })
})

describe('an agent on plain HTTP', () => {
  it('gets what waits for it with the answer to its next poll [S-HTTP-02] [S-HTTP-10]', async () => {
    await using test = await startTestServer()
    const poll = async (message: Parameters<typeof encodeAgentToServer>[0]) => {
      const response = await fetch(`http://${test.url}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: new Uint8Array(encodeAgentToServer(message)),
      })
      expect(response.status).toBe(200)
      return decodeServerToAgent(new Uint8Array(await response.arrayBuffer()))
    }
    const capabilities = ['ReportsStatus', 'AcceptsRemoteConfig'] as const
    await poll(firstReport(uidA, { capabilities }))
    expect(test.server.offer(uidA, { remoteConfig: config })).toBe('held')
    expect((await poll(report(uidA, { sequenceNum: 1, capabilities }))).remoteConfig?.configHash).toHaveLength(3)
    expect((await poll(report(uidA, { sequenceNum: 2, capabilities }))).remoteConfig).toBeUndefined()
  })
})

describe('an agent in the same process', () => {
  it('speaks the same protocol', async () => {
    await using test = await startTestServer()
    const agent = new TestPipe(test.server.connectInProcess({ headers: { Authorization: 'Bearer x' } }))
    const first = await agent.ask(firstReport(uidA, { capabilities: allAgentCapabilities }))
    expect(first.flags).toBe(1n)
    expect(test.handler.reports[0]).toMatchObject({ uid: uidA, first: true, complete: false, connection: { principal: 'Bearer x', transport: 'in-process' } })
  })
})
