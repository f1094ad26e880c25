/** WebSocket as the wire sees it: real sockets, well-meaning and hostile clients. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { encodeAgentToServer, instanceUidToBytes } from '@drover/protocol'
import { FakeClock } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { prepareRemoteConfig } from './remote-config.ts'
import { firstReport, frameOf, report, settle, startTestServer, TestSocket, uidA } from './test-agent.ts'

const config = prepareRemoteConfig(
  [{ name: 'collector.yaml', contentType: 'text/yaml', body: new TextEncoder().encode('receivers: {}') }],
  Uint8Array.of(1, 2, 3),
)
const accepting = ['ReportsStatus', 'AcceptsRemoteConfig'] as const

/** A TCP connection to the server, with everything it answers until it is closed. */
async function rawConnection(port: number): Promise<{ socket: Socket; answer: Promise<string> }> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  const answer = new Promise<string>((resolve) => socket.once('close', () => resolve(Buffer.concat(chunks).toString('latin1'))))
  return { socket, answer }
}

/** Status with which an upgrade is refused. */
async function refusedUpgrade(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Record<string, string | string[] | undefined> }> {
  const socket = new WebSocket(`ws://${url}`, { headers })
  socket.on('error', () => undefined)
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number; headers: Record<string, string>; resume(): void }] // as: the types of this event
  response.resume()
  socket.terminate()
  return { status: response.statusCode, headers: response.headers }
}

/** The TCP connection under a client. */
function tcpOf(socket: WebSocket): Socket {
  return (socket as unknown as { _socket: Socket })._socket // as: the library does not publish it
}

/** One masked client frame. */
function frame(opcode: number, payload: Uint8Array, fin: boolean): Buffer {
  return Buffer.from([(fin ? 0x80 : 0) | opcode, 0x80 | payload.length, 0, 0, 0, 0, ...payload])
}

describe('an agent on a WebSocket', () => {
  it('connects on the path of the specification and is answered in binary messages [GEN-01] [GEN-03] [B-WS-01] [CAP-07]', async () => {
    await using test = await startTestServer()
    using agent = await TestSocket.connect(`127.0.0.1:${test.port}/v1/opamp`)
    const binary = once(agent.socket, 'message') as Promise<[Buffer, boolean]>
    expect((await agent.ask(firstReport(uidA))).capabilities).toBe(0x27n)
    const [data, isBinary] = await binary
    expect([data[0], isBinary]).toEqual([0, true])
    expect(test.handler.reports[0]?.connection).toMatchObject({ transport: 'websocket', remoteAddress: '127.0.0.1', principal: 'somebody' })
  })

  it('connects on another path where the operator chose one, and on no other [GEN-04]', async () => {
    await using test = await startTestServer({ path: '/agents' })
    using agent = await TestSocket.connect(`127.0.0.1:${test.port}/agents`)
    expect((await agent.ask(firstReport(uidA))).capabilities).not.toBe(0n)
    expect((await refusedUpgrade(`127.0.0.1:${test.port}/v1/opamp`)).status).toBe(404)
  })

  it('has unchanged heartbeats answered with the bare uid, many of them, in order', async () => {
    await using test = await startTestServer()
    using agent = await TestSocket.connect(test.url)
    await agent.ask(firstReport(uidA))
    for (let sequenceNum = 1; sequenceNum <= 20; sequenceNum++) {
      const answer = await agent.ask(report(uidA, { sequenceNum }))
      expect(answer).toMatchObject({ instanceUid: instanceUidToBytes(uidA), capabilities: 0n, flags: 0n })
    }
    expect(test.handler.reports).toHaveLength(1)
    expect((await agent.ask(report(uidA, { sequenceNum: 99 }))).flags).toBe(1n)
  })

  it('is sent a remote configuration without asking for it [RC-06] [B-WS-09] [P-02]', async () => {
    await using test = await startTestServer()
    using agent = await TestSocket.connect(test.url)
    await agent.ask(firstReport(uidA, { capabilities: accepting }))
    expect(test.server.offer(uidA, { remoteConfig: config })).toBe('sent')
    const pushed = await agent.inbox.next()
    expect(pushed.remoteConfig?.configHash).toEqual(Uint8Array.of(1, 2, 3))
    expect(pushed.remoteConfig?.config?.configMap['collector.yaml']?.contentType).toBe('text/yaml')
  })

  it('may answer messages in fragments', async () => {
    await using test = await startTestServer()
    using agent = await TestSocket.connect(test.url)
    const bytes = frameOf(firstReport(uidA))
    const half = Math.floor(bytes.length / 2)
    agent.socket.send(bytes.subarray(0, half), { fin: false })
    agent.socket.send(bytes.subarray(half), { fin: true })
    expect((await agent.inbox.next()).errorResponse).toBeUndefined()
  })

  it('is not offered compression unless that is switched on', async () => {
    await using plain = await startTestServer()
    using agent = await TestSocket.connect(plain.url, { perMessageDeflate: true })
    expect(agent.socket.extensions).toBe('')
    await using compressing = await startTestServer({ perMessageDeflate: true })
    using other = await TestSocket.connect(compressing.url, { perMessageDeflate: true })
    expect(other.socket.extensions).toContain('permessage-deflate')
    expect((await other.ask(firstReport(uidA))).errorResponse).toBeUndefined()
    expect((await other.ask(report(uidA, { sequenceNum: 1 }))).errorResponse).toBeUndefined()
  })
})

