/** Two connections for one instance uid: reconnects, half-open connections and real duplicates. */
import { create } from '@bufbuild/protobuf'
import { AgentToServerSchema, encodeAgentToServer, type InstanceUid, instanceUidFromBytes, type ServerToAgent, ServerErrorResponseType } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { firstReport, inProcessFixture, report, settle, startTestServer, TestSocket, uidA } from './test-agent.ts'

function assignedIn(answer: ServerToAgent): InstanceUid | undefined {
  const bytes = answer.agentIdentification?.newInstanceUid
  return bytes === undefined ? undefined : instanceUidFromBytes(bytes)
}

describe('a new connection of an agent', () => {
  it('that goes on with the sequence replaces the old one at once, which is closed [CN-15]', async () => {
    const { connect, handler, server } = inProcessFixture()
    const old = connect()
    await old.ask(firstReport(uidA))
    const fresh = connect()
    expect((await fresh.ask(report(uidA, { sequenceNum: 1 }))).flags).toBe(0n)
    expect((await old.closed).code).toBe(1000)
    expect(handler.gone).toMatchObject([{ uid: uidA, reason: 'replaced' }])
    expect(handler.reports.at(-1)).toMatchObject({ first: true, complete: true })
    expect([server.connections(), server.connection(uidA)?.id]).toEqual([1, 2])
  })

  it('is not touched by the late close of the old one', async () => {
    const { connect, handler, server } = inProcessFixture()
    const old = connect()
    await old.ask(firstReport(uidA))
    const fresh = connect()
    await fresh.ask(report(uidA, { sequenceNum: 1 }))
    old.connection.close()
    await settle()
    expect([server.connections(), handler.gone.length]).toEqual([1, 1])
    expect((await fresh.ask(report(uidA, { sequenceNum: 2 }))).flags).toBe(0n)
  })

  it('takes over from an old one that does not answer a ping [CN-15]', async () => {
    const { connect, handler, server, clock } = inProcessFixture()
    const old = connect()
    await old.ask(firstReport(uidA, { sequenceNum: 5 }))
    old.connection.cut()
    const fresh = connect()
    fresh.send(firstReport(uidA))
    await settle()
    expect(server.connection(uidA)?.id).toBe(1)
    clock.advance(6_000)
    expect(assignedIn(await fresh.inbox.next())).toBeUndefined()
    expect([server.connection(uidA)?.id, server.connections()]).toEqual([2, 1])
    expect(handler.gone).toMatchObject([{ uid: uidA, reason: 'replaced' }])
    expect(handler.duplicates).toEqual([])
  })

  it('takes over from an old one that closes while it is asked', async () => {
    const { connect, server } = inProcessFixture()
    const old = connect()
    await old.ask(firstReport(uidA, { sequenceNum: 5 }))
    old.connection.cut()
    const fresh = connect()
    fresh.send(firstReport(uidA))
    await settle()
    old.connection.close()
    expect(assignedIn(await fresh.inbox.next())).toBeUndefined()
    expect(server.connection(uidA)?.id).toBe(2)
  })
})

describe('a goodbye', () => {
  it('that is still being handled when a new connection takes over ends the old one only', async () => {
    const { connect, handler, server } = inProcessFixture()
    const old = connect()
    await old.ask(firstReport(uidA))
    let release: () => void = () => undefined
    handler.answer = () => new Promise((resolve) => (release = () => resolve(undefined)))
    const { agentDisconnect } = create(AgentToServerSchema, { agentDisconnect: {} })
    old.send({ ...firstReport(uidA, { sequenceNum: 1 }), agentDisconnect: agentDisconnect! }) // !: just made
    await settle()
    handler.answer = () => undefined
    const fresh = connect()
    fresh.send(firstReport(uidA, { sequenceNum: 1 }))
    await settle()
    release()
    await fresh.inbox.next()
    expect([server.connection(uidA)?.id, handler.gone.map(({ reason }) => reason)]).toEqual([2, ['replaced']])
  })
})

