/** Our server against opamp-go's client: what is offered arrives, in the right way, and only where it is accepted. */
import { create } from '@bufbuild/protobuf'
import {
  ConnectionSettingsOffersSchema,
  CustomMessageSchema,
  RemoteConfigStatusSchema,
  RemoteConfigStatuses,
  instanceUidToBytes,
  parseInstanceUid,
} from '@drover/protocol'
import type { AgentCapability } from '@drover/protocol'
import { prepareRemoteConfig } from '@drover/server'
import { expect, it } from 'vitest'
import { describeWithPeers } from '../peers/index.ts'
import { everyCapability, newUid, startOf, transports } from './agent-values.ts'
import type { Transport } from './agent-values.ts'
import { GoClient } from './go-client.ts'
import type { GoClientStart } from './go-client.ts'
import { startRecordingServer } from './recording-server.ts'
import type { RecordingServer } from './recording-server.ts'

const chat = 'io.drover.test.chat'

const bytes = (text: string) => new TextEncoder().encode(text)
const hash = new Uint8Array(32).fill(9)
const twoFiles = prepareRemoteConfig(
  [
    { name: 'a.yaml', contentType: 'text/yaml', body: bytes('a: 1\n') },
    { name: '', contentType: '', body: bytes('b: 2\n') },
  ],
  hash,
)
const settingsFor = (server: RecordingServer) =>
  create(ConnectionSettingsOffersSchema, {
    hash: new Uint8Array([1, 2, 3]),
    opamp: { destinationEndpoint: server.url('websocket'), heartbeatIntervalSeconds: 1n },
    ownMetrics: { destinationEndpoint: 'http://127.0.0.1:4318/v1/metrics' },
    ownTraces: { destinationEndpoint: 'http://127.0.0.1:4318/v1/traces' },
    ownLogs: { destinationEndpoint: 'http://127.0.0.1:4318/v1/logs' },
  })
const without = (missing: AgentCapability) => everyCapability.filter((name) => name !== missing)