describe('authentication of a WebSocket', () => {
  it('happens before the upgrade, by HTTP headers [AU-01] [AU-02] [AU-03]', async () => {
    await using test = await startTestServer()
    test.handler.onAuthenticate = ({ headers }) =>
      headers['authorization'] === 'Bearer good' ? { kind: 'accept', principal: 'token-1' } : { kind: 'reject', status: 401, message: 'no' }
    const refused = await refusedUpgrade(test.url)
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Bearer'])
    using agent = await TestSocket.connect(test.url, { headers: { authorization: 'Bearer good' } })
    await agent.ask(firstReport(uidA))
    expect(test.server.connection(uidA)?.principal).toBe('token-1')
  })

  it('that the handler fails at lets nobody in [TH-06] [TH-07]', async () => {
    await using test = await startTestServer()
    test.handler.onAuthenticate = () => Promise.reject(new Error('the database is away'))
    const refused = await refusedUpgrade(test.url)
    expect(refused.status).toBe(503)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(30)
  })

  it('is not even tried for web pages, nor for sources that failed too often', async () => {
    await using test = await startTestServer({ limits: { failedConnectsPerSecond: 3 }, clock: new FakeClock() })
    expect((await refusedUpgrade(test.url, { origin: 'https://drover.example' })).status).toBe(403)
    expect((await refusedUpgrade(test.url, { origin: 'null' })).status).toBe(403)
    expect(test.handler.requests).toHaveLength(0)
    test.handler.onAuthenticate = () => ({ kind: 'reject', status: 401, message: 'no' })
    const statuses = []
    for (let i = 0; i < 5; i++) statuses.push((await refusedUpgrade(test.url)).status)
    expect(statuses).toEqual([401, 401, 401, 429, 429])
    expect(test.handler.requests).toHaveLength(3)
  })
})

