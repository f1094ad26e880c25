import { FakeClock } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { createOpampServer } from './opamp-server.ts'
import { firstReport, frameOf, RecordingHandler, report, settle, TestPipe, uidA } from './test-agent.ts'

function fixture() {
  const handler = new RecordingHandler()
  const server = createOpampServer({ handler, capabilities: ['AcceptsStatus'], clock: new FakeClock() })
  return { handler, server }
}

describe('a connection within the process', () => {
  it('authenticates with headers and an address like any other', async () => {
    const { handler, server } = fixture()
    const agent = new TestPipe(server.connectInProcess({ headers: { Authorization: 'Bearer x' }, remoteAddress: '10.1.2.3' }))
    expect(await agent.connection.admitted).toEqual({ kind: 'accept', principal: 'Bearer x' })
    await agent.ask(firstReport(uidA))
    expect(handler.requests).toMatchObject([{ transport: 'in-process', remoteAddress: '10.1.2.3', path: '/v1/opamp', headers: { authorization: 'Bearer x' } }])
    expect(handler.reports[0]?.connection).toMatchObject({ transport: 'in-process', principal: 'Bearer x', remoteAddress: '10.1.2.3' })
  })

  it('keeps what is sent before it is admitted, up to a point', async () => {
    const { handler, server } = fixture()
    let admit: () => void = () => undefined
    handler.onAuthenticate = () => new Promise((resolve) => (admit = () => resolve({ kind: 'accept', principal: 'late' })))
    const agent = new TestPipe(server.connectInProcess())
    agent.send(firstReport(uidA))
    await settle()
    expect(handler.reports).toHaveLength(0)
    for (let i = 1; i < 64; i++) agent.send(report(uidA, { sequenceNum: i }))
    expect(() => agent.send(report(uidA, { sequenceNum: 64 }))).toThrow('too many messages')
    admit()
    expect((await agent.inbox.next()).capabilities).toBe(1n)
  })

  it('never runs one side inside a call of the other', async () => {
    const { handler, server } = fixture()
    const connection = server.connectInProcess()
    await connection.admitted
    await settle()
    connection.send(frameOf(firstReport(uidA)))
    expect(handler.reports).toHaveLength(0)
    await settle()
    expect(handler.reports).toHaveLength(1)
  })

  it('delivers what the server sent before it closed, and takes nothing afterwards', async () => {
    const { server, handler } = fixture()
    const agent = new TestPipe(server.connectInProcess())
    await agent.ask(firstReport(uidA))
    server.offer(uidA, { reportFullState: true })
    server.disconnect(uidA, 'x'.repeat(500))
    const { code, reason } = await agent.closed
    expect([code, reason.length, agent.inbox.size]).toEqual([1008, 120, 1])
    agent.send(report(uidA, { sequenceNum: 1, flags: 1n }))
    await settle()
    expect(handler.reports).toHaveLength(1)
  })

  it('tells the server when the agent closes', async () => {
    const { server, handler } = fixture()
    const agent = new TestPipe(server.connectInProcess())
    await agent.ask(firstReport(uidA))
    agent.connection.close()
    await settle()
    expect(handler.gone).toMatchObject([{ uid: uidA, reason: 'closed' }])
  })
})
