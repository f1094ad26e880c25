/** What one agent sends and gets, message by message, over the in-process transport: the protocol without the sockets. */
import { create } from '@bufbuild/protobuf'
import {
  type AgentCapability,
  CustomMessageSchema,
  encodeAgentToServer,
  encodeFrame,
  instanceUidFromBytes,
  instanceUidToBytes,
  type RemoteConfigStatuses,
  ServerErrorResponseType,
} from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { createOpampServer } from './opamp-server.ts'
import { prepareRemoteConfig } from './remote-config.ts'
import { fieldsOf, firstReport, frameOf, inProcessFixture, part, RecordingHandler, report, settle, uidA, uidB } from './test-agent.ts'

const config = (hash: number, bytes = 10) =>
  prepareRemoteConfig([{ name: 'a.yaml', contentType: 'text/yaml', body: new Uint8Array(bytes) }], Uint8Array.of(hash))
const accepting: readonly AgentCapability[] = ['ReportsStatus', 'AcceptsRemoteConfig', 'AcceptsRestartCommand']

describe('the server', () => {
  it('refuses to be made without AcceptsStatus [CAP-10]', () => {
    expect(() => createOpampServer({ handler: new RecordingHandler(), capabilities: ['OffersRemoteConfig'] })).toThrow('AcceptsStatus')
  })

  it('refuses custom capabilities that are not named as the specification wants [CM-05]', () => {
    const make = (name: string) => () => createOpampServer({ handler: new RecordingHandler(), capabilities: ['AcceptsStatus'], customCapabilities: [name] })
    expect(make('io.opentelemetry.discovery/v2')).not.toThrow()
    expect(make('discovery')).toThrow('custom capability')
    expect(make('io drover')).toThrow('custom capability')
  })
})

