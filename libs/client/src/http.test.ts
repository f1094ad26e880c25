/** The client over plain HTTP, against a server that does what the test says. */
import { gunzipSync, gzipSync } from 'node:zlib'
import { create } from '@bufbuild/protobuf'
import {
  ComponentHealthSchema,
  CustomMessageSchema,
  EffectiveConfigSchema,
  encodeServerToAgent,
  instanceUidToBytes,
  parseInstanceUid,
  ServerErrorResponseType,
  ServerToAgentSchema,
} from '@drover/protocol'
import { settle } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { type RawHttpServer, rawHttpServer, settingsFor, type TestClient, testClient } from './test-peers.ts'

const health = (status: string) => create(ComponentHealthSchema, { healthy: true, status })
const uidB = parseInstanceUid('01900000-0000-7000-8000-00000000000b')
const configOf = (bytes: number, fill = 0) => create(EffectiveConfigSchema, { configMap: { configMap: { '': { body: new Uint8Array(bytes).fill(fill) } } } })

async function silence(server: RawHttpServer): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await settle()
  expect(server.exchanges.waiting).toBe(0)
}

/** Answers the first report and waits until the client has taken it in. */
async function connected(server: RawHttpServer, agent: TestClient): Promise<void> {
  agent.client.start()
  ;(await server.exchanges.next()).answer()
  await agent.statuses.find(({ state }) => state === 'connected')
}

async function waitOf(agent: TestClient): Promise<number> {
  const status = await agent.statuses.find(({ state }) => state === 'waiting')
  return status.state === 'waiting' ? status.retryAt - agent.clock.now() : Number.NaN
}

