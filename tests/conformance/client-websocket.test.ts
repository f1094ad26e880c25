/** Our client on a WebSocket against a raw server: frames, sizes, heartbeats, and how connections end. */
import { create, toBinary } from '@bufbuild/protobuf'
import { defaultClientLimits } from '@drover/client'
import type { OpampClient } from '@drover/client'
import { CustomMessageSchema, ServerErrorResponseType, ServerToAgentFlags, ServerToAgentSchema, encodeFrame, instanceUidToBytes } from '@drover/protocol'
import { FakeClock } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { effectiveConfig, health, newUid } from './agent-values.ts'
import { AgentUnderTest, quickRetry, setEverything, withoutCapability } from './client-under-test.ts'
import type { AgentOptions } from './client-under-test.ts'
import { RawServer } from './raw-server.ts'
import type { Answer } from './scripted-server.ts'

const fullState = BigInt(ServerToAgentFlags.ServerToAgentFlags_ReportFullState)
const { ServerErrorResponseType_BadRequest, ServerErrorResponseType_Unavailable, ServerErrorResponseType_Unknown } = ServerErrorResponseType

/** Connected, with the first exchange over. */
async function connect(server: RawServer, options: AgentOptions = {}): Promise<AgentUnderTest> {
  const agent = await AgentUnderTest.start(server, 'websocket', options)
  await agent.untilStatus('connected')
  return agent
}

const messageOf = (message: Answer) => toBinary(ServerToAgentSchema, create(ServerToAgentSchema, message))

/** With the clock in hand, so that 30 seconds pass at once. */
async function connectWithClock(server: RawServer, options: AgentOptions = {}): Promise<{ agent: AgentUnderTest; clock: FakeClock }> {
  const clock = new FakeClock()
  const agent = await connect(server, { clock, ...options })
  return { agent, clock }
}

describe('the WebSocket messages of our client', () => {
  it('are binary and begin with one zero byte, on the path of the specification and without other headers of OpAMP [B-WS-01] [B-WS-02] [B-WS-03] [B-WS-08] [CN-01] [GEN-03]', async () => {
    await using server = await RawServer.start()
    await using agent = await connect(server)
    agent.client.setHealth(health(false))
    await server.message(1)
    expect(server.bytes.map(({ isBinary, bytes }) => [isBinary, bytes[0]])).toEqual([
      [true, 0],
      [true, 0],
    ])
    expect(server.requests[0]).toMatchObject({ method: 'GET', path: '/v1/opamp' })
    expect(server.requests[0]?.headers['content-type']).toBeUndefined()
  })

  it('go to whatever path is configured [GEN-04]', async () => {
    await using server = await RawServer.start()
    await using agent = await AgentUnderTest.startAt(server.url('websocket').replace('/v1/opamp', '/agents?site=1'))
    await agent.untilStatus('connected')
    expect(server.requests[0]?.path).toBe('/agents?site=1')
  })
})