describe('every report', () => {
  it('is answered exactly once, repeated ones too, with the uid it came with [ST-05] [RT-05] [GEN-06] [UID-08] [CAP-11]', async () => {
    const { connect, handler } = inProcessFixture()
    const agent = connect()
    const messages = [firstReport(uidA), report(uidA, { sequenceNum: 1 }), report(uidA, { sequenceNum: 1 }), firstReport(uidA, { sequenceNum: 2 })]
    for (const message of messages) agent.send(message)
    const answers = [await agent.inbox.next(), await agent.inbox.next(), await agent.inbox.next(), await agent.inbox.next()]
    await settle()
    expect(agent.inbox.size).toBe(0)
    for (const answer of answers) expect(instanceUidFromBytes(answer.instanceUid)).toBe(uidA)
    for (const answer of answers) expect(answer.errorResponse).toBeUndefined()
    expect(handler.reports.length).toBeGreaterThanOrEqual(2)
  })

  it('is answered with nothing but the uid when there is nothing to say, and without an error [S2A-02] [ERR-02]', async () => {
    const { connect } = inProcessFixture()
    const agent = connect()
    await agent.ask(firstReport(uidA))
    expect(fieldsOf(await agent.ask(firstReport(uidA, { sequenceNum: 1 })))).toEqual([])
  })

  it('reaches the handler with all its parts at once [A2S-10] [HL-03] [HL-04] [HL-06] [RC-11]', async () => {
    const { connect, handler } = inProcessFixture()
    const agent = connect()
    const init = {
      health: { healthy: true, status: 'whatever the agent calls it', componentHealthMap: { 'pipeline:logs': { healthy: false, attributes: [{ key: 'k' }] } } },
      effectiveConfig: { configMap: { configMap: { 'a.yaml': { body: Uint8Array.of(1) } } } },
      remoteConfigStatus: { lastRemoteConfigHash: Uint8Array.of(1), status: 1 },
      availableComponents: { hash: Uint8Array.of(2) },
    }
    await agent.ask({
      ...firstReport(uidA),
      ...part(init, 'health'),
      ...part(init, 'effectiveConfig'),
      ...part(init, 'remoteConfigStatus'),
      ...part(init, 'availableComponents'),
    })
    expect(handler.reports[0]?.present.toSorted()).toEqual(['agentDescription', 'availableComponents', 'effectiveConfig', 'health', 'remoteConfigStatus'])
    expect(handler.reports[0]?.message.health).toMatchObject({ healthy: true, status: 'whatever the agent calls it' })
    expect(handler.reports[0]).toMatchObject({ first: true, complete: true })
  })

  it('with deep health and component trees is taken in [HL-05] [AC-10] [AC-11]', async () => {
    const { connect, handler } = inProcessFixture()
    const agent = connect()
    type Health = { healthy: boolean; componentHealthMap: Record<string, Health> }
    let health: Health = { healthy: true, componentHealthMap: {} }
    type Details = { subComponentMap: Record<string, Details> }
    let component: Details = { subComponentMap: {} }
    for (let depth = 0; depth < 20; depth++) {
      health = { healthy: true, componentHealthMap: { child: health } }
      component = { subComponentMap: { child: component } }
    }
    const init = { health, availableComponents: { hash: Uint8Array.of(1), components: { root: component } } }
    const answer = await agent.ask({ ...firstReport(uidA), ...part(init, 'health'), ...part(init, 'availableComponents') })
    expect(answer.errorResponse).toBeUndefined()
    expect(handler.reports[0]?.present).toContain('availableComponents')
  })

  it('with fields and values from the future is taken in [IO-01] [IO-06] [AV-01] [AV-02]', async () => {
    const { connect, handler } = inProcessFixture()
    const agent = connect()
    const description = {
      agentDescription: {
        identifyingAttributes: [
          { key: 'null', value: {} },
          { key: 'list', value: { value: { case: 'arrayValue' as const, value: {} } } },
          { key: 'map', value: { value: { case: 'kvlistValue' as const, value: {} } } },
        ],
      },
      remoteConfigStatus: { status: 99 as RemoteConfigStatuses, lastRemoteConfigHash: Uint8Array.of(1) },
    }
    const known = encodeAgentToServer({ ...report(uidA), ...part(description, 'agentDescription'), ...part(description, 'remoteConfigStatus') })
    // Field 1000 of type string: tag 8002 as a varint.
    agent.connection.send(encodeFrame(Uint8Array.from([...known, 0xc2, 0x3e, 0x03, 0x61, 0x62, 0x63])))
    expect((await agent.inbox.next()).errorResponse).toBeUndefined()
    expect(handler.reports[0]?.message.agentDescription?.identifyingAttributes).toHaveLength(3)
    expect(handler.reports[0]?.message.remoteConfigStatus?.status).toBe(99)
  })

  it('that is an unchanged heartbeat does not reach the handler, and counts as a sign of life [HB-08]', async () => {
    const { connect, handler, server, clock } = inProcessFixture()
    const agent = connect()
    await agent.ask(firstReport(uidA))
    clock.advance(20_000)
    for (let sequenceNum = 1; sequenceNum <= 10; sequenceNum++) await agent.ask(report(uidA, { sequenceNum }))
    expect(handler.reports).toHaveLength(1)
    expect(server.lastSeen(uidA)).toBe(clock.now())
  })
})

describe('the server capabilities', () => {
  it('are what the options say and nothing more, in the first message of each connection [CAP-07] [CAP-08] [CAP-09] [IO-02]', async () => {
    const { connect } = inProcessFixture({ capabilities: ['AcceptsStatus', 'OffersRemoteConfig'] })
    const first = connect()
    expect((await first.ask(firstReport(uidA))).capabilities).toBe(3n)
    expect((await first.ask(report(uidA, { sequenceNum: 1 }))).capabilities).toBe(0n)
    first.connection.close()
    await settle()
    expect((await connect().ask(report(uidA, { sequenceNum: 2 }))).capabilities).toBe(3n)
  })

  it('follow an error that took the place of the first message [S2A-06]', async () => {
    const { connect, handler } = inProcessFixture({ customCapabilities: ['io.drover.test'] })
    handler.answer = () => {
      throw new Error('the database is away')
    }
    const agent = connect()
    expect(fieldsOf(await agent.ask(firstReport(uidA)))).toEqual(['errorResponse'])
    handler.answer = () => undefined
    expect(fieldsOf(await agent.ask(firstReport(uidA, { sequenceNum: 1 })))).toEqual(['capabilities', 'customCapabilities'])
  })
})

