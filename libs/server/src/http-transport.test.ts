/** Plain HTTP as the wire sees it. */
import { once } from 'node:events'
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { gunzipSync, gzipSync } from 'node:zlib'
import { create } from '@bufbuild/protobuf'
import {
  type AgentToServer,
  AgentToServerSchema,
  decodeServerToAgent,
  encodeAgentToServer,
  instanceUidFromBytes,
  type ServerToAgent,
  ServerErrorResponseType,
} from '@drover/protocol'
import { FakeClock } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { prepareRemoteConfig } from './remote-config.ts'
import { firstReport, report, settle, startTestServer, uidA, uidB } from './test-agent.ts'

const config = (bytes: number) => prepareRemoteConfig([{ name: 'a', contentType: '', body: new Uint8Array(bytes) }], Uint8Array.of(1, 2, 3))
const accepting = ['ReportsStatus', 'AcceptsRemoteConfig'] as const

interface Response {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** One request on a connection of its own. `body` may be sent without a length, and its end held back. */
function send(
  port: number,
  options: { method?: string; path?: string; headers?: OutgoingHttpHeaders; body?: Uint8Array; unfinished?: boolean },
): Promise<Response> {
  const { method = 'POST', path = '/v1/opamp', headers = {}, body = new Uint8Array(), unfinished = false } = options
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { port, host: '127.0.0.1', method, path, headers: { 'content-type': 'application/x-protobuf', ...headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })
          outgoing.destroy()
        })
      },
    )
    outgoing.on('error', reject)
    if (unfinished) outgoing.write(body)
    else outgoing.end(body)
  })
}

async function poll(port: number, message: AgentToServer, headers: OutgoingHttpHeaders = {}): Promise<ServerToAgent> {
  const response = await send(port, { body: encodeAgentToServer(message), headers })
  expect([response.status, response.headers['content-type']]).toEqual([200, 'application/x-protobuf'])
  return decodeServerToAgent(response.body)
}

/** A report of about this size. */
function largeReport(bytes: number, sequenceNum = 0): AgentToServer {
  const { effectiveConfig } = create(AgentToServerSchema, { effectiveConfig: { configMap: { configMap: { a: { body: new Uint8Array(bytes) } } } } })
  return { ...firstReport(uidA, { sequenceNum }), effectiveConfig: effectiveConfig! } // !: just made
}