describe('a plain HTTP client', () => {
  it('posts its full report as the body, with the headers of the protocol [C-HTTP-01] [C-HTTP-11] [C-HTTP-18] [C-HTTP-19] [ST-01] [GEN-03]', async () => {
    await using server = await rawHttpServer()
    const headers = [['authorization', 'Bearer secret']] as const
    await using agent = await testClient(server.endpoint, { settings: settingsFor(server.endpoint, { headers }), capabilities: ['ReportsHealth'] })
    agent.client.start()
    const { request, message } = await server.exchanges.next()
    expect([request.method, request.url]).toEqual(['POST', '/v1/opamp'])
    expect(request.headers).toMatchObject({
      'content-type': 'application/x-protobuf',
      'accept-encoding': 'gzip',
      'opamp-instance-uid': agent.client.instanceUid,
      authorization: 'Bearer secret',
    })
    expect(message).toMatchObject({ sequenceNum: 0n, health: { healthy: true }, instanceUid: instanceUidToBytes(agent.client.instanceUid) })
  })

  it('polls every 30 seconds unless told otherwise, with a bare heartbeat [C-HTTP-03] [C-HTTP-04] [C-HTTP-05] [HB-07] [HB-09]', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint, { settings: settingsFor(server.endpoint, { heartbeatIntervalSeconds: 0 }) })
    await connected(server, agent)
    await agent.clock.advanceAsync(29_999)
    await silence(server)
    await agent.clock.advanceAsync(1)
    const { message } = await server.exchanges.next()
    expect(message).toMatchObject({ sequenceNum: 1n, capabilities: 1n })
    expect(message.agentDescription).toBeUndefined()
  })

  it('polls at the interval of its settings [C-HTTP-06]', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint, { settings: settingsFor(server.endpoint, { heartbeatIntervalSeconds: 5 }) })
    await connected(server, agent)
    await agent.clock.advanceAsync(5_000)
    expect((await server.exchanges.next()).message.sequenceNum).toBe(1n)
  })

  it('has one request in flight, and sends what changed meanwhile right after the answer [C-HTTP-08] [C-HTTP-09] [ST-04]', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['ReportsHealth'] })
    await connected(server, agent)
    agent.client.setHealth(health('one'))
    const first = await server.exchanges.next()
    agent.client.setHealth(health('two'))
    await agent.clock.advanceAsync(10_000)
    await silence(server)
    first.answer()
    const second = await server.exchanges.next()
    expect(second.message).toMatchObject({ sequenceNum: 2n, health: { status: 'two' } })
  })

  it('compresses what is worth it, and reads compressed answers [C-HTTP-14] [C-HTTP-15] [C-HTTP-24]', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['ReportsEffectiveConfig'] })
    agent.client.setEffectiveConfig(configOf(20_000))
    agent.client.start()
    const { request, body, message, ...first } = await server.exchanges.next()
    expect(request.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(body).length).toBeGreaterThan(20_000)
    expect(message.effectiveConfig?.configMap?.configMap['']?.body).toHaveLength(20_000)
    const answer = encodeServerToAgent(create(ServerToAgentSchema, { flags: 1n }))
    first.response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(answer))
    expect((await server.exchanges.next()).message.agentDescription).toBeDefined()
  })

  it('leaves short bodies as they are', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint)
    agent.client.start()
    expect((await server.exchanges.next()).request.headers['content-encoding']).toBeUndefined()
  })

  it('does without compression when the server does not take it', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['ReportsEffectiveConfig'] })
    agent.client.setEffectiveConfig(configOf(20_000))
    agent.client.start()
    ;(await server.exchanges.next()).fail(415)
    const again = await server.exchanges.next()
    expect([again.request.headers['content-encoding'], again.message.sequenceNum]).toEqual([undefined, 0n])
  })

  it.each([
    ['as it is', {}, (body: Uint8Array) => body],
    ['compressed', { 'content-encoding': 'gzip' }, (body: Uint8Array) => gzipSync(body)],
  ] as const)(
    'takes nothing of an answer that is too large %s, and counts the exchange as failed [C-HTTP-24] [C-HTTP-25] [C-HTTP-26] [C-HTTP-27] [B-HTTP-35]',
    async (_, headers, code) => {
      await using server = await rawHttpServer()
      let offers = 0
      await using agent = await testClient(server.endpoint, {
        capabilities: ['AcceptsRemoteConfig'],
        handler: { onRemoteConfig: () => void (offers += 1) },
        limits: { maxIncomingBytes: 1_000 },
      })
      agent.client.start()
      const body = encodeServerToAgent(create(ServerToAgentSchema, { remoteConfig: { configHash: new Uint8Array(990) } }))
      ;(await server.exchanges.next()).answerBytes(code(Buffer.concat([body, new Uint8Array(1_000)])), headers)
      expect(await agent.statuses.find(({ state }) => state === 'waiting')).toMatchObject({ lastError: 'the server sent a message larger than is taken' })
      expect(await agent.lines.find(({ message }) => message === 'Not connected')).toMatchObject({ fields: { code: 'oversized' } })
      expect(offers).toBe(0)
      await agent.clock.advanceAsync(1_000)
      expect((await server.exchanges.next()).message.agentDescription).toBeDefined()
    },
  )

  it('does not read on when an answer has become too large [C-HTTP-24]', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint, { limits: { maxIncomingBytes: 1_000 } })
    agent.client.start()
    const { response } = await server.exchanges.next()
    response.writeHead(200).write(new Uint8Array(1_001))
    expect(await agent.statuses.find(({ state }) => state === 'waiting')).toMatchObject({ lastError: 'the server sent a message larger than is taken' })
    expect(response.writableEnded).toBe(false)
  })

  it('does not repeat a request that was too large for the server [C-HTTP-23]', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['ReportsEffectiveConfig'] })
    agent.client.setEffectiveConfig(configOf(500))
    agent.client.start()
    ;(await server.exchanges.next()).fail(413)
    await waitOf(agent)
    await agent.clock.advanceAsync(1)
    const { message } = await server.exchanges.next()
    expect(message.agentDescription).toBeDefined()
    expect(message.effectiveConfig).toBeUndefined()
  })

  it('never sends what exceeds its own limit, and says what it left out [C-HTTP-31] [C-HTTP-32] [C-HTTP-33] [B-HTTP-35]', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['ReportsEffectiveConfig'], limits: { maxOutgoingBytes: 500 } })
    agent.client.setEffectiveConfig(configOf(600))
    agent.client.start()
    expect((await server.exchanges.next()).message.effectiveConfig).toBeUndefined()
    expect(await agent.lines.find(({ level }) => level === 'warn')).toMatchObject({ fields: { part: 'effectiveConfig' } })
  })

  it('waits as an overloaded server says, in seconds or until a date, and keeps what it had to say [TH-08] [TH-09] [TH-10] [TH-11] [CN-04]', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['ReportsHealth'] })
    await connected(server, agent)
    agent.client.setHealth(health('changed'))
    ;(await server.exchanges.next()).fail(429, { 'retry-after': '45' })
    expect(await waitOf(agent)).toBe(45_000)
    await agent.clock.advanceAsync(44_999)
    await silence(server)
    await agent.clock.advanceAsync(1)
    const next = await server.exchanges.next()
    expect(next.message.health?.status).toBe('changed')
    next.fail(503, { 'retry-after': new Date(agent.clock.now() + 50_000).toUTCString() })
    expect(await waitOf(agent)).toBe(50_000)
    await agent.clock.advanceAsync(50_000)
    ;(await server.exchanges.next()).fail(503)
    expect(await waitOf(agent)).toBe(30_000)
  })

  it('keeps what it had to say whatever else goes wrong, and tells all of it again [RT-01] [RT-03] [RT-07]', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['ReportsHealth'] })
    await connected(server, agent)
    agent.client.setHealth(health('changed'))
    ;(await server.exchanges.next()).fail(404)
    await waitOf(agent)
    await agent.clock.advanceAsync(1_000)
    const again = await server.exchanges.next()
    expect(again.message.health?.status).toBe('changed')
    expect(again.message.agentDescription).toBeDefined()
    again.response.destroy()
    await waitOf(agent)
    await agent.clock.advanceAsync(2_000)
    const third = await server.exchanges.next()
    expect(third.message.health?.status).toBe('changed')
    // No answer at all.
    await agent.clock.advanceAsync(15_000)
    expect(await agent.statuses.find((status) => status.state === 'waiting')).toMatchObject({ lastError: 'the server took too long to answer' })
  })

  it('does not repeat a message that was rejected, also with 400 [ERR-07] [ERR-08]', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint)
    agent.client.start()
    const reply = create(ServerToAgentSchema, { errorResponse: { type: ServerErrorResponseType.ServerErrorResponseType_BadRequest } })
    ;(await server.exchanges.next()).answerBytes(encodeServerToAgent(reply), {}, 400)
    await agent.statuses.find(({ state }) => state === 'connected')
    await silence(server)
    await agent.clock.advanceAsync(30_000)
    expect((await server.exchanges.next()).message.agentDescription).toBeUndefined()
  })

  it('names the same uid in header and body, also after it got another [C-HTTP-19] [UID-09]', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint)
    agent.client.start()
    ;(await server.exchanges.next()).answer({ agentIdentification: { newInstanceUid: instanceUidToBytes(uidB) } })
    const { request, message } = await server.exchanges.next()
    expect([request.headers['opamp-instance-uid'], message.instanceUid]).toEqual([uidB, instanceUidToBytes(uidB)])
  })

  it('sends a custom message again when its exchange failed, and says when it was answered', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint)
    agent.client.setCustomCapabilities(['com.example.test'])
    agent.client.start()
    ;(await server.exchanges.next()).answer({ customCapabilities: { capabilities: ['com.example.test'] } })
    let isSent = false
    const sent = agent.client.sendCustomMessage(create(CustomMessageSchema, { capability: 'com.example.test', type: 'one' })).then(() => (isSent = true))
    ;(await server.exchanges.next()).fail(500)
    await waitOf(agent)
    await agent.clock.advanceAsync(1_000)
    ;(await server.exchanges.next()).answer({ customCapabilities: { capabilities: ['com.example.test'] } })
    const again = await server.exchanges.next()
    expect([again.message.customMessage?.type, isSent]).toEqual(['one', false])
    again.answer()
    await sent
  })

  it('follows a redirect with the same POST, five at most', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint)
    agent.client.start()
    ;(await server.exchanges.next()).fail(308, { location: '/moved' })
    const second = await server.exchanges.next()
    expect([second.request.method, second.request.url, second.message.sequenceNum]).toEqual(['POST', '/moved', 0n])
    second.fail(307, { location: '/moved' })
    for (let turn = 0; turn < 4; turn++) (await server.exchanges.next()).fail(307, { location: '/moved' })
    expect(await agent.statuses.find(({ state }) => state === 'waiting')).toMatchObject({ lastError: 'the server redirected more than 5 times' })
  })

  it('says goodbye in its last request, after the one in flight [A2S-08] [CN-08]', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['ReportsHealth'] })
    await connected(server, agent)
    agent.client.setHealth(health('one'))
    const inFlight = await server.exchanges.next()
    agent.client.setHealth(health('stopped'))
    const stopped = agent.client.stop()
    await silence(server)
    inFlight.answer()
    const last = await server.exchanges.next()
    expect(last.message).toMatchObject({ health: { status: 'stopped' } })
    expect(last.message.agentDisconnect).toBeDefined()
    last.answer()
    await stopped
    expect(agent.clock.pending).toBe(0)
  })

  it('sends the custom messages that wait before its last message', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint)
    agent.client.setCustomCapabilities(['com.example.test'])
    agent.client.start()
    ;(await server.exchanges.next()).answer({ customCapabilities: { capabilities: ['com.example.test'] } })
    await agent.statuses.find(({ state }) => state === 'connected')
    const sent = ['one', 'two'].map((type) => agent.client.sendCustomMessage(create(CustomMessageSchema, { capability: 'com.example.test', type })))
    const stopped = agent.client.stop()
    for (const type of ['one', 'two']) {
      const exchange = await server.exchanges.next()
      expect([exchange.message.customMessage?.type, exchange.message.agentDisconnect !== undefined]).toEqual([type, type === 'two'])
      exchange.answer()
    }
    await Promise.all([...sent, stopped])
  })

  it('stops in time when the server does not answer', async () => {
    await using server = await rawHttpServer()
    await using agent = await testClient(server.endpoint)
    agent.client.start()
    await server.exchanges.next()
    const stopped = agent.client.stop(3_000)
    await agent.clock.advanceAsync(3_000)
    await stopped
    expect(agent.clock.pending).toBe(0)
  })
})