describe('a WebSocket that breaks the rules', () => {
  it('is closed with 1003 for a text message [B-WS-01]', async () => {
    await using test = await startTestServer()
    using agent = await TestSocket.connect(test.url)
    await agent.ask(firstReport(uidA))
    agent.socket.send('hello')
    expect((await agent.closed).code).toBe(1003)
    await settle()
    expect(test.handler.gone).toMatchObject([{ uid: uidA, reason: 'server' }])
  })

  it('is closed with 1009 for a message above the limit, compressed or not [S-WS-10] [S-WS-11] [S-WS-12] [B-WS-23]', async () => {
    for (const perMessageDeflate of [false, true]) {
      await using test = await startTestServer({ limits: { maxMessageBytes: 10_000 }, perMessageDeflate })
      using agent = await TestSocket.connect(test.url, { perMessageDeflate })
      await agent.ask(firstReport(uidA))
      agent.socket.send(new Uint8Array(10_001), { compress: true })
      expect((await agent.closed).code).toBe(1009)
      expect(test.handler.reports).toHaveLength(1)
    }
  })

  it('is closed for more fragments than a message may have', async () => {
    await using test = await startTestServer({ limits: { maxFragments: 4 } })
    using agent = await TestSocket.connect(test.url)
    for (let i = 0; i < 6; i++) agent.socket.send(Uint8Array.of(0), { fin: false })
    expect((await agent.closed).code).toBe(1008)
  })

  it('is cut when a message stays incomplete for 10 s, pings or not', async () => {
    const clock = new FakeClock()
    await using test = await startTestServer({ clock })
    using agent = await TestSocket.connect(test.url)
    await agent.ask(firstReport(uidA))
    agent.socket.send(Uint8Array.of(0), { fin: false })
    agent.socket.ping()
    await once(agent.socket, 'pong')
    clock.advance(9_000)
    await settle()
    expect(test.server.connections()).toBe(1)
    clock.advance(2_000)
    expect((await agent.closed).code).toBe(1006)
    expect(test.server.connections()).toBe(0)
  })

  it('has the full time for each message, although it is never between two', async () => {
    const clock = new FakeClock()
    await using test = await startTestServer({ clock })
    using agent = await TestSocket.connect(test.url)
    const part = (fin: boolean) => agent.socket.send(Uint8Array.of(0), { fin })
    const arrived = async () => {
      agent.socket.ping()
      await once(agent.socket, 'pong')
    }
    part(false)
    await arrived()
    for (let i = 0; i < 5; i++) {
      clock.advance(6_000)
      // One write, so that the end of a message and the beginning of the next arrive together.
      tcpOf(agent.socket).cork()
      part(true)
      part(false)
      tcpOf(agent.socket).uncork()
      await arrived()
    }
    clock.advance(11_000)
    expect((await agent.closed).code).toBe(1006)
  })

  it('is cut when all incomplete messages together would take too much memory', async () => {
    await using test = await startTestServer({ limits: { maxInFlightBytes: 150_000 } })
    using first = await TestSocket.connect(test.url)
    using second = await TestSocket.connect(test.url)
    first.socket.send(new Uint8Array(100_000), { fin: false })
    first.socket.ping()
    await once(first.socket, 'pong')
    second.socket.send(new Uint8Array(100_000), { fin: false })
    expect((await second.closed).code).toBe(1006)
    first.socket.terminate()
    await first.closed
    using third = await TestSocket.connect(test.url)
    third.socket.send(new Uint8Array(100_000), { fin: false })
    third.socket.ping()
    await once(third.socket, 'pong')
  })

  it('is closed with 1008 for a flood of pings or pongs', async () => {
    for (const flood of ['ping', 'pong'] as const) {
      await using test = await startTestServer()
      using agent = await TestSocket.connect(test.url)
      for (let i = 0; i < 100; i++) agent.socket[flood]()
      expect((await agent.closed).code).toBe(1008)
    }
  })

  it('is closed for frames that are no WebSocket frames, and others go on', async () => {
    await using test = await startTestServer({ limits: { closeMs: 600_000 } })
    using good = await TestSocket.connect(test.url)
    await good.ask(firstReport(uidA))
    const { socket, answer } = await rawConnection(test.port)
    socket.write(
      `GET /v1/opamp HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    )
    await once(socket, 'data')
    // Unmasked, reserved bits set, and more of it after the server gave up.
    socket.write(Buffer.from([0xff, 0x05, 1, 2, 3, 4, 5]))
    await once(socket, 'data')
    for (let i = 0; i < 20; i++) {
      socket.write(Buffer.alloc(1_000, 0xee))
      await settle()
    }
    socket.end()
    expect(await answer).toContain('101 Switching Protocols')
    expect((await good.ask(report(uidA, { sequenceNum: 1 }))).errorResponse).toBeUndefined()
  })

  it('does no harm with a frame cut anywhere', async () => {
    await using test = await startTestServer()
    const whole = frame(2, frameOf(firstReport(uidA)), true)
    for (let cut = 1; cut < whole.length; cut += 5) {
      const { socket } = await rawConnection(test.port)
      socket.write(
        `GET /v1/opamp HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      )
      await once(socket, 'data')
      socket.write(whole.subarray(0, cut))
      socket.destroy()
    }
    expect(test.handler.reports).toHaveLength(0)
    using agent = await TestSocket.connect(test.url)
    expect((await agent.ask(firstReport(uidA))).errorResponse).toBeUndefined()
  })
})