describe('an error', () => {
  it('of the handler is UNAVAILABLE with a wait of at least 30 s, alone, and the report counts as lost [ERR-01] [ERR-09] [TH-01] [TH-03] [TH-11]', async () => {
    const { connect, handler } = inProcessFixture()
    const agent = connect()
    await agent.ask(firstReport(uidA))
    handler.answer = () => Promise.reject(new Error('the database is away'))
    const answer = await agent.ask(firstReport(uidA, { sequenceNum: 1 }))
    expect(fieldsOf(answer)).toEqual(['errorResponse'])
    expect(answer.errorResponse?.type).toBe(ServerErrorResponseType.ServerErrorResponseType_Unavailable)
    expect(answer.errorResponse?.Details.value?.retryAfterNanoseconds).toBeGreaterThanOrEqual(30_000_000_000n)
    handler.answer = () => undefined
    expect((await agent.ask(report(uidA, { sequenceNum: 2 }))).flags).toBe(1n)
  })

  it('of a handler that does not come back is UNAVAILABLE as well', async () => {
    const { connect, handler, clock } = inProcessFixture()
    const agent = connect()
    handler.answer = () => new Promise(() => undefined)
    agent.send(firstReport(uidA))
    await settle()
    clock.advance(21_000)
    expect((await agent.inbox.next()).errorResponse?.type).toBe(ServerErrorResponseType.ServerErrorResponseType_Unavailable)
  })

  it('for a malformed message is BAD_REQUEST in words, for the agent of the connection [ERR-03] [ERR-04] [ERR-05] [ERR-06]', async () => {
    const { connect, refused } = inProcessFixture()
    const agent = connect()
    await agent.ask(firstReport(uidA))
    agent.connection.send(encodeFrame(Uint8Array.of(0x0a, 0x7f, 0x01)))
    const answer = await agent.inbox.next()
    expect(fieldsOf(answer)).toEqual(['errorResponse'])
    expect(answer.errorResponse?.type).toBe(ServerErrorResponseType.ServerErrorResponseType_BadRequest)
    expect(answer.errorResponse?.errorMessage).not.toBe('')
    expect(answer.errorResponse?.Details.case).toBeUndefined()
    expect(answer.instanceUid).toEqual(instanceUidToBytes(uidA))
    expect(refused).toEqual(['malformed'])
  })

  it.each([0, 15, 17, 26])('for an instance uid of %i bytes is BAD_REQUEST and nothing is kept', async (length) => {
    const { connect, server, handler } = inProcessFixture()
    const agent = connect()
    const answer = await agent.ask({ ...firstReport(uidA), instanceUid: new Uint8Array(length) })
    expect(answer.errorResponse?.type).toBe(ServerErrorResponseType.ServerErrorResponseType_BadRequest)
    expect([server.connections(), handler.reports.length]).toEqual([0, 0])
  })

  it('is what an empty message and a bare header get, as a uid is missing [B-WS-07]', async () => {
    const { connect } = inProcessFixture()
    const agent = connect()
    agent.connection.send(Uint8Array.of(0))
    agent.connection.send(new Uint8Array())
    for (const answer of [await agent.inbox.next(), await agent.inbox.next()])
      expect(answer.errorResponse?.type).toBe(ServerErrorResponseType.ServerErrorResponseType_BadRequest)
  })

  it('is what a wrong or overlong header gets, while a longer form of 0 is read [B-WS-02] [B-WS-04] [B-WS-05] [B-WS-06]', async () => {
    const { connect } = inProcessFixture()
    const agent = connect()
    const payload = encodeAgentToServer(firstReport(uidA))
    agent.connection.send(Uint8Array.of(1, ...payload))
    expect((await agent.inbox.next()).errorResponse?.type).toBe(ServerErrorResponseType.ServerErrorResponseType_BadRequest)
    agent.connection.send(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0, ...payload))
    expect((await agent.inbox.next()).errorResponse?.type).toBe(ServerErrorResponseType.ServerErrorResponseType_BadRequest)
    agent.connection.send(Uint8Array.of(0x80, 0x00, ...payload))
    expect((await agent.inbox.next()).errorResponse).toBeUndefined()
  })

  it('of the handler, again and again, does not cost the agent its connection', async () => {
    const { connect, handler, server } = inProcessFixture({ limits: { maxStrikes: 3 } })
    handler.answer = () => Promise.reject(new Error('the database is away'))
    const agent = connect()
    for (let i = 0; i < 10; i++) expect((await agent.ask(firstReport(uidA, { sequenceNum: i }))).errorResponse).toBeDefined()
    expect(server.connections()).toBe(1)
  })

  it('again and again ends the connection', async () => {
    const { connect } = inProcessFixture({ limits: { maxStrikes: 3 } })
    const agent = connect()
    for (let i = 0; i < 5; i++) agent.connection.send(Uint8Array.of(1))
    expect((await agent.closed).code).toBe(1008)
  })
})