describe('a second agent with the uid of a live one', () => {
  it('is told a new uid, each time the same, and the first is left alone [UID-13] [UID-14] [UID-11]', async () => {
    const { connect, handler, server } = inProcessFixture()
    const existing = connect()
    await existing.ask(firstReport(uidA, { sequenceNum: 7 }))
    const clone = connect()
    const told = assignedIn(await clone.ask(firstReport(uidA)))
    expect(told).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    expect(assignedIn(await clone.ask(report(uidA, { sequenceNum: 1 })))).toBe(told)
    expect(handler.duplicates).toMatchObject([{ uid: uidA, newUid: told, existing: { id: 1 }, newcomer: { id: 2 } }])
    expect([handler.gone.length, server.connection(uidA)?.id]).toEqual([0, 1])
    expect((await existing.ask(report(uidA, { sequenceNum: 8 }))).flags).toBe(0n)
    const renamed = firstReport(told!, { sequenceNum: 2 }) // !: checked above
    expect((await clone.ask(renamed)).errorResponse).toBeUndefined()
    expect(server.connections()).toBe(2)
  })

  it('is found out although it guesses the next sequence number, when its credential is another', async () => {
    const { connect, server } = inProcessFixture()
    const existing = connect('token-1')
    await existing.ask(firstReport(uidA, { sequenceNum: 7 }))
    const thief = connect('token-2')
    expect(assignedIn(await thief.ask(report(uidA, { sequenceNum: 8 })))).toBeDefined()
    expect(server.connection(uidA)?.principal).toBe('token-1')
  })

  it('does not use up what the first may send, nor make it look like a flood of pongs', async () => {
    const { connect, handler, server } = inProcessFixture()
    const existing = connect('token-1')
    await existing.ask(firstReport(uidA, { sequenceNum: 7 }))
    for (let i = 0; i < 40; i++) {
      const thief = connect('token-2')
      for (let sequenceNum = 0; sequenceNum < 5; sequenceNum++) thief.send(firstReport(uidA, { sequenceNum }))
      await settle()
    }
    expect((await existing.ask(report(uidA, { sequenceNum: 8 }))).errorResponse).toBeUndefined()
    expect([server.connection(uidA)?.id, handler.gone]).toEqual([1, []])
  })

  it('cannot say goodbye for it', async () => {
    const { connect, handler, server } = inProcessFixture()
    await connect().ask(firstReport(uidA))
    const { agentDisconnect } = create(AgentToServerSchema, { agentDisconnect: {} })
    const answer = await connect().ask({ ...report(uidA, { sequenceNum: 1 }), agentDisconnect: agentDisconnect! }) // !: just made
    expect(answer.errorResponse?.type).toBe(ServerErrorResponseType.ServerErrorResponseType_BadRequest)
    expect([handler.gone.length, server.connections()]).toEqual([0, 1])
  })

  it('may be disconnected instead [UID-15]', async () => {
    const { connect, handler, server } = inProcessFixture()
    handler.onDuplicate = (duplicate) => {
      server.disconnectPrincipal(duplicate.newcomer.principal, 'duplicate')
    }
    await connect('token-1').ask(firstReport(uidA, { sequenceNum: 7 }))
    const clone = connect('token-2')
    clone.send(firstReport(uidA))
    expect((await clone.closed).code).toBe(1008)
    expect(server.connections()).toBe(1)
  })

  it('is found out by a real ping over a real socket, also when it comes over plain HTTP [UID-13] [UID-14]', async () => {
    await using test = await startTestServer()
    using existing = await TestSocket.connect(test.url)
    await existing.ask(firstReport(uidA, { sequenceNum: 7 }))
    using clone = await TestSocket.connect(test.url)
    expect(assignedIn(await clone.ask(firstReport(uidA)))).toBeDefined()
    const response = await fetch(`http://${test.url}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: new Uint8Array(encodeAgentToServer(firstReport(uidA))),
    })
    expect(response.status).toBe(200)
    expect(test.handler.duplicates.map(({ newcomer }) => newcomer.transport)).toEqual(['websocket', 'http'])
    expect((await existing.ask(report(uidA, { sequenceNum: 8 }))).flags).toBe(0n)
  })
})