describe('a slow client', () => {
  it('that sends no request, or a header byte by byte, is cut after 10 s', async () => {
    const clock = new FakeClock()
    await using test = await startTestServer({ clock })
    const silent = await rawConnection(test.port)
    const trickling = await rawConnection(test.port)
    trickling.socket.write('GET /v1/opamp HTTP/1.1\r\nHost')
    await settle()
    clock.advance(9_000)
    trickling.socket.write(': x')
    await settle()
    clock.advance(2_000)
    expect([await silent.answer, await trickling.answer]).toEqual(['', ''])
  })

  it('that opens a WebSocket and says nothing on it is closed, though it answers pings', async () => {
    const clock = new FakeClock()
    await using test = await startTestServer({ clock, limits: { firstMessageMs: 50_000 } })
    using silent = await TestSocket.connect(test.url)
    using speaking = await TestSocket.connect(test.url)
    await speaking.ask(firstReport(uidA))
    const pinged = once(silent.socket, 'ping')
    clock.advance(31_000)
    await pinged
    await settle()
    clock.advance(20_000)
    expect(await silent.closed).toEqual({ code: 1008, reason: 'no message came' })
    expect(test.server.connections()).toBe(1)
  })

  it('that never reads is cut, and what others are sent is not held up', async () => {
    const clock = new FakeClock()
    await using test = await startTestServer({ clock })
    using stuck = await TestSocket.connect(test.url)
    await stuck.ask(firstReport(uidA, { capabilities: accepting }))
    stuck.socket.pause()
    const large = prepareRemoteConfig([{ name: '', contentType: '', body: new Uint8Array(1_000_000) }], Uint8Array.of(1))
    const results = Array.from({ length: 60 }, () => test.server.offer(uidA, { remoteConfig: large }))
    expect(results[0]).toBe('sent')
    expect(results.at(-1)).toBe('held')
    clock.advance(31_000)
    await settle()
    expect(test.handler.gone).toMatchObject([{ uid: uidA, reason: 'lost' }])
  })

  it('that reads again in time gets the latest of what was held', async () => {
    const clock = new FakeClock()
    await using test = await startTestServer({ clock })
    using slow = await TestSocket.connect(test.url)
    await slow.ask(firstReport(uidA, { capabilities: accepting }))
    slow.socket.pause()
    const offers = Array.from({ length: 60 }, (_, index) =>
      prepareRemoteConfig([{ name: '', contentType: '', body: new Uint8Array(1_000_000) }], Uint8Array.of(index)),
    )
    const sent = offers.filter((remoteConfig) => test.server.offer(uidA, { remoteConfig }) === 'sent').length
    expect(sent).toBeLessThan(60)
    slow.socket.resume()
    const hashes: number[] = []
    while (hashes.at(-1) !== 59) hashes.push((await slow.inbox.next()).remoteConfig?.configHash[0] ?? -1)
    expect(hashes).toHaveLength(sent + 1)
    clock.advance(60_000)
    await settle()
    expect(test.server.connections()).toBe(1)
  })
})

describe('bytes that are not a message', () => {
  it('are answered with an error on the socket, which stays open', async () => {
    await using test = await startTestServer()
    using agent = await TestSocket.connect(test.url)
    agent.socket.send(Uint8Array.of(0, 0xff))
    expect((await agent.inbox.next()).errorResponse?.errorMessage).toBeTruthy()
    agent.socket.send(encodeAgentToServer(firstReport(uidA)))
    expect((await agent.inbox.next()).errorResponse?.errorMessage).toContain('header')
    expect((await agent.ask(firstReport(uidA))).errorResponse).toBeUndefined()
  })
})