await describeWithPeers("opamp-go's client takes what it is offered", ['opamp-client'], (peers) => {
  const goClient = () => new GoClient(peers['opamp-client'])

  async function connected(server: RecordingServer, transport: Transport, more: Partial<GoClientStart> = {}) {
    const client = goClient()
    const start = startOf(server, transport, more)
    await client.start(start)
    await client.until((event) => event.event === 'message', 'answer')
    return { client, uid: start.uid }
  }

  it.each(transports)('a configuration in answer to its report, files as they were, over %s [RC-09] [RC-12] [RC-15] [RC-16]', async (transport) => {
    await using server = await startRecordingServer()
    server.answer = (report) => (report.first ? { remoteConfig: twoFiles } : undefined)
    await using client = goClient()
    await client.start(startOf(server, transport))
    const { remoteConfig } = await client.until((event) => event.remoteConfig !== undefined, 'offer')
    expect(Buffer.from(remoteConfig?.configHash ?? '', 'base64')).toEqual(Buffer.from(hash))
    const files = Object.entries(remoteConfig?.config.configMap ?? {}).map(([name, file]) => [name, { type: file.contentType ?? '', text: atob(file.body) }])
    expect(Object.fromEntries(files)).toEqual({ '': { type: '', text: 'b: 2\n' }, 'a.yaml': { type: 'text/yaml', text: 'a: 1\n' } })
    await client.setRemoteConfigStatus(
      create(RemoteConfigStatusSchema, { lastRemoteConfigHash: hash, status: RemoteConfigStatuses.RemoteConfigStatuses_FAILED, errorMessage: 'no such thing' }),
    )
    const report = await server.untilReport(({ message }) => message.remoteConfigStatus?.errorMessage === 'no such thing', 'the failure')
    expect(report.message.remoteConfigStatus?.status).toBe(RemoteConfigStatuses.RemoteConfigStatuses_FAILED)
    expect(client.events.filter((event) => event.remoteConfig !== undefined)).toHaveLength(1)
  })

  it('a configuration pushed over its WebSocket without waiting for a report [RC-06]', async () => {
    await using server = await startRecordingServer()
    const { client, uid } = await connected(server, 'websocket', { heartbeatMs: 60_000 })
    await using _ = client
    expect(server.opamp.offer(uid, { remoteConfig: twoFiles })).toBe('sent')
    await client.until((event) => event.remoteConfig !== undefined, 'offer')
    expect(server.received.report + server.received.heartbeat).toBeLessThanOrEqual(2)
  })

  it('over plain HTTP an offer waits for the next poll [S-HTTP-10]', async () => {
    await using server = await startRecordingServer()
    const { client, uid } = await connected(server, 'http')
    await using _ = client
    expect(server.opamp.offer(uid, { remoteConfig: twoFiles })).toBe('held')
    await client.until((event) => event.remoteConfig !== undefined, 'offer')
  })

  it.each(transports)('no configuration when it does not accept any, also after it changed its mind, over %s [RC-02] [CAP-05] [CAP-12]', async (transport) => {
    await using server = await startRecordingServer()
    server.answer = () => ({ remoteConfig: twoFiles })
    await using client = goClient()
    const start = startOf(server, transport, { capabilities: without('AcceptsRemoteConfig') })
    await client.start(start)
    await client.until((event) => event.event === 'message', 'answer')
    server.opamp.offer(start.uid, { remoteConfig: twoFiles })
    const beats = server.received.heartbeat
    await server.until(() => (server.received.heartbeat >= beats + 2 ? true : undefined), 'heartbeats')
    // opamp-go says so in its log when it gets a configuration without the capability
    expect(client.events.filter((event) => event.text?.includes('Ignoring RemoteConfig'))).toEqual([])
    await client.setCapabilities(everyCapability)
    await client.until((event) => event.remoteConfig !== undefined, 'offer')
  })

  it.each(transports)('a restart command in a message of its own, the rest before or after it, over %s [S2A-07]', async (transport) => {
    await using server = await startRecordingServer()
    const { client, uid } = await connected(server, transport)
    await using _ = client
    // opamp-go ignores everything that comes together with a command
    server.opamp.offer(uid, { restart: true, remoteConfig: twoFiles, reportFullState: true })
    const { command } = await client.until((event) => event.event === 'command', 'command')
    expect(command?.type ?? 'CommandType_Restart').toBe('CommandType_Restart')
    await client.until((event) => event.remoteConfig !== undefined, 'offer')
    await server.untilReport((report) => !report.first && report.present.includes('agentDescription'), 'the full state')
    expect(client.events.filter((event) => event.event === 'command')).toHaveLength(1)
  })

  it('no restart command when it cannot restart [CAP-12]', async () => {
    await using server = await startRecordingServer()
    const { client, uid } = await connected(server, 'websocket', { capabilities: without('AcceptsRestartCommand') })
    await using _ = client
    server.opamp.offer(uid, { restart: true })
    const beats = server.received.heartbeat
    await server.until(() => (server.received.heartbeat >= beats + 2 ? true : undefined), 'heartbeats')
    expect(client.events.filter((event) => event.event === 'command' || event.text?.includes('Ignoring Command'))).toEqual([])
  })

  it.each(transports)('a new instance uid, at any time, over %s [UID-12] [UID-10]', async (transport) => {
    await using server = await startRecordingServer()
    const { client, uid } = await connected(server, transport)
    await using _ = client
    const newInstanceUid = newUid()
    server.opamp.offer(uid, { newInstanceUid })
    const { agentIdentification } = await client.until((event) => event.agentIdentification !== undefined, 'identification')
    expect(Buffer.from(agentIdentification?.newInstanceUid ?? '', 'base64')).toEqual(Buffer.from(instanceUidToBytes(newInstanceUid)))
    const report = await server.untilReport((one) => one.uid === newInstanceUid, 'a report under the new uid')
    expect(parseInstanceUid(report.uid)).toBe(newInstanceUid)
  })

  it.each(transports)('custom messages both ways, of capabilities both sides announced, over %s [CM-01] [CM-08] [CM-10]', async (transport) => {
    await using server = await startRecordingServer({ customCapabilities: [chat] })
    const { client, uid } = await connected(server, transport, { customCapabilities: [chat] })
    await using _ = client
    const announced = await client.until((event) => event.customCapabilities !== undefined, "the server's list")
    expect(announced.customCapabilities?.capabilities).toEqual([chat])
    await client.sendCustomMessage(create(CustomMessageSchema, { capability: chat, type: 'hello', data: new Uint8Array([0, 255, 1]) }))
    const report = await server.untilReport(({ message }) => message.customMessage !== undefined, 'a custom message')
    expect(report.message.customMessage).toMatchObject({ capability: chat, type: 'hello', data: new Uint8Array([0, 255, 1]) })
    server.opamp.offer(uid, { customMessage: create(CustomMessageSchema, { capability: chat, type: 'answer', data: new Uint8Array([255]) }) })
    const { customMessage } = await client.until((event) => event.customMessage !== undefined, 'custom message')
    expect(customMessage).toEqual({ capability: chat, type: 'answer', data: Buffer.from([255]).toString('base64') })
  })

  it('no custom message of a capability it did not announce [CM-04]', async () => {
    await using server = await startRecordingServer({ customCapabilities: [chat] })
    const { client, uid } = await connected(server, 'websocket')
    await using _ = client
    server.opamp.offer(uid, { customMessage: create(CustomMessageSchema, { capability: chat, type: 'answer' }) })
    const beats = server.received.heartbeat
    await server.until(() => (server.received.heartbeat >= beats + 2 ? true : undefined), 'heartbeats')
    expect(client.events.filter((event) => event.text?.includes('Ignoring CustomMessage'))).toEqual([])
  })

  it.each(transports)('the question for its components, of which it first told the hash, over %s [AC-05] [AC-10]', async (transport) => {
    await using server = await startRecordingServer()
    server.answer = (report) =>
      report.message.availableComponents !== undefined && Object.keys(report.message.availableComponents.components).length === 0
        ? { reportAvailableComponents: true }
        : undefined
    await using client = goClient()
    await client.start(startOf(server, transport))
    const first = await server.untilReport(({ message }) => message.availableComponents !== undefined, 'a hash')
    expect(first.message.availableComponents?.components).toEqual({})
    const full = await server.untilReport(({ message }) => Object.keys(message.availableComponents?.components ?? {}).length > 0, 'the components')
    expect(Object.keys(full.message.availableComponents?.components['receivers']?.subComponentMap ?? {})).toEqual(['otlp'])
    expect(full.message.availableComponents?.hash).toEqual(first.message.availableComponents?.hash)
  })

  it('connection settings with another heartbeat interval, which it then keeps [HB-11]', async () => {
    await using server = await startRecordingServer()
    const { client, uid } = await connected(server, 'websocket', { heartbeatMs: 60_000 })
    await using _ = client
    server.opamp.offer(uid, { connectionSettings: settingsFor(server) })
    const { opamp } = await client.until((event) => event.event === 'opampSettings', 'settings')
    expect(opamp?.heartbeatIntervalSeconds).toBe('1')
    await server.until(() => (server.received.heartbeat >= 2 ? true : undefined), 'heartbeats a second apart')
  })

  it.each(transports)('of connection settings only what its capabilities name, over %s [K-01] [K-02] [K-03] [K-04]', async (transport) => {
    await using server = await startRecordingServer()
    const { client, uid } = await connected(server, transport, { capabilities: [...without('AcceptsOpAMPConnectionSettings'), 'ReportsOwnMetrics'] })
    await using _ = client
    server.opamp.offer(uid, { connectionSettings: settingsFor(server) })
    const { offers } = await client.until((event) => event.event === 'connectionSettings', 'settings')
    expect(offers).toMatchObject({ hash: Buffer.from([1, 2, 3]).toString('base64'), ownMetrics: { destinationEndpoint: 'http://127.0.0.1:4318/v1/metrics' } })
    expect(Object.keys(offers ?? {}).toSorted()).toEqual(['hash', 'ownMetrics'])
    const none = await connected(server, transport, { capabilities: without('AcceptsOpAMPConnectionSettings') })
    await using _none = none.client
    server.opamp.offer(none.uid, { connectionSettings: settingsFor(server) })
    const beats = server.received.heartbeat
    await server.until(() => (server.received.heartbeat >= beats + 4 ? true : undefined), 'heartbeats')
    // opamp-go says so in its log when it gets settings without the capability
    expect([...client.events, ...none.client.events].filter((event) => /Ignoring O/.test(event.text ?? ''))).toEqual([])
    expect(none.client.events.filter((event) => event.event === 'connectionSettings' || event.event === 'opampSettings')).toEqual([])
  })
})
