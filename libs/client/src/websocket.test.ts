/** The client over a WebSocket, against a server that does what the test says. */
import { create } from '@bufbuild/protobuf'
import { ComponentHealthSchema, EffectiveConfigSchema, instanceUidToBytes, parseInstanceUid, ServerErrorResponseType } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { settle } from '@drover/testing'
import { allAgentCapabilities, type RawConnection, rawWebSocketServer, refuseUpgrade, settingsFor, silence, testClient } from './test-peers.ts'

const unavailable = (retryAfterNanoseconds?: bigint) => ({
  errorResponse: {
    type: ServerErrorResponseType.ServerErrorResponseType_Unavailable,
    ...(retryAfterNanoseconds === undefined ? {} : { Details: { case: 'retryInfo' as const, value: { retryAfterNanoseconds } } }),
  },
})

const health = (status: string) => create(ComponentHealthSchema, { healthy: true, status })
const uidB = parseInstanceUid('01900000-0000-7000-8000-00000000000b')

describe('a WebSocket client', () => {
  it('begins with its full report in a binary message behind a header of 0, and awaits the answer [ST-01] [ST-02] [CN-01] [CN-02] [B-WS-01] [B-WS-02] [B-WS-03] [B-WS-08] [GEN-03]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['ReportsHealth'] })
    agent.client.start()
    const connection = await server.connections.next()
    expect(connection.request.url).toBe('/v1/opamp')
    const frame = new Promise<readonly [Buffer, boolean]>((resolve) =>
      connection.socket.once('message', (data: Buffer, isBinary: boolean) => resolve([data, isBinary])),
    )
    const [data, isBinary] = await frame
    expect([data[0], isBinary]).toEqual([0, true])
    const first = await connection.messages.next()
    expect(first).toMatchObject({ sequenceNum: 0n, health: { healthy: true }, capabilities: 0x801n })
    expect(first.agentDescription).toBeDefined()
    agent.client.setHealth(health('changed'))
    await silence(connection)
    connection.send({})
    expect((await connection.messages.next()).health?.status).toBe('changed')
  })

  it('tells of several changes of one turn in one message, with nothing unchanged [SC-01] [ST-04] [A2S-01]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint, { capabilities: allAgentCapabilities })
    agent.client.start()
    const connection = await server.connections.next()
    await connection.answer()
    await agent.statuses.find(({ state }) => state === 'connected')
    agent.client.setHealth(health('one'))
    agent.client.setEffectiveConfig(create(EffectiveConfigSchema, { configMap: {} }))
    agent.client.setHealth(health('two'))
    const message = await connection.answer()
    expect(message).toMatchObject({ sequenceNum: 1n, health: { status: 'two' } })
    expect(message.effectiveConfig).toBeDefined()
    expect(message.agentDescription).toBeUndefined()
    agent.client.setHealth(health('two'))
    await silence(connection)
  })

  it('connects again at once after a loss, reports in full and goes on counting [CN-11] [RT-03] [RT-06] [RT-07]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['ReportsHealth'] })
    agent.client.start()
    const first = await server.connections.next()
    await first.answer()
    await agent.statuses.find(({ state }) => state === 'connected')
    await agent.clock.advanceAsync(11_000)
    agent.client.setHealth(health('lost'))
    first.socket.terminate()
    await agent.statuses.find(({ state }) => state === 'waiting')
    await agent.clock.advanceAsync(1)
    const second = await server.connections.next()
    const report = await second.messages.next()
    expect(report.agentDescription).toBeDefined()
    expect(report.health?.status).toBe('lost')
    expect(report.sequenceNum).toBeGreaterThan(0n)
  })

  it('waits longer after each attempt that fails, up to a bound [CN-03] [CN-12] [TH-10]', async () => {
    let attempts = 0
    await using server = await rawWebSocketServer({
      refuse: (_, socket) => {
        attempts += 1
        return refuseUpgrade(socket, 500)
      },
    })
    await using agent = await testClient(server.endpoint, { random: (bytes) => void bytes.fill(255), retry: { baseMs: 1_000, maxMs: 3_000 } })
    agent.client.start()
    const waits: number[] = []
    for (let turn = 0; turn < 4; turn++) {
      const status = await agent.statuses.find(({ state }) => state === 'waiting')
      if (status.state !== 'waiting') throw new TypeError('found')
      waits.push(Math.round(status.retryAt - agent.clock.now()))
      expect(status.lastError).toBe('the server answered HTTP 500')
      agent.clock.advance(3_001)
    }
    expect(waits).toEqual([2_000, 3_000, 3_000, 3_000])
    expect(await agent.statuses.find(({ state }) => state === 'connecting')).toMatchObject({ lastError: 'the server answered HTTP 500' })
    expect(attempts).toBeGreaterThanOrEqual(4)
  })

  it('waits as long as a refused upgrade says, in seconds or until a date [CN-04] [TH-08] [TH-09]', async () => {
    const answers = [{ 'retry-after': '120' }, { 'retry-after': 'Thu, 01 Jan 2026 01:00:00 GMT' }, {}]
    await using server = await rawWebSocketServer({ refuse: (_, socket) => refuseUpgrade(socket, 503, answers.shift() ?? {}) })
    await using agent = await testClient(server.endpoint)
    agent.client.start()
    const wait = async () => {
      const status = await agent.statuses.find(({ state }) => state === 'waiting')
      if (status.state !== 'waiting') throw new TypeError('found')
      return status.retryAt - agent.clock.now()
    }
    expect(await wait()).toBe(120_000)
    agent.clock.advance(120_000)
    expect(await wait()).toBe(Date.UTC(2026, 0, 1, 1) - agent.clock.now())
    agent.clock.advance(3_600_000)
    // Without a word on how long: at least half a minute.
    expect(await wait()).toBe(30_000)
  })

  it('leaves a server that is unavailable, waits as it was told and comes back [TH-02] [TH-04] [TH-11] [CN-05] [CN-06] [RT-04]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint)
    agent.client.start()
    const connection = await server.connections.next()
    await connection.answer(unavailable(90_000_000_000n))
    expect((await connection.messages.next()).agentDisconnect).toBeDefined()
    expect(await connection.closed).toBe(1000)
    const status = await agent.statuses.find(({ state }) => state === 'waiting')
    expect(status.state === 'waiting' && status.retryAt - agent.clock.now()).toBe(90_000)
    await agent.clock.advanceAsync(89_999)
    expect(server.connections.waiting).toBe(0)
    await agent.clock.advanceAsync(1)
    const again = await server.connections.next()
    expect((await again.answer(unavailable())).agentDescription).toBeDefined()
    const second = await agent.statuses.find(({ state }) => state === 'waiting')
    expect(second.state === 'waiting' && second.retryAt - agent.clock.now()).toBe(30_000)
  })

  it('does not repeat a message that was rejected, and stays connected [ERR-07] [ERR-08]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['ReportsHealth'] })
    agent.client.start()
    const connection = await server.connections.next()
    await connection.answer({ errorResponse: { type: ServerErrorResponseType.ServerErrorResponseType_BadRequest } })
    await agent.statuses.find(({ state }) => state === 'connected')
    await silence(connection)
    agent.client.setHealth(health('next'))
    const next = await connection.messages.next()
    expect(next.agentDescription).toBeUndefined()
    expect(next.health?.status).toBe('next')
  })

  it('answers a request for the full state with all of it, and a server that never has enough not in a tight loop [S2A-11]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['ReportsHealth'] })
    agent.client.start()
    const connection = await server.connections.next()
    for (let turn = 0; turn < 5; turn++) expect((await connection.answer({ flags: 1n })).agentDescription).toBeDefined()
    await silence(connection)
    await agent.clock.advanceAsync(10_000)
    expect((await connection.messages.next()).agentDescription).toBeDefined()
  })

  it('sends a heartbeat one interval after the last message of any kind [HB-01] [HB-02] [HB-03] [HB-06] [HB-09] [HB-12]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['ReportsHeartbeat', 'ReportsHealth'] })
    agent.client.start()
    const connection = await server.connections.next()
    await connection.answer()
    await agent.statuses.find(({ state }) => state === 'connected')
    await agent.clock.advanceAsync(29_000)
    agent.client.setHealth(health('changed'))
    await connection.answer()
    await agent.clock.advanceAsync(29_999)
    await silence(connection)
    await agent.clock.advanceAsync(1)
    const heartbeat = await connection.messages.next()
    expect(heartbeat).toMatchObject({ instanceUid: instanceUidToBytes(agent.client.instanceUid), sequenceNum: 2n })
    expect([heartbeat.health, heartbeat.agentDescription]).toEqual([undefined, undefined])
  })

  it('sends none with an interval of 0, or without the capability [HB-05] [HB-14]', async () => {
    await using server = await rawWebSocketServer()
    for (const options of [
      { settings: settingsFor(server.endpoint, { heartbeatIntervalSeconds: 0 }), capabilities: ['ReportsHeartbeat'] as const },
      { capabilities: [] },
    ]) {
      await using agent = await testClient(server.endpoint, options)
      agent.client.start()
      const connection = await server.connections.next()
      await connection.answer()
      await agent.statuses.find(({ state }) => state === 'connected')
      await agent.clock.advanceAsync(29_000)
      await agent.clock.advanceAsync(29_000)
      await silence(connection)
    }
  })

  it('takes another instance uid at once, and stores it before it tells [UID-04] [UID-05] [UID-06] [UID-09] [RT-07]', async () => {
    await using server = await rawWebSocketServer()
    const told: string[] = []
    await using agent = await testClient(server.endpoint, { handler: { onInstanceUid: (uid) => told.push(uid) } })
    agent.client.requestInstanceUid()
    agent.client.start()
    const connection = await server.connections.next()
    const before = instanceUidToBytes(agent.client.instanceUid)
    expect(await connection.answer({ instanceUid: before, agentIdentification: { newInstanceUid: instanceUidToBytes(uidB) } })).toMatchObject({
      flags: 1n,
      instanceUid: before,
    })
    const next = await connection.messages.next()
    expect(next).toMatchObject({ flags: 0n, instanceUid: instanceUidToBytes(uidB) })
    expect(next.agentDescription).toBeDefined()
    await settle()
    expect([told, agent.client.instanceUid]).toEqual([[uidB], uidB])
  })

  it('closes with 1009 when a message is too large, and connects again [C-WS-13] [C-WS-14] [C-WS-15] [B-WS-23]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint, { limits: { maxIncomingBytes: 1_000 } })
    agent.client.start()
    const connection = await server.connections.next()
    await connection.answer()
    connection.sendBytes(new Uint8Array(1_001))
    expect(await connection.closed).toBe(1009)
    const status = await agent.statuses.find(({ state }) => state === 'waiting')
    expect(status).toMatchObject({ lastError: 'the server sent a message larger than is taken' })
    await agent.clock.advanceAsync(1_000)
    await server.connections.next()
  })

  it.each([
    ['a text message', (connection: RawConnection) => connection.socket.send('hello'), 1003, 'the server sent a text message'],
    [
      'a header that is not 0',
      (connection: RawConnection) => connection.socket.send(Uint8Array.of(1, 0)),
      1002,
      'the server sent a message whose header is not 0',
    ],
    [
      'bytes that are no message',
      (connection: RawConnection) => connection.socket.send(Uint8Array.of(0, 0xff)),
      1007,
      'the server sent a message that cannot be read',
    ],
  ] as const)('closes the connection for %s [B-WS-01] [B-WS-04] [B-WS-05] [SEC-01]', async (_, misbehave, code, lastError) => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint)
    agent.client.start()
    const connection = await server.connections.next()
    await connection.answer()
    misbehave(connection)
    expect(await connection.closed).toBe(code)
    expect(await agent.statuses.find(({ state }) => state === 'waiting')).toMatchObject({ lastError })
  })

  it('takes a message of no bytes and one behind an overlong header [B-WS-06] [B-WS-07]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint)
    agent.client.start()
    const connection = await server.connections.next()
    await connection.messages.next()
    connection.socket.send(Uint8Array.of(0))
    await agent.statuses.find(({ state }) => state === 'connected')
    connection.socket.send(Uint8Array.of(0x80, 0x80, 0, 0x30, 1))
    expect((await connection.messages.next()).agentDescription).toBeDefined()
  })

  it('never sends what exceeds its own limit, and says what it left out [C-WS-19] [C-WS-20] [C-WS-21] [B-WS-23]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['ReportsEffectiveConfig', 'ReportsHealth'], limits: { maxOutgoingBytes: 500 } })
    agent.client.setEffectiveConfig(create(EffectiveConfigSchema, { configMap: { configMap: { '': { body: new Uint8Array(600) } } } }))
    agent.client.start()
    const connection = await server.connections.next()
    const report = await connection.answer()
    expect(report.effectiveConfig).toBeUndefined()
    expect(report.agentDescription).toBeDefined()
    expect(await agent.lines.find(({ level }) => level === 'warn')).toMatchObject({ fields: { part: 'effectiveConfig', maxBytes: 500 } })
    agent.client.setEffectiveConfig(create(EffectiveConfigSchema, { configMap: { configMap: { '': { body: new Uint8Array(10) } } } }))
    expect((await connection.messages.next()).effectiveConfig).toBeDefined()
  })

  it('leaves out what the server found too large on the next connection', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint, { capabilities: ['ReportsEffectiveConfig'] })
    agent.client.setEffectiveConfig(create(EffectiveConfigSchema, { configMap: { configMap: { '': { body: new Uint8Array(600) } } } }))
    agent.client.start()
    const connection = await server.connections.next()
    expect((await connection.messages.next()).effectiveConfig).toBeDefined()
    connection.socket.close(1009)
    await agent.statuses.find(({ state }) => state === 'waiting')
    await agent.clock.advanceAsync(1)
    const second = await server.connections.next()
    const report = await second.messages.next()
    expect(report.agentDescription).toBeDefined()
    expect(report.effectiveConfig).toBeUndefined()
  })

  it('gives up a server that is silent for too long, and one that never answers the first report [RT-01] [RT-02]', async () => {
    await using server = await rawWebSocketServer()
    await using agent = await testClient(server.endpoint, { limits: { responseTimeoutMs: 7_000 } })
    agent.client.start()
    const connection = await server.connections.next()
    await connection.messages.next()
    await agent.clock.advanceAsync(7_000)
    expect((await connection.messages.next()).agentDisconnect).toBeDefined()
    expect(await agent.statuses.find(({ state }) => state === 'waiting')).toMatchObject({ lastError: 'the server did not answer the first report' })
    await agent.clock.advanceAsync(1)
    const second = await server.connections.next()
    await second.answer()
    await agent.statuses.find(({ state }) => state === 'connected')
    // Half open: nothing that the server's machine sends arrives any more.
    second.socket.pause()
    for (let turn = 0; turn < 8; turn++) await agent.clock.advanceAsync(10_000)
    expect(await agent.statuses.find(({ state }) => state === 'waiting')).toMatchObject({ lastError: 'the server does not answer any more' })
  })

  it('follows redirects, five at most', async () => {
    await using target = await rawWebSocketServer()
    let redirects = 0
    await using server = await rawWebSocketServer({
      refuse: (request, socket) => {
        redirects += 1
        const location = request.url === '/loop' ? '/loop' : `http://localhost:${target.port}/elsewhere`
        return refuseUpgrade(socket, 307, { location })
      },
    })
    const headers = [['authorization', 'Bearer secret']] as const
    await using agent = await testClient(server.endpoint, { settings: settingsFor(server.endpoint, { headers }) })
    agent.client.start()
    const connection = await target.connections.next()
    expect([connection.request.url, connection.request.headers['authorization']]).toEqual(['/elsewhere', 'Bearer secret'])
    await using looping = await testClient(`ws://localhost:${server.port}/loop`)
    redirects = 0
    looping.client.start()
    expect(await looping.statuses.find(({ state }) => state === 'waiting')).toMatchObject({ lastError: 'the server redirected more than 5 times' })
    expect(redirects).toBe(6)
  })

  it('gives up a connection that takes too long', async () => {
    const held: { destroy(): void }[] = []
    const isHeld = Promise.withResolvers<void>()
    await using server = await rawWebSocketServer({
      refuse: (_, socket) => {
        held.push(socket)
        isHeld.resolve()
        return true
      },
    })
    await using agent = await testClient(server.endpoint)
    agent.client.start()
    await isHeld.promise
    await agent.clock.advanceAsync(10_000)
    expect(await agent.statuses.find(({ state }) => state === 'waiting')).toMatchObject({ lastError: 'the connection took too long' })
    for (const socket of held) socket.destroy()
  })

  it('sends the headers of its settings and those that change, for each connection anew [AU-01] [KM-02]', async () => {
    await using server = await rawWebSocketServer()
    const headers = [
      ['x-fleet', 'a'],
      ['X-Fleet', 'b'],
    ] as const
    await using agent = await testClient(server.endpoint, { settings: settingsFor(server.endpoint, { headers }) })
    let token = 1
    agent.client.setHeaderSource(() => [['authorization', `Bearer ${token++}`]])
    agent.client.start()
    const first = await server.connections.next()
    expect([first.request.headers['x-fleet'], first.request.headers['authorization']]).toEqual(['a, b', 'Bearer 1'])
    first.socket.terminate()
    await agent.statuses.find(({ state }) => state === 'waiting')
    await agent.clock.advanceAsync(1_000)
    expect((await server.connections.next()).request.headers['authorization']).toBe('Bearer 2')
  })
})
