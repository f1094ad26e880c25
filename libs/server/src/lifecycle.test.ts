/** How connections end, from either side or from none, and how the server itself does. */
import { once } from 'node:events'
import { create } from '@bufbuild/protobuf'
import { AgentToServerSchema, encodeAgentToServer, instanceUidFromBytes } from '@drover/protocol'
import { FakeClock } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { firstReport, inProcessFixture, report, settle, startTestServer, TestSocket, uidA, uidB } from './test-agent.ts'

const goodbye = create(AgentToServerSchema, { agentDisconnect: {} }).agentDisconnect! // !: just made

describe('an agent', () => {
  it('that says goodbye is answered and forgotten, and its later close says nothing more [CN-16]', async () => {
    const { connect, handler, server } = inProcessFixture()
    const agent = connect()
    await agent.ask(firstReport(uidA))
    const answer = await agent.ask({ ...report(uidA, { sequenceNum: 1 }), agentDisconnect: goodbye })
    expect(instanceUidFromBytes(answer.instanceUid)).toBe(uidA)
    agent.connection.close()
    await settle()
    expect(handler.gone).toMatchObject([{ uid: uidA, reason: 'agent-disconnect' }])
    expect(server.connections()).toBe(0)
  })

  it('may say a last word with its goodbye', async () => {
    const { connect, handler } = inProcessFixture()
    const agent = connect()
    await agent.ask(firstReport(uidA))
    const { health } = create(AgentToServerSchema, { health: { healthy: false, status: 'shutdown' } })
    await agent.ask({ ...report(uidA, { sequenceNum: 1 }), agentDisconnect: goodbye, health: health! }) // !: just made
    expect(handler.reports.at(-1)?.present).toEqual(['health'])
  })

  it('is forgotten when its socket closes, with a handshake or without [CN-17]', async () => {
    await using test = await startTestServer()
    for (const end of ['close', 'terminate'] as const) {
      using agent = await TestSocket.connect(test.url)
      await agent.ask(firstReport(uidA))
      agent.socket[end]()
      await agent.closed
      while (test.server.connections() > 0) await settle()
    }
    expect(test.handler.gone.map(({ reason }) => reason)).toEqual(['closed', 'closed'])
  })

  it('continues with compressed status on a new connection', async () => {
    const { connect, handler } = inProcessFixture()
    const first = connect()
    await first.ask(firstReport(uidA))
    first.connection.close()
    await settle()
    const again = await connect().ask(report(uidA, { sequenceNum: 1 }))
    expect(again.flags).toBe(0n)
    expect(handler.reports.at(-1)).toMatchObject({ first: true, complete: true, connection: { id: 2 } })
  })

  it('is forgotten for good when too many others are remembered', async () => {
    const { connect } = inProcessFixture({ limits: { maxRememberedAgents: 1 } })
    for (const uid of [uidA, uidB]) {
      const agent = connect()
      await agent.ask(firstReport(uid))
      agent.connection.close()
      await settle()
    }
    expect((await connect().ask(report(uidB, { sequenceNum: 1 }))).flags).toBe(0n)
    expect((await connect().ask(report(uidA, { sequenceNum: 1 }))).flags).toBe(1n)
  })
})

describe('liveness on a stream', () => {
  it('is shown by pongs alone: no heartbeat is expected of an agent [HB-10] [HB-13] [HB-15]', async () => {
    const { connect, clock, server } = inProcessFixture()
    await connect().ask(firstReport(uidA))
    for (let minute = 0; minute < 60; minute++) {
      clock.advance(30_000)
      await settle()
      clock.advance(30_000)
      await settle()
    }
    expect(server.connections()).toBe(1)
  })

  it('ends 75 s after the last sign of a half-open connection', async () => {
    const { connect, clock, handler, server } = inProcessFixture()
    const agent = connect()
    await agent.ask(firstReport(uidA))
    agent.connection.cut()
    clock.advance(74_000)
    await settle()
    expect(server.connections()).toBe(1)
    clock.advance(2_000)
    expect(handler.gone).toMatchObject([{ uid: uidA, reason: 'lost' }])
  })

  it('costs one timer however many agents there are', async () => {
    const { connect, clock } = inProcessFixture()
    for (let index = 0; index < 50; index++) await connect().ask({ ...firstReport(uidA), instanceUid: Uint8Array.from({ length: 16 }, () => index) })
    expect(clock.pending).toBe(1)
  })

  it('is found out over a real socket, with pings', async () => {
    const clock = new FakeClock()
    await using test = await startTestServer({ clock })
    using agent = await TestSocket.connect(test.url)
    await agent.ask(firstReport(uidA))
    const pinged = once(agent.socket, 'ping')
    clock.advance(31_000)
    await pinged
    agent.socket.pause()
    clock.advance(76_000)
    expect(test.handler.gone).toMatchObject([{ reason: 'lost' }])
  })
})

