/** Our client against opamp-go's server and a raw one: what it reports, and when it says nothing. */
import { create } from '@bufbuild/protobuf'
import {
  AgentToServerFlags,
  ComponentHealthSchema,
  PackageStatusesSchema,
  ServerToAgentFlags,
  agentCapabilities,
  bytesEqual,
  instanceUidFromBytes,
  instanceUidToBytes,
} from '@drover/protocol'
import type { AgentToServer } from '@drover/protocol'
import { expect, it } from 'vitest'
import { components, description, effectiveConfig, everyCapability, health, newUid } from './agent-values.ts'
import { AgentUnderTest, setEverything, withoutCapability } from './client-under-test.ts'
import { describeWithServers } from './servers.ts'
import { everyServerCapability } from './scripted-server.ts'
import type { ScriptedServer } from './scripted-server.ts'

/** The parts that a message has. */
const partsOf = ({
  agentDescription,
  health: tree,
  effectiveConfig: config,
  remoteConfigStatus,
  packageStatuses,
  customCapabilities,
  availableComponents,
  connectionSettingsStatus,
}: AgentToServer) =>
  Object.entries({
    agentDescription,
    health: tree,
    effectiveConfig: config,
    remoteConfigStatus,
    packageStatuses,
    customCapabilities,
    availableComponents,
    connectionSettingsStatus,
  })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name)

/** The message after the `count` that came. */
const next = (server: ScriptedServer, count: number) => server.message(count)

/** Connected, with the first exchange over on both sides; gives the number of messages. */
async function connected(agent: AgentUnderTest, server: ScriptedServer): Promise<number> {
  await agent.untilStatus('connected')
  await server.message(0)
  return server.messages.length
}

