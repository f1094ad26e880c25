/** What an agent is offered, over the in-process transport. */
import { create } from '@bufbuild/protobuf'
import { type AgentCapability, ConnectionSettingsOffersSchema } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { prepareRemoteConfig } from './remote-config.ts'
import { allAgentCapabilities, fieldsOf, firstReport, inProcessFixture, part, report, uidA } from './test-agent.ts'

const config = (hash: number, bytes = 10) =>
  prepareRemoteConfig([{ name: 'a.yaml', contentType: 'text/yaml', body: new Uint8Array(bytes) }], Uint8Array.of(hash))
const accepting: readonly AgentCapability[] = ['ReportsStatus', 'AcceptsRemoteConfig', 'AcceptsRestartCommand']

describe('offers', () => {
  it('go with the answer to the report that called for them [RC-08] [RC-09] [RC-19]', async () => {
    const { connect, handler } = inProcessFixture()
    handler.answer = ({ message }) => (message.remoteConfigStatus?.lastRemoteConfigHash[0] === 7 ? undefined : { remoteConfig: config(7) })
    const agent = connect()
    const first = await agent.ask(firstReport(uidA, { capabilities: accepting }))
    expect(first.remoteConfig?.configHash).toEqual(Uint8Array.of(7))
    const applied = part({ remoteConfigStatus: { lastRemoteConfigHash: Uint8Array.of(7), status: 1 } }, 'remoteConfigStatus')
    expect((await agent.ask({ ...report(uidA, { sequenceNum: 1, capabilities: accepting }), ...applied })).remoteConfig).toBeUndefined()
  })

  it('stop as soon as the agent no longer has the capability [CAP-05] [CAP-12] [RC-02]', async () => {
    const { connect, handler, server, refused } = inProcessFixture()
    const agent = connect()
    await agent.ask(firstReport(uidA, { capabilities: accepting }))
    handler.answer = () => ({ remoteConfig: config(1) })
    expect((await agent.ask(report(uidA, { sequenceNum: 1, capabilities: ['ReportsStatus'] }))).remoteConfig).toBeUndefined()
    expect(server.offer(uidA, { remoteConfig: config(2) })).toBe('absent')
    expect(refused).toEqual(['capability', 'capability'])
  })

  it('of a restart travel alone, after what came with them [S2A-07]', async () => {
    const { connect, server } = inProcessFixture()
    const agent = connect()
    await agent.ask(firstReport(uidA, { capabilities: accepting }))
    expect(server.offer(uidA, { restart: true, remoteConfig: config(1) })).toBe('sent')
    expect(fieldsOf(await agent.inbox.next())).toEqual(['remoteConfig'])
    expect(fieldsOf(await agent.inbox.next())).toEqual(['command'])
  })

  it('of a restart in the first answer go with the capabilities at most [S2A-07] [CAP-07]', async () => {
    const { connect, handler } = inProcessFixture({ customCapabilities: ['io.drover.test'] })
    handler.answer = () => ({ restart: true })
    const agent = connect()
    expect(fieldsOf(await agent.ask(firstReport(uidA, { capabilities: accepting })))).toEqual(['capabilities', 'command'])
    handler.answer = () => undefined
    expect(fieldsOf(await agent.ask(firstReport(uidA, { sequenceNum: 1, capabilities: accepting })))).toEqual(['customCapabilities'])
  })

  it('that are too large are never sent, but counted and logged; the rest goes [S-WS-16] [S-WS-17] [S-WS-18] [B-WS-23]', async () => {
    const { connect, server, dropped } = inProcessFixture({ limits: { maxOutgoingBytes: 10_000 } })
    const agent = connect()
    await agent.ask(firstReport(uidA, { capabilities: accepting }))
    server.offer(uidA, { remoteConfig: config(1, 20_000), reportFullState: true })
    expect(fieldsOf(await agent.inbox.next())).toEqual(['flags'])
    expect(dropped).toEqual([{ slot: 'remoteConfig', bytes: expect.any(Number) as number }])
    server.offer(uidA, { remoteConfig: config(2, 9_000) })
    expect((await agent.inbox.next()).remoteConfig?.configHash).toEqual(Uint8Array.of(2))
  })

  it('to nobody are absent', () => {
    expect(inProcessFixture().server.offer(uidA, { restart: true })).toBe('absent')
  })

  it('of telemetry settings go out with the first answer [OT-02] [K-06]', async () => {
    const { connect, handler } = inProcessFixture()
    const settings = create(ConnectionSettingsOffersSchema, {
      hash: Uint8Array.of(1),
      ownMetrics: { destinationEndpoint: 'https://otlp.example/v1/metrics' },
      opamp: { destinationEndpoint: 'wss://other.example/v1/opamp', heartbeatIntervalSeconds: 30n },
    })
    handler.answer = ({ first }) => (first ? { connectionSettings: settings } : undefined)
    const agent = connect()
    const answer = await agent.ask(firstReport(uidA, { capabilities: ['ReportsStatus', 'ReportsOwnMetrics', 'AcceptsOpAMPConnectionSettings'] }))
    expect(answer.connectionSettings?.ownMetrics?.destinationEndpoint).toBe('https://otlp.example/v1/metrics')
    expect(answer.connectionSettings?.opamp).toMatchObject({ destinationEndpoint: 'wss://other.example/v1/opamp', heartbeatIntervalSeconds: 30n })
    expect(
      (await agent.ask(firstReport(uidA, { sequenceNum: 1, capabilities: ['ReportsStatus', 'ReportsOwnMetrics', 'AcceptsOpAMPConnectionSettings'] })))
        .connectionSettings,
    ).toBeUndefined()
  })

  it('of settings that the specification forbids are an error of the caller [KM-01]', async () => {
    const { connect, server } = inProcessFixture()
    const agent = connect()
    await agent.ask(firstReport(uidA, { capabilities: allAgentCapabilities }))
    expect(() => server.offer(uidA, { connectionSettings: create(ConnectionSettingsOffersSchema, { hash: Uint8Array.of(1), opamp: {} }) })).toThrow(
      'destination_endpoint',
    )
  })
})

describe('flags', () => {
  it('ask for the full state after a gap, and the handler learns that the state is not complete [SC-05] [SC-06]', async () => {
    const { connect, handler } = inProcessFixture()
    const agent = connect()
    await agent.ask(firstReport(uidA))
    expect((await agent.ask(report(uidA, { sequenceNum: 5 }))).flags).toBe(1n)
    const health = part({ health: { healthy: true } }, 'health')
    expect((await agent.ask({ ...report(uidA, { sequenceNum: 6 }), ...health })).flags).toBe(0n)
    expect(handler.reports.at(-1)?.complete).toBe(false)
    await agent.ask(firstReport(uidA, { sequenceNum: 7 }))
    expect(handler.reports.at(-1)?.complete).toBe(true)
  })

  it('ask for the components when the handler does not know their hash [AC-05] [AC-07]', async () => {
    const { connect, handler } = inProcessFixture()
    handler.answer = ({ message }) => (message.availableComponents?.hash[0] === 1 ? { reportAvailableComponents: true } : undefined)
    const agent = connect()
    const components = part({ availableComponents: { hash: Uint8Array.of(1) } }, 'availableComponents')
    const capabilities = ['ReportsStatus', 'ReportsAvailableComponents'] as const
    expect((await agent.ask({ ...firstReport(uidA, { capabilities }), ...components })).flags).toBe(2n)
  })
})
