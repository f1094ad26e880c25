/** The client as a whole: what it remembers, and how it gets on with a complete server. */
import { createServer } from 'node:http'
import { create } from '@bufbuild/protobuf'
import {
  AvailableComponentsSchema,
  ComponentHealthSchema,
  type CustomMessage,
  CustomMessageSchema,
  EffectiveConfigSchema,
  parseInstanceUid,
  RemoteConfigStatuses,
  RemoteConfigStatusSchema,
} from '@drover/protocol'
import { type AgentReport, createOpampServer, type Offer, prepareRemoteConfig } from '@drover/server'
import { settle } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { defaultClientLimits } from './limits.ts'
import type { ClientStore } from './store.ts'
import { memoryStore } from './stores/memory-store.ts'
import { allAgentCapabilities, Queue, rawHttpServer, rawWebSocketServer, testClient } from './test-peers.ts'

const applied = (hash: number) =>
  create(RemoteConfigStatusSchema, { lastRemoteConfigHash: Uint8Array.of(hash), status: RemoteConfigStatuses.RemoteConfigStatuses_APPLIED })

describe('what a client remembers', () => {
  it('is its instance uid: one that is given, or stored, or a new UUID version 7 [UID-01] [UID-02] [UID-03] [UID-04]', async () => {
    const store = memoryStore()
    await using first = await testClient('ws://localhost/', { store })
    const uid = first.client.instanceUid
    expect(uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/)
    await using second = await testClient('ws://localhost/', { store, random: (bytes) => void bytes.fill(1) })
    expect(second.client.instanceUid).toBe(uid)
    const given = parseInstanceUid('01900000-0000-7000-8000-00000000000f')
    await using third = await testClient('ws://localhost/', { store, instanceUid: given })
    await using fourth = await testClient('ws://localhost/', { store })
    expect([third.client.instanceUid, fourth.client.instanceUid]).toEqual([given, given])
  })

  it('is the fate of the last configuration', async () => {
    await using server = await rawWebSocketServer()
    const memory = memoryStore()
    // A disk takes its time.
    const store: ClientStore = { ...memory, write: (name, value) => settle().then(() => memory.write(name, value)) }
    await using first = await testClient(server.endpoint, { store })
    first.client.setRemoteConfigStatus(applied(1))
    first.client.setRemoteConfigStatus(applied(2))
    await first.client.stop()
    await using second = await testClient(server.endpoint, { store, capabilities: ['ReportsRemoteConfig'] })
    second.client.start()
    const report = await (await server.connections.next()).messages.next()
    expect(report.remoteConfigStatus).toEqual(applied(2))
  })

  it('is left aside when it cannot be read', async () => {
    const store = memoryStore()
    for (const name of ['instance-uid', 'remote-config-status', 'connection-settings', 'connection-settings-candidate'])
      await store.write(name, Uint8Array.of(0xff, 0xff))
    await using agent = await testClient('ws://localhost/', { store })
    expect(agent.lines.all.map(({ level, fields }) => [level, fields['name']])).toContainEqual(['warn', 'instance-uid'])
    expect(agent.client.settings.endpoint).toBe('ws://localhost/')
  })
})

describe('a client', () => {
  it('needs a usable endpoint, a description, and the health that it promises', async () => {
    await expect(testClient('localhost:4320')).rejects.toThrow('the endpoint must begin with ws, wss, http or https')
    await expect(testClient('not a url')).rejects.toThrow('the endpoint is not a URL')
    await using agent = await testClient('ws://localhost:1/')
    agent.client.start()
    expect(() => agent.client.start()).toThrow('a client is started once')
    expect(() => agent.client.setRemoteConfigStatus(create(RemoteConfigStatusSchema, { status: 1 }))).toThrow('needs the hash')
  })

  it('has the size limits of the specification by default [B-WS-22] [B-HTTP-34]', () => {
    expect([defaultClientLimits.maxIncomingBytes, defaultClientLimits.maxOutgoingBytes]).toEqual([64 * 1024 * 1024, 64 * 1024 * 1024])
  })

  it('goes on when the handler fails, and reports a configuration that it could not take in as failed [RC-21]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint, {
      capabilities: ['AcceptsRemoteConfig', 'ReportsRemoteConfig', 'AcceptsRestartCommand'],
      handler: {
        onRemoteConfig: () => {
          throw new Error('oh')
        },
        onRestart: () => {
          throw new Error('no')
        },
      },
    })
    agent.client.start()
    const connection = await server.connections.next()
    await connection.answer({ command: {} })
    connection.send({ remoteConfig: { configHash: Uint8Array.of(1) } })
    const { remoteConfigStatus } = await connection.messages.next()
    expect(remoteConfigStatus).toMatchObject({ status: RemoteConfigStatuses.RemoteConfigStatuses_FAILED, lastRemoteConfigHash: Uint8Array.of(1) })
    expect(remoteConfigStatus?.errorMessage).not.toBe('')
  })

  it('never shows credentials in its log or its status', async () => {
    await using agent = await testClient('ws://user:password@localhost:1/path?token=secret', {
      settings: {
        endpoint: 'ws://user:password@localhost:1/path?token=secret',
        headers: [['authorization', 'Bearer secret\u0000']],
        tls: {},
        proxy: { kind: 'none' },
        heartbeatIntervalSeconds: 30,
      },
    })
    agent.client.start()
    const status = await agent.statuses.find(({ state }) => state === 'waiting')
    expect(status).toMatchObject({ endpoint: 'ws://localhost:1/path' })
    expect(JSON.stringify([agent.statuses.all, agent.lines.all])).not.toMatch(/secret|password/)
  })
})

