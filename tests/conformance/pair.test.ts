/** Our server and our client, of which neither has seen the other: what only shows when both ends do more than opamp-go. */
import { create } from '@bufbuild/protobuf'
import { ConnectionSettingsOffersSchema, ConnectionSettingsStatuses } from '@drover/protocol'
import type { ConnectionSettingsOffers } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { everyCapability, health, transports } from './agent-values.ts'
import { AgentUnderTest } from './client-under-test.ts'
import { startRecordingServer } from './recording-server.ts'
import type { RecordingServer } from './recording-server.ts'

const capabilities = [...everyCapability, 'ReportsConnectionSettingsStatus'] as const
const { ConnectionSettingsStatuses_APPLIED, ConnectionSettingsStatuses_FAILED } = ConnectionSettingsStatuses

/** Offers the settings as long as the agent reports another hash. */
function offerUntilReported(server: RecordingServer, settings: ConnectionSettingsOffers): void {
  server.answer = ({ message }) => {
    const status = message.connectionSettingsStatus
    return status === undefined || status.lastConnectionSettingsHash[0] === settings.hash[0] ? undefined : { connectionSettings: settings }
  }
}

const token = (server: RecordingServer, transport: (typeof transports)[number], value: string, hash: number) =>
  create(ConnectionSettingsOffersSchema, {
    hash: Uint8Array.of(hash),
    opamp: {
      destinationEndpoint: server.url(transport),
      heartbeatIntervalSeconds: 30n,
      headers: { headers: [{ key: 'Authorization', value: `Bearer ${value}` }] },
    },
  })

describe('our server rotates the token of our client', () => {
  it.each(transports)('once, and takes the second connection of the move for no second agent, over %s', async (transport) => {
    await using server = await startRecordingServer()
    await using agent = await AgentUnderTest.start(server, transport, { capabilities, settings: { headers: [['Authorization', 'Bearer old']] } })
    await agent.untilStatus('connected')
    server.opamp.offer(agent.client.instanceUid, { connectionSettings: token(server, transport, 'new', 1) })
    agent.client.setHealth(health(false))
    const applied = await server.untilReport(({ message }) => message.connectionSettingsStatus?.status === ConnectionSettingsStatuses_APPLIED, 'APPLIED')
    expect(applied.uid).toBe(agent.client.instanceUid)
    expect(server.requests.at(-1)?.headers['authorization']).toBe('Bearer new')
    agent.client.setHealth(health(true))
    await server.untilReport(({ message, uid }) => message.health?.healthy === true && uid === agent.client.instanceUid, 'a report over the new connection')
    expect(server.duplicates).toEqual([])
    expect(agent.uids).toEqual([])
    expect(agent.client.settings.headers).toEqual([['Authorization', 'Bearer new']])
  })

  it.each(transports)('to one that is refused, hears that it failed, and offers it no more, over %s', async (transport) => {
    await using server = await startRecordingServer()
    server.admit = ({ headers }) =>
      headers['authorization'] === 'Bearer wrong' ? { kind: 'reject', status: 401, message: 'wrong token' } : { kind: 'accept', principal: 'test' }
    await using agent = await AgentUnderTest.start(server, transport, { capabilities, settings: { headers: [['Authorization', 'Bearer old']] } })
    await agent.untilStatus('connected')
    offerUntilReported(server, token(server, transport, 'wrong', 2))
    server.opamp.offer(agent.client.instanceUid, { connectionSettings: token(server, transport, 'wrong', 2) })
    agent.client.setHealth(health(false))
    const failed = await server.untilReport(({ message }) => message.connectionSettingsStatus?.status === ConnectionSettingsStatuses_FAILED, 'FAILED')
    expect(failed.message.connectionSettingsStatus?.errorMessage).toContain('401')
    expect(agent.client.settings.headers).toEqual([['Authorization', 'Bearer old']])
    expect(server.duplicates).toEqual([])
  })
})

describe('our server and two of our clients with one uid', () => {
  it('tell them apart, and the newcomer goes on under a uid of its own [UID-13] [UID-14] [T-11]', async () => {
    await using server = await startRecordingServer()
    await using first = await AgentUnderTest.start(server, 'websocket')
    await first.untilStatus('connected')
    const { instanceUid } = first.client
    await using second = await AgentUnderTest.start(server, 'websocket', { instanceUid })
    await second.untilCount(second.uids, 1, 'the new uid')
    expect(first.client.instanceUid).toBe(instanceUid)
    expect(second.client.instanceUid).not.toBe(instanceUid)
    const report = await server.untilReport(
      ({ uid, present }) => uid === second.client.instanceUid && present.includes('agentDescription'),
      'the newcomer under its own uid',
    )
    expect(report.complete).toBe(true)
    expect(first.uids).toEqual([])
  })
})

describe('our server loses the connections of our client', () => {
  it.each(transports)('and hears of it again, as the same agent with everything it has to say, over %s', async (transport) => {
    await using server = await startRecordingServer()
    await using agent = await AgentUnderTest.start(server, transport)
    await agent.untilStatus('connected')
    server.cutConnections()
    agent.client.setHealth(health(false, 'meanwhile'))
    const report = await server.untilReport(({ message }) => message.health?.lastError === 'meanwhile', 'the report')
    expect(report.uid).toBe(agent.client.instanceUid)
    expect(report.complete).toBe(true)
    expect(server.duplicates).toEqual([])
  })
})