describe('what a server sends our client over a WebSocket', () => {
  it('may come at any time, with a header of several bytes, or be empty [B-WS-06] [B-WS-07] [B-WS-09] [S2A-01]', async () => {
    await using server = await RawServer.start()
    await using agent = await connect(server)
    server.sendBytes(Uint8Array.of(0))
    server.sendBytes(Buffer.concat([Uint8Array.of(0x80, 0x80, 0), messageOf({ flags: fullState })]))
    expect((await server.message(1)).agentDescription).toBeDefined()
    expect(server.closed).toEqual([])
    expect(agent.client.status.state).toBe('connected')
  })

  it.each([
    ['a header that is not 0', Uint8Array.of(1, 0x0a, 0), true],
    ['no header, as before 2023', messageOf({ flags: fullState, instanceUid: instanceUidToBytes(newUid()) }), true],
    ['a text message', new TextEncoder().encode('\0'), false],
    ['bytes that are no message', Uint8Array.of(0, 0xff, 0xff), true],
  ] as const)(
    'is malformed with %s: the connection is left for a new one and nothing of it is obeyed [B-WS-01] [B-WS-04] [B-WS-05] [T-12]',
    async (_, bytes, isBinary) => {
      await using server = await RawServer.start()
      await using agent = await connect(server)
      server.sendBytes(bytes, isBinary)
      await server.until(() => server.closes[0], 'the end of the connection')
      expect(server.closes[0]?.code).toBeGreaterThanOrEqual(1002)
      const again = await server.message(1)
      expect(again.sequenceNum).toBe(1n)
      expect(server.messages.map(({ connection }) => connection)).toEqual([1, 2])
      expect(agent.configs).toEqual([])
    },
  )

  it.each([['plain'], ['compressed']])(
    'is malformed above the limit, and the connection closed with 1009, when it comes %s [C-WS-13] [C-WS-14] [C-WS-15]',
    async (form) => {
      await using server = await RawServer.start(form === 'compressed' ? { compression: true } : {})
      await using agent = await connect(server, { limits: { maxIncomingBytes: 64 * 1024 } })
      server.sendBytes(
        encodeFrame(messageOf({ remoteConfig: { configHash: Uint8Array.of(1), config: { configMap: { a: { body: new Uint8Array(64 * 1024) } } } } })),
      )
      const { code } = await server.until(() => server.closes[0], 'the end of the connection')
      expect(code).toBe(1009)
      expect(agent.configs).toEqual([])
      await server.message(1)
    },
  )

  it('is limited to 64 MiB unless configured otherwise, both ways [B-WS-22] [B-WS-23] [B-HTTP-34] [B-HTTP-35]', async () => {
    expect(defaultClientLimits).toMatchObject({ maxIncomingBytes: 64 * 1024 * 1024, maxOutgoingBytes: 64 * 1024 * 1024 })
    await using server = await RawServer.start()
    await using agent = await connect(server, { limits: { maxIncomingBytes: 1024 * 1024 } })
    const body = new Uint8Array(512 * 1024)
    await server.send({ remoteConfig: { configHash: Uint8Array.of(1), config: { configMap: { a: { body } } } } })
    await agent.untilCount(agent.configs, 1, 'the configuration')
    expect(server.closed).toEqual([])
  })

  it('is never asked to take more than the limit: the part that is too large is left out and the log says so [C-WS-19] [C-WS-20] [C-WS-21]', async () => {
    await using server = await RawServer.start()
    await using agent = await connect(server, { limits: { maxOutgoingBytes: 16 * 1024 } })
    agent.client.setEffectiveConfig(effectiveConfig('x'.repeat(32 * 1024)))
    await agent.until(() => agent.logged.find(({ level, message }) => level === 'warn' && /large/.test(message)), 'a word in the log')
    agent.client.setHealth(health(false))
    await server.untilMessage(({ health: tree }) => tree?.healthy === false, 'the health')
    expect(server.messages.slice(1).every(({ message }) => message.effectiveConfig === undefined)).toBe(true)
    expect(Math.max(...server.bytes.map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(16 * 1024 + 1)
  })

  it('may be a ping, which it answers', async () => {
    await using server = await RawServer.start()
    await using agent = await connect(server)
    await server.ping()
    expect(agent.client.status.state).toBe('connected')
  })
})

describe('a custom message of our client', () => {
  const chat = 'io.drover.test.chat'
  const hello = create(CustomMessageSchema, { capability: chat, type: 'say', data: Uint8Array.of(1) })
  const prepare = (client: OpampClient) => {
    setEverything(client)
    client.setCustomCapabilities([chat])
  }

  it('waits until the server has said what it knows, and is not sent when that lacks its capability [CM-04] [CM-08]', async () => {
    await using server = await RawServer.start()
    await using agent = await AgentUnderTest.start(server, 'websocket', { prepare })
    await expect(agent.client.sendCustomMessage(hello)).rejects.toMatchObject({ code: 'unsupported' })
    expect(server.messages.every(({ message }) => message.customMessage === undefined)).toBe(true)
  })

  it('goes by the latest list of the server, which takes the place of the one before [CM-03]', async () => {
    await using server = await RawServer.start({ customCapabilities: ['io.drover.test.other'] })
    await using agent = await connect(server, { prepare })
    await server.send({ customCapabilities: { capabilities: [chat] } })
    await agent.untilCount(agent.serverCustomCapabilities, 2, 'the second list')
    await agent.client.sendCustomMessage(hello)
    expect((await server.message(1)).customMessage?.capability).toBe(chat)
    await server.send({ customCapabilities: { capabilities: [] } })
    await agent.untilCount(agent.serverCustomCapabilities, 3, 'the third list')
    await expect(agent.client.sendCustomMessage(hello)).rejects.toMatchObject({ code: 'unsupported' })
  })
})

describe('a heartbeat of our client on a WebSocket', () => {
  it('comes 30 seconds after the last message of any kind, with no more than it must have [HB-02] [HB-03] [HB-06] [HB-09] [HB-12] [SC-01]', async () => {
    await using server = await RawServer.start()
    const { agent, clock } = await connectWithClock(server)
    await using _ = agent
    clock.advance(20_000)
    agent.client.setHealth(health(false))
    await server.message(1)
    clock.advance(29_000)
    await server.ping()
    expect(server.messages).toHaveLength(2)
    clock.advance(1_000)
    const heartbeat = await server.message(2)
    expect(Object.entries(heartbeat).filter(([name, value]) => name !== '$typeName' && value !== undefined && value !== 0n)).toEqual([
      ['instanceUid', instanceUidToBytes(agent.client.instanceUid)],
      ['sequenceNum', 2n],
      ['capabilities', heartbeat.capabilities],
    ])
    clock.advance(30_000)
    expect((await server.message(3)).sequenceNum).toBe(3n)
  })

  it('comes at the interval that was configured, and at the one that the server offers, and stops at an offered 0 [HB-04] [HB-05] [T-19]', async () => {
    await using server = await RawServer.start()
    const { agent, clock } = await connectWithClock(server, {
      settings: { heartbeatIntervalSeconds: 10 },
      capabilities: withoutCapability('AcceptsOpAMPConnectionSettings'),
    })
    await using _ = agent
    clock.advance(10_000)
    await server.message(1)
    const offer = (seconds: bigint) =>
      server.send({
        connectionSettings: {
          hash: Uint8Array.of(Number(seconds) + 1),
          opamp: { destinationEndpoint: server.url('websocket'), heartbeatIntervalSeconds: seconds },
        },
      })
    await offer(3n)
    await server.ping()
    clock.advance(3_000)
    await server.message(2)
    await offer(0n)
    await server.ping()
    for (let times = 0; times < 20; times++) {
      clock.advance(30_000)
      await server.ping() // a server that says nothing at all for longer is taken for dead
    }
    expect(server.messages).toHaveLength(3)
    expect(server.closed).toEqual([])
  })

  it('is left out where it was not promised [HB-14]', async () => {
    await using server = await RawServer.start()
    const { agent, clock } = await connectWithClock(server, { capabilities: withoutCapability('ReportsHeartbeat') })
    await using _ = agent
    clock.advance(29_000)
    await server.ping()
    clock.advance(29_000)
    await server.ping()
    expect(server.messages).toHaveLength(1)
  })
})

describe('a WebSocket connection of our client', () => {
  it('ends with its goodbye, a close frame and the closing handshake [CN-05] [CN-06] [A2S-08]', async () => {
    await using server = await RawServer.start()
    await using agent = await connect(server)
    await agent.client.stop()
    expect(server.messages.at(-1)?.message.agentDisconnect).toBeDefined()
    const { code } = await server.until(() => server.closes[0], 'the close frame')
    expect(code).toBe(1000)
    expect(server.requests).toHaveLength(1)
  })

  it('is replaced at once when it breaks, one at a time, beginning with a report that holds what changed meanwhile [CN-11] [CN-13] [ST-01] [RT-03] [RT-07]', async () => {
    await using server = await RawServer.start()
    await using agent = await connect(server, { retry: { baseMs: 500, maxMs: 60_000 } })
    await server.setSilent(true)
    agent.client.setHealth(health(false, 'first'))
    await server.message(1)
    await server.cut()
    agent.client.setHealth(health(false, 'second'))
    await server.setSilent(false)
    const report = await server.untilMessage(({ health: tree }) => tree?.lastError === 'second', 'the newest health', 2)
    expect(report.sequenceNum).toBeGreaterThanOrEqual(2n)
    expect(server.messages.filter(({ message }) => message.health?.lastError === 'first')).toHaveLength(1)
    expect(server.mostOpen).toBe(1)
  })

  it('is opened anew, later and later, as long as attempts fail [CN-03] [CN-12]', async () => {
    await using server = await RawServer.start()
    await server.refuse({ status: 500, times: 4 })
    await using agent = await AgentUnderTest.start(server, 'websocket', { random: (bytes) => bytes.fill(255), retry: { baseMs: 40, maxMs: 400 } })
    await agent.untilStatus('connected')
    const gaps = server.requests
      .map(({ at }) => at)
      .map((at, index, all) => at - (all[index - 1] ?? at))
      .slice(1)
    expect(gaps).toHaveLength(4)
    expect(gaps[3]).toBeGreaterThan(2 * gaps[1]!) // !: there are four
    expect(gaps[3]).toBeGreaterThan(200)
  })

  it('is given up when nothing comes any more, not even a pong, and opened anew', async () => {
    await using server = await RawServer.start()
    await using agent = await connect(server, { limits: { pingMs: 50, deadMs: 150 } })
    server.freeze()
    await server.until(() => (server.requests.length > 1 ? true : undefined), 'another attempt')
    expect(agent.statuses.map(({ state }) => state)).toContain('waiting')
  })

  it('waits for its answer no longer than configured, and is then tried again [RT-01] [RT-02]', async () => {
    await using server = await RawServer.start()
    await server.setSilent(true)
    await using agent = await AgentUnderTest.start(server, 'websocket', { limits: { responseTimeoutMs: 100 } })
    await server.message(1)
    await server.setSilent(false)
    await agent.untilStatus('connected')
    const reports = server.messages.filter(({ message }) => message.agentDisconnect === undefined)
    expect(reports.length).toBeGreaterThanOrEqual(2)
    expect(reports.every(({ message }) => message.agentDescription !== undefined)).toBe(true)
  })

  it('is left while the server is overloaded, for as long as it says, and resumed without losing anything [TH-02] [TH-04] [TH-10] [RT-04] [CN-04]', async () => {
    await using server = await RawServer.start()
    await server.answer({
      errorResponse: { type: ServerErrorResponseType_Unavailable, Details: { case: 'retryInfo', value: { retryAfterNanoseconds: 90_000_000_000n } } },
    })
    const clock = new FakeClock()
    await using agent = await AgentUnderTest.start(server, 'websocket', { clock })
    const waiting = await agent.untilStatus('waiting')
    await server.until(() => server.closes[0], 'the end of the connection')
    expect(waiting.retryAt - clock.now()).toBeGreaterThanOrEqual(90_000)
    const sentBefore = server.messages.length
    clock.advance(89_000)
    await beat()
    expect(server.requests).toHaveLength(1)
    expect(server.messages).toHaveLength(sentBefore)
    clock.advance(60_000)
    await server.request(1)
    const resumed = await server.message(sentBefore)
    expect(resumed.agentDescription).toBeDefined()
  })

  it('is left while the server is overloaded, for at least 30 seconds when it does not say how long, and longer each time [TH-05] [TH-11]', async () => {
    await using server = await RawServer.start()
    const unavailable = { errorResponse: { type: ServerErrorResponseType_Unavailable } }
    for (let times = 0; times < 3; times++) await server.answer(unavailable)
    const clock = new FakeClock()
    await using agent = await AgentUnderTest.start(server, 'websocket', { clock, retry: {}, random: (bytes) => bytes.fill(128) })
    const waits: number[] = []
    for (let times = 1; times <= 3; times++) {
      await agent.until(() => (agent.statuses.filter(({ state }) => state === 'waiting').length === times ? true : undefined), 'the wait')
      const last = agent.statuses.findLast((status) => status.state === 'waiting')
      waits.push((last?.retryAt ?? 0) - clock.now())
      clock.advance((waits.at(-1) ?? 0) + 1)
    }
    expect(waits[0]).toBeGreaterThanOrEqual(30_000)
    expect(waits[2]).toBeGreaterThan(waits[0]!) // !: three were counted
  })

  it.each([
    ['BAD_REQUEST', ServerErrorResponseType_BadRequest],
    ['UNKNOWN', ServerErrorResponseType_Unknown],
  ])('goes on after %s, and the message is not sent again [ERR-07] [ERR-08]', async (_, type) => {
    await using server = await RawServer.start()
    await using agent = await connect(server)
    await server.answer({ errorResponse: { type, errorMessage: 'cannot read that' } })
    agent.client.setHealth(health(false, 'what was refused'))
    await server.message(1)
    await agent.until(() => agent.logged.find(({ level }) => level === 'warn'), 'a word in the log')
    agent.client.setEffectiveConfig(effectiveConfig('next: true\n'))
    const after = await server.message(2)
    expect(after.health).toBeUndefined()
    expect(after.effectiveConfig).toBeDefined()
    expect(server.requests).toHaveLength(1)
  })

  it.each([1000, 1001, 1012])('is opened anew when the server closes it with %i [CN-11]', async (code) => {
    await using server = await RawServer.start()
    await using agent = await connect(server)
    server.close(code)
    await server.request(1)
    expect((await server.message(1)).agentDescription).toBeDefined()
    expect(agent.client.status.state).not.toBe('stopped')
  })
})

/** Long enough for what was begun to have reached a server on this machine. */
async function beat(): Promise<void> {
  await using echo = await RawServer.start()
  await using _ = await connect(echo, { retry: quickRetry })
}