describe('the control plane', () => {
  it('disconnects an agent with a Close frame and the closing handshake [CN-07] [K-25]', async () => {
    await using test = await startTestServer()
    using agent = await TestSocket.connect(test.url)
    await agent.ask(firstReport(uidA))
    expect(test.server.disconnect(uidA, 'revoked')).toBe(true)
    expect(await agent.closed).toEqual({ code: 1008, reason: 'revoked' })
    expect(test.handler.gone).toMatchObject([{ uid: uidA, reason: 'server' }])
    expect(test.server.disconnect(uidA, 'revoked')).toBe(false)
  })

  it('disconnects everybody who used a credential, also before their first report, and refuses it from then on [K-25] [K-26]', async () => {
    const { connect, server, handler } = inProcessFixture()
    const revoked = connect('token-1')
    await revoked.ask(firstReport(uidA))
    const silent = connect('token-1')
    await silent.connection.admitted
    await settle()
    const other = connect('token-2')
    await other.ask(firstReport(uidB))
    expect(server.disconnectPrincipal('token-1', 'revoked')).toBe(1)
    expect([(await revoked.closed).code, (await silent.closed).code]).toEqual([1008, 1008])
    expect(server.connection(uidB)).toBeDefined()
    handler.onAuthenticate = () => ({ kind: 'reject', status: 401, message: 'revoked' })
    const late = connect('token-1')
    expect([(await late.connection.admitted).kind, (await late.closed).code]).toEqual(['reject', 1008])
  })

  it('gets no report of a connection that ended while its report was being handled', async () => {
    const { connect, handler, server } = inProcessFixture()
    let release: () => void = () => undefined
    handler.answer = () => new Promise((resolve) => (release = () => resolve(undefined)))
    const agent = connect()
    agent.send(firstReport(uidA))
    await settle()
    agent.send(firstReport(uidA, { sequenceNum: 1 }))
    agent.connection.close()
    await settle()
    release()
    await settle()
    expect([handler.reports.length, handler.gone.length, server.connections()]).toEqual([1, 1, 0])
  })
})

describe('draining', () => {
  it('closes sockets with 1012 spread over the time, refuses new ones with 503, and ends', async () => {
    const clock = new FakeClock()
    await using test = await startTestServer({ clock })
    const agents = [await TestSocket.connect(test.url), await TestSocket.connect(test.url), await TestSocket.connect(test.url)]
    const closes: number[] = []
    const startMs = clock.now()
    for (const agent of agents) void agent.closed.then(({ code }) => closes.push(code, clock.now() - startMs))
    const drained = test.server.drain(30_000)
    const refused = await fetch(`http://${test.url}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: new Uint8Array(encodeAgentToServer(firstReport(uidA))),
    })
    expect([refused.status, refused.headers.has('retry-after')]).toEqual([503, true])
    for (const agent of agents) {
      await agent.closed
      clock.advance(5_000)
    }
    await drained
    expect(closes.filter((_, index) => index % 2 === 0)).toEqual([1012, 1012, 1012])
    expect(closes[1]).toBeLessThan(5_000)
    expect(closes[5]).toBeGreaterThanOrEqual(10_000)
  })

  it('cuts what is left when the time is over', async () => {
    const clock = new FakeClock()
    await using test = await startTestServer({ clock })
    using agent = await TestSocket.connect(test.url)
    await agent.ask(firstReport(uidA))
    test.handler.answer = () => new Promise(() => undefined)
    agent.send(firstReport(uidA, { sequenceNum: 1 }))
    agent.socket.pause()
    const drained = test.server.drain(1_000)
    await settle()
    clock.advance(2_000)
    await drained
    expect(test.handler.gone).toMatchObject([{ reason: 'server' }])
    expect(clock.pending).toBe(0)
  })

  it('waits for requests that are being handled', async () => {
    await using test = await startTestServer()
    let release: () => void = () => undefined
    test.handler.answer = () => new Promise((resolve) => (release = () => resolve(undefined)))
    const response = fetch(`http://${test.url}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: new Uint8Array(encodeAgentToServer(firstReport(uidA))),
    })
    while (test.handler.reports.length === 0) await settle()
    const drained = test.server.drain(60_000)
    release()
    expect((await response).status).toBe(200)
    await drained
  })

  it('leaves no timer behind', async () => {
    const { server, clock, connect } = inProcessFixture()
    await connect().ask(firstReport(uidA))
    await server[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  })
})