describe('an agent on plain HTTP', () => {
  it('is answered with a message of its own uid and the capabilities each time [S-HTTP-02] [S-HTTP-12] [GEN-01] [CAP-07]', async () => {
    await using test = await startTestServer()
    for (let sequenceNum = 0; sequenceNum < 3; sequenceNum++) {
      const answer = await poll(test.port, sequenceNum === 0 ? firstReport(uidA) : report(uidA, { sequenceNum }))
      expect([instanceUidFromBytes(answer.instanceUid), answer.capabilities, answer.flags]).toEqual([uidA, 0x27n, 0n])
    }
    expect(test.handler.reports).toHaveLength(1)
    expect(test.server.connection(uidA)?.transport).toBe('http')
  })

  it('gets what waits for it with the answer to its next poll [S-HTTP-10]', async () => {
    await using test = await startTestServer()
    await poll(test.port, firstReport(uidA, { capabilities: accepting }))
    expect(test.server.offer(uidA, { remoteConfig: config(10) })).toBe('held')
    expect((await poll(test.port, report(uidA, { sequenceNum: 1, capabilities: accepting }))).remoteConfig?.configHash).toHaveLength(3)
    expect((await poll(test.port, report(uidA, { sequenceNum: 2, capabilities: accepting }))).remoteConfig).toBeUndefined()
  })

  it('gets a command in a poll of its own, after everything else [S2A-07]', async () => {
    await using test = await startTestServer()
    const capabilities = [...accepting, 'AcceptsRestartCommand'] as const
    await poll(test.port, firstReport(uidA, { capabilities }))
    test.server.offer(uidA, { remoteConfig: config(10), restart: true })
    const [first, second] = [
      await poll(test.port, report(uidA, { sequenceNum: 1, capabilities })),
      await poll(test.port, report(uidA, { sequenceNum: 2, capabilities })),
    ]
    expect([first.command === undefined, first.remoteConfig === undefined]).toEqual([true, false])
    expect([second.command === undefined, second.remoteConfig === undefined]).toEqual([false, true])
  })

  it('may compress its requests, and gets compressed answers when it accepts them [S-HTTP-16] [S-HTTP-17] [S-HTTP-20]', async () => {
    await using test = await startTestServer()
    const body = gzipSync(encodeAgentToServer(firstReport(uidA, { capabilities: accepting })))
    expect((await send(test.port, { body, headers: { 'content-encoding': 'gzip' } })).status).toBe(200)
    for (const acceptEncoding of ['gzip', 'identity']) {
      test.server.offer(uidA, { remoteConfig: config(50_000) })
      const response = await send(test.port, {
        body: encodeAgentToServer(report(uidA, { sequenceNum: 1, capabilities: accepting })),
        headers: { 'accept-encoding': acceptEncoding },
      })
      expect(response.headers['content-encoding']).toBe(acceptEncoding === 'gzip' ? 'gzip' : undefined)
      const plain = acceptEncoding === 'gzip' ? gunzipSync(response.body) : response.body
      expect(decodeServerToAgent(plain).remoteConfig?.configHash).toHaveLength(3)
    }
  })

  it('may offer an upgrade to HTTP/2, which is ignored [S-HTTP-12]', async () => {
    await using test = await startTestServer()
    await poll(test.port, firstReport(uidA), { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAoAAAAAIAAAAA' })
  })

  it('may write the media type with parameters and in capitals', async () => {
    await using test = await startTestServer()
    await poll(test.port, firstReport(uidA), { 'content-type': 'Application/X-Protobuf; charset=utf-8' })
  })

  it('gets no answer above the limit: what does not fit is dropped and counted [S-HTTP-28] [S-HTTP-29] [S-HTTP-30] [B-HTTP-35]', async () => {
    const dropped: string[] = []
    await using test = await startTestServer({ limits: { maxOutgoingBytes: 10_000 }, observe: { droppedForSize: ({ slot }) => dropped.push(slot) } })
    await poll(test.port, firstReport(uidA, { capabilities: accepting }))
    test.server.offer(uidA, { remoteConfig: config(20_000) })
    const response = await send(test.port, { body: encodeAgentToServer(report(uidA, { sequenceNum: 1, capabilities: accepting })) })
    expect([response.status, dropped]).toEqual([200, ['remoteConfig']])
    expect(response.body.length).toBeLessThan(10_000)
    expect(test.lines.filter((line) => line.fields['cause'] === 'too-large')).toHaveLength(1)
  })

  it('is gone when it misses its polls, however its TCP connections come and go [CN-09] [CN-10]', async () => {
    const clock = new FakeClock()
    await using test = await startTestServer({ clock })
    await poll(test.port, firstReport(uidA))
    clock.advance(60_000)
    await poll(test.port, report(uidA, { sequenceNum: 1 }))
    clock.advance(60_000)
    expect(test.server.connections()).toBe(1)
    clock.advance(16_500)
    expect(test.handler.gone).toMatchObject([{ uid: uidA, reason: 'missed-polls' }])
    await poll(test.port, report(uidA, { sequenceNum: 2 }))
    expect(test.handler.reports.at(-1)).toMatchObject({ first: true, complete: true })
  })

  it('that polls rarely is given more time once that is known', async () => {
    const clock = new FakeClock()
    await using test = await startTestServer({ clock })
    for (let sequenceNum = 0; sequenceNum < 3; sequenceNum++) {
      await poll(test.port, sequenceNum === 0 ? firstReport(uidA) : report(uidA, { sequenceNum }))
      clock.advance(300_000)
    }
    const times = test.handler.gone.length
    await poll(test.port, report(uidA, { sequenceNum: 3 }))
    clock.advance(300_000)
    expect([test.handler.gone.length - times, test.server.connections()]).toEqual([0, 1])
  })

  it('says goodbye in a message that is answered [CN-16]', async () => {
    await using test = await startTestServer()
    await poll(test.port, firstReport(uidA))
    const { agentDisconnect } = create(AgentToServerSchema, { agentDisconnect: {} })
    const answer = await poll(test.port, { ...report(uidA, { sequenceNum: 1 }), agentDisconnect: agentDisconnect! }) // !: just made
    expect(instanceUidFromBytes(answer.instanceUid)).toBe(uidA)
    expect(test.handler.gone).toMatchObject([{ uid: uidA, reason: 'agent-disconnect' }])
  })

  it('gets its error with 503 and Retry-After when the handler fails, and with 429 when it polls too fast [TH-06] [TH-07] [TH-11]', async () => {
    await using test = await startTestServer({ limits: { messagesBurst: 2 }, clock: new FakeClock() })
    test.handler.answer = () => {
      throw new Error('the database is away')
    }
    const body = encodeAgentToServer(firstReport(uidA))
    const failed = await send(test.port, { body })
    expect(failed.status).toBe(503)
    expect(Number(failed.headers['retry-after'])).toBeGreaterThanOrEqual(30)
    expect(decodeServerToAgent(failed.body).errorResponse?.type).toBe(ServerErrorResponseType.ServerErrorResponseType_Unavailable)
    expect([(await send(test.port, { body })).status, (await send(test.port, { body })).status]).toEqual([503, 429])
  })

  it('gets a malformed message back as 400 with an error in it, and a wrong uid as 200 [ERR-04] [ERR-05]', async () => {
    await using test = await startTestServer()
    const broken = await send(test.port, { body: Uint8Array.of(0xff) })
    expect([broken.status, decodeServerToAgent(broken.body).errorResponse?.type]).toEqual([400, ServerErrorResponseType.ServerErrorResponseType_BadRequest])
    const wrong = await poll(test.port, { ...firstReport(uidA), instanceUid: new Uint8Array(26) })
    expect(wrong.errorResponse?.type).toBe(ServerErrorResponseType.ServerErrorResponseType_BadRequest)
  })

  it('has one request handled while one waits, and a third refused', async () => {
    await using test = await startTestServer()
    const release: (() => void)[] = []
    test.handler.answer = () => new Promise((resolve) => release.push(() => resolve(undefined)))
    const ask = (sequenceNum: number) => send(test.port, { body: encodeAgentToServer(firstReport(uidA, { sequenceNum })) })
    const first = ask(0)
    while (release.length === 0) await settle()
    const others = [ask(1), ask(2)]
    expect((await Promise.race(others)).status).toBe(409)
    expect(test.handler.reports).toHaveLength(1)
    release[0]?.()
    while (release.length < 2) await settle()
    release[1]?.()
    expect((await Promise.all([first, ...others])).map((response) => response.status).toSorted((a, b) => a - b)).toEqual([200, 200, 409])
  })
})

describe('a second agent with the uid of another, both on plain HTTP', () => {
  it('is found out by the sequence numbers and told a new uid [UID-13] [UID-14]', async () => {
    await using test = await startTestServer()
    await poll(test.port, firstReport(uidA, { sequenceNum: 8 }))
    for (const sequenceNum of [9, 10]) await poll(test.port, report(uidA, { sequenceNum }))
    await poll(test.port, firstReport(uidA, { sequenceNum: 3 }))
    await poll(test.port, report(uidA, { sequenceNum: 11 }))
    const told = await poll(test.port, report(uidA, { sequenceNum: 4 }))
    expect(told.agentIdentification?.newInstanceUid).toHaveLength(16)
    expect(test.handler.duplicates).toMatchObject([{ uid: uidA }])
    await poll(test.port, firstReport(uidA, { sequenceNum: 12 }))
    expect(test.handler.reports.at(-1)).toMatchObject({ uid: uidA, complete: true })
  })
})

describe('a request that is none of ours', () => {
  it('is refused by what is wrong with it [S-HTTP-12] [S-HTTP-13]', async () => {
    await using test = await startTestServer()
    const statusOf = async (options: Parameters<typeof send>[1]) => (await send(test.port, options)).status
    expect(await statusOf({ path: '/other' })).toBe(404)
    expect(await statusOf({ method: 'PUT' })).toBe(405)
    expect(await statusOf({ method: 'DELETE' })).toBe(405)
    // A GET of another kind is a WebSocket handshake that lacks its headers.
    expect(await statusOf({ method: 'GET', headers: { 'content-type': 'text/plain' } })).toBe(426)
    expect(await statusOf({ headers: { 'content-type': 'application/json' } })).toBe(415)
    expect(await statusOf({ headers: { 'content-encoding': 'br' }, body: Uint8Array.of(1) })).toBe(415)
    expect(await statusOf({ headers: { 'content-encoding': 'gzip, gzip' }, body: Uint8Array.of(1) })).toBe(415)
    expect(await statusOf({ headers: { origin: 'https://evil.example' } })).toBe(403)
    expect(test.handler.reports).toHaveLength(0)
  })

  it('is left to others where other listeners serve the same port', async () => {
    await using test = await startTestServer()
    test.http.on('request', (request, response) => {
      if (request.url === '/other') response.end('mine')
    })
    expect((await send(test.port, { path: '/other' })).body.toString()).toBe('mine')
    await poll(test.port, firstReport(uidA))
  })

  it('is refused with 401 before its body is read [AU-02] [AU-03]', async () => {
    await using test = await startTestServer()
    test.handler.onAuthenticate = () => ({ kind: 'reject', status: 401, message: 'no' })
    const response = await send(test.port, { body: new Uint8Array(100_000), headers: { 'content-length': 1_000_000 }, unfinished: true })
    expect([response.status, response.headers['www-authenticate'], response.headers.connection]).toEqual([401, 'Bearer', 'close'])
  })

  it('is refused with 431 for too many or too large headers', async () => {
    await using test = await startTestServer()
    const many = Object.fromEntries(Array.from({ length: 110 }, (_, index) => [`x-${index}`, 'y']))
    expect((await send(test.port, { headers: many })).status).toBe(431)
    expect((await send(test.port, { headers: { 'x-large': 'y'.repeat(20_000) } })).status).toBe(431)
  })

  it('is refused with 400 when it is ambiguous where it ends', async () => {
    await using test = await startTestServer()
    const socket = connect(test.port, '127.0.0.1')
    socket.write(
      'POST /v1/opamp HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\nContent-Type: application/x-protobuf\r\n\r\n0\r\n\r\n',
    )
    const [chunk] = (await once(socket, 'data')) as [Buffer] // as: no encoding is set
    expect(chunk.toString()).toContain('400 Bad Request')
    socket.destroy()
  })
})

describe('a body that is too large', () => {
  it('is refused with 413 by its announced length, and by its real one [S-HTTP-21] [S-HTTP-22] [B-HTTP-35]', async () => {
    await using test = await startTestServer({ limits: { maxMessageBytes: 100_000 } })
    const announced = await send(test.port, { body: new Uint8Array(1_000), headers: { 'content-length': 100_001 }, unfinished: true })
    expect([announced.status, announced.headers.connection]).toEqual([413, 'close'])
    const endless = await send(test.port, { body: new Uint8Array(200_000), headers: { 'transfer-encoding': 'chunked' }, unfinished: true })
    expect([endless.status, endless.headers.connection]).toEqual([413, 'close'])
    expect((await send(test.port, { body: encodeAgentToServer(largeReport(90_000)) })).status).toBe(200)
  })

  it('is refused with 413 by what it unpacks to [S-HTTP-21]', async () => {
    await using test = await startTestServer({ limits: { maxMessageBytes: 100_000 } })
    const bomb = gzipSync(new Uint8Array(64 * 1024 * 1024))
    expect((await send(test.port, { body: bomb, headers: { 'content-encoding': 'gzip' } })).status).toBe(413)
    expect((await send(test.port, { body: Uint8Array.of(1, 2, 3), headers: { 'content-encoding': 'gzip' } })).status).toBe(400)
  })

  it('is refused with 503 when all bodies together would take too much memory, and the account is settled afterwards', async () => {
    await using test = await startTestServer({ limits: { maxInFlightBytes: 200_000 } })
    const response = await send(test.port, { body: encodeAgentToServer(largeReport(900_000)) })
    expect([response.status, response.headers['retry-after'] === undefined]).toEqual([503, false])
    for (let sequenceNum = 0; sequenceNum < 5; sequenceNum++)
      expect((await send(test.port, { body: encodeAgentToServer(largeReport(150_000, sequenceNum)) })).status).toBe(200)
  })

  it('that does not arrive in 10 s is refused with 408', async () => {
    const clock = new FakeClock()
    await using test = await startTestServer({ clock })
    const response = send(test.port, { body: new Uint8Array(10), headers: { 'content-length': 1_000 }, unfinished: true })
    while (test.handler.requests.length === 0) await settle()
    await settle()
    clock.advance(11_000)
    expect((await response).status).toBe(408)
  })
})

describe('two agents on plain HTTP', () => {
  it('do not hear of each other', async () => {
    await using test = await startTestServer()
    await poll(test.port, firstReport(uidA, { capabilities: accepting }))
    await poll(test.port, firstReport(uidB, { capabilities: accepting }))
    test.server.offer(uidA, { remoteConfig: config(10) })
    expect((await poll(test.port, report(uidB, { sequenceNum: 1, capabilities: accepting }))).remoteConfig).toBeUndefined()
    expect((await poll(test.port, report(uidA, { sequenceNum: 1, capabilities: accepting }))).remoteConfig).toBeDefined()
  })
})