describe('an agent that sends too much', () => {
  it('is told UNAVAILABLE after its burst, and cut when it goes on [TH-01]', async () => {
    const { connect, server } = inProcessFixture()
    const agent = connect()
    await agent.ask(firstReport(uidA))
    for (let sequenceNum = 1; sequenceNum <= 100; sequenceNum++) agent.send(report(uidA, { sequenceNum }))
    expect((await agent.closed).code).toBe(1008)
    const answers = await Promise.all(Array.from({ length: 80 }, () => agent.inbox.next()))
    expect(answers.slice(0, 59).every((answer) => answer.errorResponse === undefined)).toBe(true)
    expect(answers.slice(59).every((answer) => answer.errorResponse?.type === ServerErrorResponseType.ServerErrorResponseType_Unavailable)).toBe(true)
    expect(server.connections()).toBe(0)
  })

  it('is limited in bytes as well', async () => {
    const { connect } = inProcessFixture({ limits: { bytesBurst: 10_000, bytesPerSecond: 1_000 } })
    const agent = connect()
    const large = {
      ...firstReport(uidA),
      ...part({ effectiveConfig: { configMap: { configMap: { a: { body: new Uint8Array(6_000) } } } } }, 'effectiveConfig'),
    }
    expect((await agent.ask(large)).errorResponse).toBeUndefined()
    expect((await agent.ask(large)).errorResponse?.type).toBe(ServerErrorResponseType.ServerErrorResponseType_Unavailable)
  })
})

describe('instance uids', () => {
  it('are assigned on request as UUIDs of version 7, addressed to the old one [UID-07] [UID-08] [UID-10] [UID-11]', async () => {
    const { connect, handler } = inProcessFixture()
    const agent = connect()
    const answer = await agent.ask(firstReport(uidA, { flags: 1n }))
    expect(answer.instanceUid).toEqual(instanceUidToBytes(uidA))
    expect(answer.agentIdentification?.newInstanceUid).toHaveLength(16)
    const assigned = instanceUidFromBytes(answer.agentIdentification!.newInstanceUid) // !: checked above
    expect(assigned).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/)
    expect(handler.reports[0]?.assignedUid).toBe(assigned)
    await agent.ask(firstReport(assigned, { sequenceNum: 1 }))
    expect(handler.gone).toMatchObject([{ uid: uidA, reason: 'replaced' }])
    expect(handler.reports.at(-1)).toMatchObject({ uid: assigned, first: true })
  })

  it('may be replaced by the handler at any time [UID-12]', async () => {
    const { connect, server, handler } = inProcessFixture()
    const agent = connect()
    await agent.ask(firstReport(uidA))
    server.offer(uidA, { newInstanceUid: uidB })
    expect((await agent.inbox.next()).agentIdentification?.newInstanceUid).toEqual(instanceUidToBytes(uidB))
    await agent.ask(firstReport(uidB, { sequenceNum: 1 }))
    expect(handler.gone).toMatchObject([{ uid: uidA, reason: 'replaced' }])
    expect([server.connection(uidA), server.connections()]).toEqual([undefined, 1])
  })
})