await describeWithServers('our client reports', (startServer, transport) => {
  it('everything at once, first of all, with its promises and the hash of its components [ST-01] [ST-02] [CN-01] [CN-02] [CAP-01] [CAP-02] [CAP-03] [UID-01] [RC-01] [RC-03] [RC-04] [A2S-09] [AC-01] [AC-03] [AC-04] [HB-01] [TF-02]', async () => {
    await using server = await startServer()
    await using agent = await AgentUnderTest.start(server, transport)
    const first = await server.message(0)
    expect(first.instanceUid).toHaveLength(16)
    expect(first.sequenceNum).toBe(0n)
    expect(agentCapabilities(first.capabilities).names().toSorted()).toEqual([...everyCapability].toSorted())
    expect(first.capabilities).toBe(agentCapabilities(everyCapability).mask)
    expect(first.agentDescription).toEqual(description())
    expect(first.health).toMatchObject({ healthy: true, componentHealthMap: { 'pipeline:logs': { healthy: true } } })
    expect(first.effectiveConfig).toEqual(effectiveConfig())
    expect(first.availableComponents).toMatchObject({ hash: components(true).hash, components: {} })
    const connectedNow = await agent.untilStatus('connected')
    expect(connectedNow.serverCapabilities.has('AcceptsStatus')).toBe(true)
    expect(instanceUidFromBytes(first.instanceUid)).toBe(agent.client.instanceUid)
  })

  it('each part when it changes, alone and whole, and numbers its messages without a gap [ST-04] [A2S-01] [A2S-02] [A2S-03] [A2S-04] [A2S-05] [SC-01] [SC-02] [CAP-01] [GEN-06] [B-WS-08] [RT-07]', async () => {
    await using server = await startServer()
    await using agent = await AgentUnderTest.start(server, transport)
    const count = await connected(agent, server)
    agent.client.setHealth(health(false, 'out of memory'))
    const sick = await next(server, count)
    expect(partsOf(sick)).toEqual(['health'])
    expect(sick.health).toMatchObject({ healthy: false, lastError: 'out of memory', componentHealthMap: { 'pipeline:logs': { healthy: false } } })
    agent.client.setEffectiveConfig(effectiveConfig('receivers: { otlp: }\n', 'a.yaml'))
    expect(partsOf(await next(server, count + 1))).toEqual(['effectiveConfig'])
    agent.client.setAgentDescription(description('2.0.0'))
    const described = await next(server, count + 2)
    expect(partsOf(described)).toEqual(['agentDescription'])
    expect(described.agentDescription).toEqual(description('2.0.0'))
    const all = server.messages.map(({ message }) => message)
    expect(all.map(({ sequenceNum }) => sequenceNum)).toEqual(all.map((_, index) => BigInt(index)))
    expect(new Set(all.map(({ instanceUid }) => instanceUidFromBytes(instanceUid)))).toEqual(new Set([agent.client.instanceUid]))
    expect(new Set(all.map(({ capabilities }) => capabilities))).toEqual(new Set([agentCapabilities(everyCapability).mask]))
  })

  it('nothing when it is told what it knows, nor in reaction to an answer that asks nothing [ST-06] [S2A-05] [RC-05] [AC-08]', async () => {
    await using server = await startServer()
    await using agent = await AgentUnderTest.start(server, transport)
    const count = await connected(agent, server)
    setEverything(agent.client)
    agent.client.setCapabilities(everyCapability)
    agent.client.setHealth(health(false))
    const message = await next(server, count)
    expect(message.sequenceNum).toBe(BigInt(count))
    expect(partsOf(message)).toEqual(['health'])
  })

  it('package statuses only when they changed [A2S-06]', async () => {
    await using server = await startServer()
    const statuses = (version: string) =>
      create(PackageStatusesSchema, { packages: { collector: { name: 'collector', agentHasVersion: version, agentHasHash: Uint8Array.of(1) } } })
    await using agent = await AgentUnderTest.start(server, transport, {
      capabilities: [...everyCapability, 'ReportsPackageStatuses'],
      prepare: (client) => {
        setEverything(client)
        client.setPackageStatuses(statuses('1.0.0'))
      },
    })
    expect((await server.message(0)).packageStatuses?.packages['collector']?.agentHasVersion).toBe('1.0.0')
    const count = await connected(agent, server)
    agent.client.setHealth(health(false))
    expect((await next(server, count)).packageStatuses).toBeUndefined()
    agent.client.setPackageStatuses(statuses('2.0.0'))
    expect(partsOf(await next(server, count + 1))).toEqual(['packageStatuses'])
  })

  it('the complete state when it is asked for it, and goes on with what changes [S2A-11] [S2A-01] [RT-07]', async () => {
    await using server = await startServer()
    await using agent = await AgentUnderTest.start(server, transport)
    let count = await connected(agent, server)
    await server.answer({ capabilities: everyServerCapability, flags: BigInt(ServerToAgentFlags.ServerToAgentFlags_ReportFullState) })
    agent.client.setHealth(health(false))
    await next(server, count)
    const full = await next(server, count + 1)
    expect(partsOf(full)).toEqual(expect.arrayContaining(['agentDescription', 'health', 'effectiveConfig', 'availableComponents']))
    expect(full.health?.healthy).toBe(false)
    count = server.messages.length
    agent.client.setHealth(health(true))
    expect(partsOf(await next(server, count))).toEqual(['health'])
  })

  it('all of its components when it is asked for them [AC-06] [S2A-01]', async () => {
    await using server = await startServer()
    await server.answer({ capabilities: everyServerCapability, flags: BigInt(ServerToAgentFlags.ServerToAgentFlags_ReportAvailableComponents) })
    await using agent = await AgentUnderTest.start(server, transport)
    const message = await server.untilMessage((one) => Object.keys(one.availableComponents?.components ?? {}).length > 0, 'the components')
    expect(message.availableComponents).toEqual(components(true))
    expect(partsOf(message)).toEqual(['availableComponents'])
    expect(agent.client.status.state).toBe('connected')
  })

  it('no components without the capability, and no other part that it does not promise [A2S-09]', async () => {
    await using server = await startServer()
    await using agent = await AgentUnderTest.start(server, transport, { capabilities: ['ReportsStatus'] })
    const first = await server.message(0)
    expect(partsOf(first)).toEqual(['agentDescription'])
    expect(first.capabilities).toBe(1n)
    await agent.untilStatus('connected')
  })

  it('other capabilities as soon as it has them [CAP-04]', async () => {
    await using server = await startServer()
    await using agent = await AgentUnderTest.start(server, transport)
    const count = await connected(agent, server)
    agent.client.setCapabilities(withoutCapability('AcceptsRemoteConfig'))
    const message = await next(server, count)
    expect(agentCapabilities(message.capabilities).has('AcceptsRemoteConfig')).toBe(false)
  })

  it('under the uid that it asked for, from the next message on, with everything that the server cannot know under it [UID-05] [UID-06] [UID-09]', async () => {
    await using server = await startServer()
    await using agent = await AgentUnderTest.start(server, transport)
    const count = await connected(agent, server)
    const [temporary, assigned] = [agent.client.instanceUid, newUid()]
    await server.answer({ capabilities: everyServerCapability, agentIdentification: { newInstanceUid: instanceUidToBytes(assigned) } })
    agent.client.requestInstanceUid()
    const request = await next(server, count)
    expect(request.flags).toBe(BigInt(AgentToServerFlags.AgentToServerFlags_RequestInstanceUid))
    expect(instanceUidFromBytes(request.instanceUid)).toBe(temporary)
    const renamed = await next(server, count + 1)
    expect(instanceUidFromBytes(renamed.instanceUid)).toBe(assigned)
    expect(renamed.flags).toBe(0n)
    expect(partsOf(renamed)).toEqual(expect.arrayContaining(['agentDescription', 'health', 'effectiveConfig']))
    expect(agent.client.instanceUid).toBe(assigned)
    expect(agent.uids).toEqual([assigned])
  })

  it('under a uid of its own making, a UUID of version 7, another for each agent [UID-02] [UID-03]', async () => {
    await using server = await startServer()
    await using first = await AgentUnderTest.start(server, transport)
    await using second = await AgentUnderTest.start(server, transport)
    for (const { client } of [first, second]) expect(client.instanceUid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(first.client.instanceUid).not.toBe(second.client.instanceUid)
    await first.untilStatus('connected')
    await second.untilStatus('connected')
  })

  it('under one uid as long as it lives, and no other because a server wrote nonsense [UID-04] [UID-09]', async () => {
    await using server = await startServer()
    await server.answer({ capabilities: everyServerCapability, agentIdentification: { newInstanceUid: new Uint8Array(15) } })
    await using agent = await AgentUnderTest.start(server, transport)
    const count = await connected(agent, server)
    agent.client.setHealth(health(false))
    await next(server, count)
    expect(new Set(server.messages.map(({ message }) => instanceUidFromBytes(message.instanceUid)))).toEqual(new Set([agent.client.instanceUid]))
    expect(agent.uids).toEqual([])
  })

  it('what is still waiting, and its goodbye as the last message, when it stops [A2S-08] [CN-05] [CN-08]', async () => {
    await using server = await startServer()
    await using agent = await AgentUnderTest.start(server, transport)
    await connected(agent, server)
    agent.client.setHealth(create(ComponentHealthSchema, { healthy: false, lastError: 'stopping' }))
    await agent.client.stop()
    const last = await server.untilMessage(({ agentDisconnect }) => agentDisconnect !== undefined, 'the goodbye')
    expect(server.messages.at(-1)?.message).toBe(last)
    expect(server.messages.some(({ message }) => message.health?.lastError === 'stopping')).toBe(true)
    expect(bytesEqual(last.instanceUid, instanceUidToBytes(agent.client.instanceUid))).toBe(true)
    expect(agent.client.status.state).toBe('stopped')
  })
})
