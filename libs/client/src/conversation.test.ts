/** What is said on one connection: custom messages, versions, the last message. */
import { create } from '@bufbuild/protobuf'
import { type CommandType, ComponentHealthSchema, CustomMessageSchema, EffectiveConfigSchema, type ServerErrorResponseType } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { rawWebSocketServer, refuseUpgrade, silence, testClient } from './test-peers.ts'

const health = (status: string) => create(ComponentHealthSchema, { healthy: true, status })

describe('a WebSocket client and its peer', () => {
  it('speak whenever they have something to say, on whatever path is configured [B-WS-09] [GEN-04] [ST-07] [RC-04]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint.replace('/v1/opamp', '/fleet/a'), {
      capabilities: ['AcceptsRemoteConfig', 'ReportsEffectiveConfig'],
      handler: { onRemoteConfig: ({ config }) => agent.client.setEffectiveConfig(create(EffectiveConfigSchema, { configMap: config! })) }, // !: offered below
    })
    agent.client.start()
    const connection = await server.connections.next()
    expect(connection.request.url).toBe('/fleet/a')
    await connection.answer()
    const body = Uint8Array.of(0, 0xff, 0x80)
    connection.send({ remoteConfig: { configHash: Uint8Array.of(1), config: { configMap: { '': { body, contentType: '' } } } } })
    const report = await connection.messages.next()
    expect(report.effectiveConfig?.configMap?.configMap).toEqual({ '': expect.objectContaining({ body, contentType: '' }) })
  })

  it('may be of different versions: unknown fields and values are passed over [IO-01] [IO-06]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['AcceptsRestartCommand'] })
    agent.client.start()
    const connection = await server.connections.next()
    await connection.messages.next()
    // Field 6 (flags) = 1, and a field 1000 that nobody knows.
    connection.sendBytes(Uint8Array.of(0xc0, 0x3e, 1, 0x30, 1))
    expect((await connection.messages.next()).agentDescription).toBeDefined()
    connection.send({ errorResponse: { type: 99 as ServerErrorResponseType } }) // as: of a newer schema
    connection.send({ command: { type: 99 as CommandType } }) // as: of a newer schema
    await agent.lines.find(({ fields }) => fields['reason'] === 'a command of an unknown type')
    expect(agent.client.status.state).toBe('connected')
  })

  it('say nothing of OpAMP before the request is let in [AU-02]', async () => {
    const refused: string[] = []
    await using server = await rawWebSocketServer({
      refuse: (request, socket) => {
        if (request.headers['authorization'] === 'Bearer good') return false
        socket.on('data', (data) => refused.push(String(data)))
        return refuseUpgrade(socket, 401)
      },
    })
    await using agent = await testClient(server.endpoint)
    agent.client.start()
    expect(await agent.statuses.find(({ state }) => state === 'waiting')).toMatchObject({ lastError: 'the server refuses our credentials (HTTP 401)' })
    agent.client.setHeaderSource(() => [['authorization', 'Bearer good']])
    await agent.clock.advanceAsync(1_000)
    const connection = await server.connections.next()
    expect((await connection.messages.next()).agentDescription).toBeDefined()
    expect(refused).toEqual([])
  })
})

describe('custom messages', () => {
  const custom = (type: string) => create(CustomMessageSchema, { capability: 'com.example.test', type })

  it('wait for the list of the server, go out one by one, and come in [CM-01] [CM-02] [CM-04] [CM-08] [CM-10]', async () => {
    await using server = await rawWebSocketServer()
    const received: string[] = []
    const lists: (readonly string[])[] = []
    await using agent = await testClient(server.endpoint, {
      handler: { onCustomMessage: ({ type }) => received.push(type), onServerCustomCapabilities: (list) => lists.push(list) },
    })
    agent.client.setCustomCapabilities(['com.example.test'])
    const sent = [agent.client.sendCustomMessage(custom('one')), agent.client.sendCustomMessage(custom('two'))]
    agent.client.start()
    const connection = await server.connections.next()
    const first = await connection.answer({
      customCapabilities: { capabilities: ['com.example.test'] },
      customMessage: { capability: 'com.example.test', type: 'hello' },
    })
    expect([first.customCapabilities?.capabilities, first.customMessage]).toEqual([['com.example.test'], undefined])
    const next = await connection.messages.next()
    expect([next.customMessage?.type, next.customCapabilities]).toEqual(['one', undefined])
    expect((await connection.messages.next()).customMessage?.type).toBe('two')
    await Promise.all(sent)
    expect([received, lists]).toEqual([['hello'], [['com.example.test']]])
  })

  it('are refused when nobody would understand them, or too many wait [CM-06] [CM-08]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint)
    await expect(agent.client.sendCustomMessage(custom('x'))).rejects.toMatchObject({ code: 'not-announced' })
    agent.client.setCustomCapabilities(['com.example.test'])
    const waiting = Array.from({ length: 64 }, () => agent.client.sendCustomMessage(custom('x')))
    await expect(agent.client.sendCustomMessage(custom('x'))).rejects.toMatchObject({ code: 'full' })
    const rejected = Promise.allSettled(waiting)
    agent.client.start()
    const connection = await server.connections.next()
    await connection.answer()
    for (const outcome of await rejected) expect(outcome).toMatchObject({ reason: { code: 'unsupported' } })
    await silence(connection)
  })
})

describe('stopping', () => {
  it('sends the last values with agent_disconnect, then does the closing handshake [A2S-08] [CN-05] [CN-06]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['ReportsHealth'] })
    agent.client.start()
    const connection = await server.connections.next()
    await connection.answer()
    await agent.statuses.find(({ state }) => state === 'connected')
    agent.client.setHealth(health('stopped'))
    const stopped = agent.client.stop()
    const last = await connection.messages.next()
    expect(last).toMatchObject({ health: { status: 'stopped' } })
    expect(last.agentDisconnect).toBeDefined()
    expect(await connection.closed).toBe(1000)
    await stopped
    expect(agent.client.status).toEqual({ state: 'stopped' })
    expect(agent.clock.pending).toBe(0)
  })

  it('is bounded when the server does not take part', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint)
    agent.client.start()
    const connection = await server.connections.next()
    await connection.answer()
    connection.socket.pause()
    const stopped = agent.client.stop(3_000)
    await agent.clock.advanceAsync(3_000)
    await stopped
    expect(agent.clock.pending).toBe(0)
  })

  it('ends a wait, and an attempt to connect', async () => {
    await using server = await rawWebSocketServer({ refuse: (_, socket) => refuseUpgrade(socket, 503) })
    await using agent = await testClient(server.endpoint)
    agent.client.start()
    await agent.statuses.find(({ state }) => state === 'waiting')
    await agent.client.stop()
    expect(agent.clock.pending).toBe(0)
  })
})