describe('custom messages', () => {
  const message = create(CustomMessageSchema, { capability: 'io.drover.test', type: 'ping', data: Uint8Array.of(0, 255) })

  it('go both ways under capabilities that both sides announced, their data untouched [CM-01] [CM-02] [CM-08] [CM-10]', async () => {
    const { connect, handler } = inProcessFixture({ customCapabilities: ['io.drover.test'] })
    const agent = connect()
    const announced = part({ customCapabilities: { capabilities: ['io.drover.test'] } }, 'customCapabilities')
    const first = await agent.ask({ ...firstReport(uidA), ...announced })
    expect(first.customCapabilities?.capabilities).toEqual(['io.drover.test'])
    handler.answer = (agentReport) => (agentReport.message.customMessage === undefined ? undefined : { customMessage: message })
    const answer = await agent.ask({ ...report(uidA, { sequenceNum: 1 }), customMessage: message })
    expect(answer.customMessage).toMatchObject({ capability: 'io.drover.test', type: 'ping', data: Uint8Array.of(0, 255) })
    expect(answer.customCapabilities).toBeUndefined()
  })

  it('follow the list of capabilities when it changes: agents are told, also that it became empty [CM-02]', async () => {
    const { connect, server, handler } = inProcessFixture()
    const agent = connect()
    const announced = part({ customCapabilities: { capabilities: ['io.drover.test'] } }, 'customCapabilities')
    await agent.ask({ ...firstReport(uidA), ...announced })
    server.setCustomCapabilities(['io.drover.test'])
    const told = await agent.inbox.next()
    expect([fieldsOf(told), told.customCapabilities?.capabilities]).toEqual([['customCapabilities'], ['io.drover.test']])
    server.setCustomCapabilities(['io.drover.test'])
    expect(server.offer(uidA, { customMessage: message })).toBe('sent')
    expect(fieldsOf(await agent.inbox.next())).toEqual(['customMessage'])
    expect((await agent.ask({ ...report(uidA, { sequenceNum: 1 }), customMessage: message })).errorResponse).toBeUndefined()
    expect(handler.reports.at(-1)?.message.customMessage?.type).toBe('ping')
    server.setCustomCapabilities([])
    expect((await agent.inbox.next()).customCapabilities?.capabilities).toEqual([])
    expect(server.offer(uidA, { customMessage: message })).toBe('absent')
  })

  it('of a capability we did not announce are left out of the report [CM-06]', async () => {
    const { connect, handler } = inProcessFixture()
    const agent = connect()
    expect((await agent.ask({ ...firstReport(uidA), customMessage: message })).errorResponse).toBeUndefined()
    expect(handler.reports[0]?.message.customMessage).toBeUndefined()
  })
})

describe('several agents on one connection', () => {
  it('are answered each under its own uid and get their own offers [S-WS-24]', async () => {
    const { connect, server, handler } = inProcessFixture()
    const gateway = connect()
    for (const uid of [uidA, uidB]) expect((await gateway.ask(firstReport(uid, { capabilities: accepting }))).instanceUid).toEqual(instanceUidToBytes(uid))
    for (const uid of [uidB, uidA])
      expect((await gateway.ask(report(uid, { sequenceNum: 1, capabilities: accepting }))).instanceUid).toEqual(instanceUidToBytes(uid))
    server.offer(uidB, { remoteConfig: config(1) })
    expect((await gateway.inbox.next()).instanceUid).toEqual(instanceUidToBytes(uidB))
    expect(server.connections()).toBe(2)
    gateway.connection.close()
    await settle()
    expect(handler.gone.map(({ uid, reason }) => [uid, reason])).toEqual([
      [uidA, 'closed'],
      [uidB, 'closed'],
    ])
  })

  it('are as many as the limit says', async () => {
    const { connect } = inProcessFixture({ limits: { maxAgentsPerConnection: 1 } })
    const gateway = connect()
    await gateway.ask(firstReport(uidA))
    expect((await gateway.ask(firstReport(uidB))).errorResponse?.type).toBe(ServerErrorResponseType.ServerErrorResponseType_Unavailable)
  })
})

describe('frames', () => {
  it('begin with one zero byte, both ways [B-WS-03] [B-WS-08]', async () => {
    const { server } = inProcessFixture()
    const connection = server.connectInProcess()
    const frame = new Promise<Uint8Array>((resolve) => connection.onMessage(resolve))
    connection.send(frameOf(firstReport(uidA)))
    expect([...(await frame).subarray(0, 3)]).toEqual([0, 0x0a, 16])
  })
})
