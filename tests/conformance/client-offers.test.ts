/** Our client against opamp-go's server and a raw one: what it does with what it is offered. */
import { create } from '@bufbuild/protobuf'
import { CommandType, CustomMessageSchema, RemoteConfigStatuses, instanceUidFromBytes, instanceUidToBytes } from '@drover/protocol'
import { expect, it } from 'vitest'
import { effectiveConfig, everyCapability, health, newUid } from './agent-values.ts'
import { AgentUnderTest, setEverything, withoutCapability } from './client-under-test.ts'
import { everyServerCapability } from './scripted-server.ts'
import type { Answer, ScriptedServer } from './scripted-server.ts'
import { describeWithServers } from './servers.ts'

const chat = 'io.drover.test.chat'
const bytes = (text: string) => new TextEncoder().encode(text)
const { RemoteConfigStatuses_APPLIED, RemoteConfigStatuses_APPLYING, RemoteConfigStatuses_FAILED } = RemoteConfigStatuses

const configOf = (hash: number): Answer => ({
  capabilities: everyServerCapability,
  remoteConfig: {
    configHash: Uint8Array.of(hash),
    config: { configMap: { '': { body: bytes('b: 2\n') }, 'a.bin': { body: Uint8Array.of(0, 255, 128), contentType: 'application/x-unknown' } } },
  },
})

/** Connected, with the first exchange over on both sides; gives the number of messages. */
async function connected(agent: AgentUnderTest, server: ScriptedServer): Promise<number> {
  await agent.untilStatus('connected')
  await server.message(0)
  return server.messages.length
}