describe.each(['ws', 'http'])('a client with a complete server over %s', (scheme) => {
  it('reports everything, takes what is offered, and says goodbye [CAP-14] [S2A-03] [RC-01] [RC-03] [RC-04] [AC-06] [CM-01]', async () => {
    const reports = new Queue<AgentReport>()
    const messages = new Queue<CustomMessage>()
    const gone = new Queue<string>()
    const hash = Uint8Array.of(5)
    const wanted = prepareRemoteConfig([{ name: 'collector.yaml', contentType: 'text/yaml', body: Uint8Array.of(1, 2) }], hash)
    const offerFor = ({ message, first }: AgentReport): Offer | undefined => {
      if (message.customMessage !== undefined) messages.put(message.customMessage)
      return first && message.remoteConfigStatus?.lastRemoteConfigHash.length === 0 ? { remoteConfig: wanted, reportAvailableComponents: true } : undefined
    }
    await using server = createOpampServer({
      capabilities: ['AcceptsStatus', 'OffersRemoteConfig', 'AcceptsEffectiveConfig'],
      customCapabilities: ['com.example.test'],
      handler: {
        authenticate: () => ({ kind: 'accept', principal: 'agent' }),
        onReport: (report) => {
          reports.put(report)
          return offerFor(report)
        },
        onDisconnect: ({ reason }) => gone.put(reason),
        onDuplicate: ({ uid }) => gone.put(`duplicate ${uid}`),
      },
    })
    const http = createServer()
    server.attach(http)
    await using raw = await rawHttpServer(http)
    await using agent = await testClient(`${scheme}://localhost:${raw.port}/v1/opamp`, {
      capabilities: allAgentCapabilities,
      handler: {
        onRemoteConfig: ({ configHash }) =>
          agent.client.setRemoteConfigStatus(create(RemoteConfigStatusSchema, { ...applied(0), lastRemoteConfigHash: configHash })),
      },
    })
    const { client } = agent
    client.setCustomCapabilities(['com.example.test'])
    client.setEffectiveConfig(create(EffectiveConfigSchema, { configMap: { configMap: { '': { body: Uint8Array.of(1) } } } }))
    client.setAvailableComponents(create(AvailableComponentsSchema, { components: { receivers: {} } }))
    client.start()
    const first = await reports.next()
    expect([first.first, first.complete, first.message.availableComponents?.components]).toEqual([true, true, {}])
    const second = await reports.next()
    expect(second.message.remoteConfigStatus).toMatchObject({ lastRemoteConfigHash: hash, status: RemoteConfigStatuses.RemoteConfigStatuses_APPLIED })
    expect(Object.keys(second.message.availableComponents?.components ?? {})).toEqual(['receivers'])
    await client.sendCustomMessage(create(CustomMessageSchema, { capability: 'com.example.test', type: 'hello' }))
    expect((await messages.next()).type).toBe('hello')
    client.setHealth(create(ComponentHealthSchema, { healthy: false, lastError: 'disk full' }))
    const changed = await reports.find(({ present }) => present.includes('health'))
    expect(changed.present).toEqual(['health'])
    await agent.client.stop()
    expect(await gone.next()).toBe('agent-disconnect')
  })
})