await describeWithServers('our client is offered', (startServer, transport) => {
  it('a configuration, which it passes on as it is and reports on under its hash [S2A-01] [S2A-03] [RC-12] [RC-15] [RC-18] [RC-20] [RC-21] [ST-07]', async () => {
    await using server = await startServer()
    await server.answer(configOf(1))
    await using agent = await AgentUnderTest.start(server, transport, {
      handler: {
        onRemoteConfig: (offer) => {
          agent.report(offer, 'APPLYING')
        },
      },
    })
    await server.untilMessage(({ remoteConfigStatus: status }) => status?.status === RemoteConfigStatuses_APPLYING, 'APPLYING')
    const [offer] = agent.configs
    expect(offer?.config?.configMap['']?.body).toEqual(bytes('b: 2\n'))
    expect(offer?.config?.configMap['a.bin']).toMatchObject({ body: Uint8Array.of(0, 255, 128), contentType: 'application/x-unknown' })
    agent.client.setEffectiveConfig(effectiveConfig('b: 2\n'))
    agent.report(offer!, 'FAILED', 'the port is taken') // !: just seen
    const failed = await server.untilMessage(({ remoteConfigStatus: status }) => status?.status === RemoteConfigStatuses_FAILED, 'FAILED')
    expect(failed.remoteConfigStatus).toMatchObject({ lastRemoteConfigHash: Uint8Array.of(1), errorMessage: 'the port is taken' })
    await server.untilMessage(
      ({ effectiveConfig: effective }) => Buffer.from(effective?.configMap?.configMap['']?.body ?? []).toString() === 'b: 2\n',
      'the effective configuration',
    )
  })

  it('the same configuration again, and answers without applying it twice [S2A-04] [T-09]', async () => {
    await using server = await startServer()
    await using agent = await AgentUnderTest.start(server, transport, {
      handler: { onRemoteConfig: (offer) => agent.report(offer, 'APPLIED') },
      prepare: (client) => {
        setEverything(client)
        client.setCustomCapabilities([chat])
      },
    })
    const count = await connected(agent, server)
    await server.answer(configOf(1))
    agent.client.setHealth(health(false))
    await server.untilMessage(({ remoteConfigStatus: status }) => status?.status === RemoteConfigStatuses_APPLIED, 'APPLIED', count)
    const again = server.messages.length
    await server.answer({ ...configOf(1), customMessage: { capability: chat, type: 'came along' } })
    agent.client.setHealth(health(true))
    await agent.untilCount(agent.customMessages, 1, 'the repeated offer')
    await server.answer(configOf(2))
    agent.client.setHealth(health(false))
    expect((await server.message(again + 1)).remoteConfigStatus).toMatchObject({ status: RemoteConfigStatuses_APPLIED, lastRemoteConfigHash: Uint8Array.of(1) })
    await server.untilMessage(({ remoteConfigStatus: status }) => status?.lastRemoteConfigHash[0] === 2, 'the status of the other one')
    expect(agent.configs.map(({ configHash }) => configHash[0])).toEqual([1, 2])
  })

  it('what it has no capability for, and ignores that part alone [CAP-06] [RC-07] [SEC-14]', async () => {
    await using server = await startServer()
    const assigned = newUid()
    await server.answer({ ...configOf(1), agentIdentification: { newInstanceUid: instanceUidToBytes(assigned) } })
    await using agent = await AgentUnderTest.start(server, transport, { capabilities: withoutCapability('AcceptsRemoteConfig') })
    await server.untilMessage(({ instanceUid }) => instanceUidFromBytes(instanceUid) === assigned, 'the new uid')
    expect(agent.configs).toEqual([])
    expect(server.messages.some(({ message }) => (message.remoteConfigStatus?.lastRemoteConfigHash.length ?? 0) > 0)).toBe(false)
  })

  it('a restart, which it passes on and nothing that came along with it [S2A-08]', async () => {
    await using server = await startServer()
    await server.answer({ ...configOf(1), command: { type: CommandType.CommandType_Restart } })
    await using agent = await AgentUnderTest.start(server, transport)
    await agent.until(() => (agent.restarts === 1 ? true : undefined), 'the restart')
    const count = await connected(agent, server)
    agent.client.setHealth(health(false))
    await server.message(count)
    expect(agent.configs).toEqual([])
  })

  it('a restart that it cannot do, and ignores the command alone [S2A-09]', async () => {
    await using server = await startServer()
    await server.answer({ ...configOf(1), command: { type: CommandType.CommandType_Restart } })
    await using agent = await AgentUnderTest.start(server, transport, { capabilities: withoutCapability('AcceptsRestartCommand') })
    await agent.untilCount(agent.configs, 1, 'the configuration')
    expect(agent.restarts).toBe(0)
  })

  it('another uid at any time, and uses it from then on [UID-09]', async () => {
    await using server = await startServer()
    const assigned = newUid()
    await using agent = await AgentUnderTest.start(server, transport)
    const count = await connected(agent, server)
    await server.answer({ agentIdentification: { newInstanceUid: instanceUidToBytes(assigned) } })
    agent.client.setHealth(health(false))
    await server.message(count)
    expect(instanceUidFromBytes((await server.message(count + 1)).instanceUid)).toBe(assigned)
  })

  it('custom messages of capabilities it announced, and no others; its list it sends but once [CM-01] [CM-02] [CM-06] [CM-10]', async () => {
    await using server = await startServer({ customCapabilities: [chat] })
    const customMessage = (capability: string, text: string): Answer => ({ customMessage: { capability, type: 'say', data: bytes(text) } })
    await using agent = await AgentUnderTest.start(server, transport, {
      prepare: (client) => {
        setEverything(client)
        client.setCustomCapabilities([chat])
      },
    })
    expect((await server.message(0)).customCapabilities?.capabilities).toEqual([chat])
    const count = await connected(agent, server)
    await server.answer(customMessage('io.drover.test.other', 'not for me'))
    await server.answer(customMessage(chat, '\u0000raw'))
    agent.client.setHealth(health(false))
    await server.message(count)
    agent.client.setHealth(health(true))
    await agent.untilCount(agent.customMessages, 1, 'the message')
    expect(agent.customMessages.map(({ data, type }) => [type, Buffer.from(data).toString()])).toEqual([['say', '\u0000raw']])
    expect(server.messages.slice(1).some(({ message }) => message.customCapabilities !== undefined)).toBe(false)
  })

  it('custom capabilities by the server, and sends messages of those that both announced [CM-04] [CM-08] [CM-10]', async () => {
    await using server = await startServer({ customCapabilities: [chat] })
    const message = create(CustomMessageSchema, { capability: chat, type: 'say', data: bytes('hello') })
    await using agent = await AgentUnderTest.start(server, transport, {
      prepare: (client) => {
        setEverything(client)
        client.setCustomCapabilities([chat])
      },
    })
    await agent.client.sendCustomMessage(message)
    const sent = await server.untilMessage(({ customMessage }) => customMessage !== undefined, 'the custom message')
    expect(sent.customMessage).toEqual(message)
    expect(sent.sequenceNum).toBeGreaterThan(0n)
    await expect(agent.client.sendCustomMessage(create(CustomMessageSchema, { capability: 'io.drover.test.other', type: 'say' }))).rejects.toMatchObject({
      code: 'not-announced',
    })
  })

  it('little by a server that promises only to take in reports, and uses nothing else of it [CAP-13] [CAP-14] [IO-03]', async () => {
    await using server = await startServer()
    for (let times = 0; times < 5; times++) await server.answer({ capabilities: 1n })
    await using agent = await AgentUnderTest.start(server, transport)
    const count = await connected(agent, server)
    agent.client.setEffectiveConfig(effectiveConfig('not for this server\n'))
    agent.client.setHealth(health(false))
    const message = await server.message(count)
    expect(message.health?.healthy).toBe(false)
    expect(message.effectiveConfig).toBeUndefined()
    await expect(agent.client.requestCertificate(bytes('-----BEGIN CERTIFICATE REQUEST-----'), '')).rejects.toMatchObject({
      code: expect.stringMatching(/unsupported|insecure/) as string,
    })
  })

  it('all there is of an agent that takes everything [CAP-02]', async () => {
    await using server = await startServer()
    await using agent = await AgentUnderTest.start(server, transport, {
      capabilities: [
        ...everyCapability,
        'AcceptsPackages',
        'ReportsPackageStatuses',
        'ReportsOwnMetrics',
        'ReportsOwnTraces',
        'ReportsOwnLogs',
        'AcceptsOtherConnectionSettings',
        'ReportsConnectionSettingsStatus',
      ],
    })
    expect((await server.message(0)).capabilities).toBe(0xffffn)
    await agent.untilStatus('connected')
  })
})
