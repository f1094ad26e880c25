/** The intake over real sockets. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { countSpans, readLogs, readMetrics } from '../otlp/read-request.ts'
import { bombOf, collectorPoints, logsRequest, metricsJson, metricsRequest, tracesRequest } from '../test-otlp.ts'
import { createTelemetryIntake } from './intake.ts'
import type { IntakeLimits, TelemetryIntake } from './intake.ts'

const TOKEN = 'drover_tel_agt_a_0123'
const T = 1_700_000_000_000
const clock = { time: T, now: () => clock.time }
const taken: { signal: string; agentId: string; items: number }[] = []
const refused: string[] = []
const logged: Record<string, unknown>[] = []
let server: Server
let intake: TelemetryIntake
let origin = ''

const items = {
  metrics: (body: Uint8Array, encoding: 'protobuf' | 'json') => readMetrics(body, encoding).length,
  logs: (body: Uint8Array, encoding: 'protobuf' | 'json') => readLogs(body, encoding).length,
  traces: countSpans,
}
let rejected = 0

async function start(limits: Partial<IntakeLimits> = {}): Promise<void> {
  intake = createTelemetryIntake({
    sink: {
      take: (signal, agentId, body, encoding) => {
        taken.push({ signal, agentId, items: items[signal](body, encoding) })
        return rejected === 0 ? undefined : { rejected, message: 'no numbers' }
      },
    },
    agentOf: (token) => (token === TOKEN ? 'agt_a' : token === `${TOKEN}b` ? 'agt_b' : undefined),
    observer: { received: () => {}, refused: (cause) => refused.push(cause) },
    clock,
    log: { warn: ((fields: Record<string, unknown>) => void logged.push(fields)) as never },
    limits,
  })
  server = createServer((request, response) => {
    if (!intake.handle(request, response)) response.writeHead(404).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function stop(): Promise<void> {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}

beforeEach(async () => {
  clock.time = T
  rejected = 0
  for (const list of [taken, refused, logged]) list.length = 0
  await start()
})
afterEach(stop)

const protobuf = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/x-protobuf' }
const json = { ...protobuf, 'content-type': 'application/json' }
const points = collectorPoints({ startMs: T - 60_000, timeMs: T })
const post = (path: string, body: string | Uint8Array, headers: Record<string, string> = protobuf) =>
  fetch(origin + path, { method: 'POST', headers, body: body as string }) // as: fetch takes bytes as well
const messageOf = async (response: Response) => ((await response.json()) as { message: string }).message

describe('a request', () => {
  it.each([
    ['metrics', metricsRequest(points), 9],
    ['logs', logsRequest([{ body: 'a' }, { body: 'b' }]), 2],
    ['traces', tracesRequest(3), 3],
  ])('with %s is taken, plain and compressed, and answered in its encoding', async (signal, body, count) => {
    for (const answer of [await post(`/v1/${signal}`, body), await post(`/v1/${signal}`, gzipSync(body), { ...protobuf, 'content-encoding': 'gzip' })]) {
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-type')).toBe('application/x-protobuf')
      expect((await answer.arrayBuffer()).byteLength).toBe(0)
    }
    expect(taken).toEqual([1, 2].map(() => ({ signal, agentId: 'agt_a', items: count })))
  })

  it('in JSON is answered in JSON', async () => {
    const answer = await post('/v1/metrics', metricsJson(points), { ...json, 'content-type': 'application/json; charset=utf-8' })
    expect([answer.status, await answer.json()]).toEqual([200, {}])
    expect(taken).toEqual([{ signal: 'metrics', agentId: 'agt_a', items: 9 }])
  })

  it('of which something was left out says so', async () => {
    rejected = 300
    const answer = await post('/v1/metrics', metricsJson(points), json)
    expect([answer.status, await answer.json()]).toEqual([200, { partialSuccess: { rejectedDataPoints: '300', errorMessage: 'no numbers' } }])
    const binary = Buffer.from(await (await post('/v1/metrics', metricsRequest(points))).arrayBuffer())
    expect(binary).toEqual(Buffer.concat([Buffer.from([0x0a, 15, 0x08, 0xac, 0x02, 0x12, 10]), Buffer.from('no numbers')]))
  })

  it('writes for the agent whose token it has, whatever it says of itself', async () => {
    await post('/v1/metrics', metricsRequest(points, { 'service.instance.id': 'agt_b', 'drover.agent': 'agt_b' }))
    expect(taken).toMatchObject([{ agentId: 'agt_a' }])
  })

  it('to another path is left to others', async () => {
    expect((await post('/v1/metrics2', 'x')).status).toBe(404)
    expect((await post('/v1/metrics?x=1', metricsRequest(points))).status).toBe(200)
  })
})

describe('refused is', () => {
  it.each([
    ['no token', { 'content-type': 'application/json' }],
    ['a wrong token', { ...json, authorization: 'Bearer drover_tel_agt_a_0124' }],
    ['another scheme', { ...json, authorization: `Basic ${TOKEN}` }],
    ['a token of another length', { ...json, authorization: `Bearer ${'x'.repeat(5_000)}` }],
  ])('%s, without reading the body', async (_, headers) => {
    const answer = await post('/v1/metrics', metricsJson(points), headers as Record<string, string>)
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    expect(await answer.json()).toMatchObject({ code: 16, message: expect.stringContaining('token') })
    expect([taken, refused]).toEqual([[], ['unauthorized']])
  })

  it.each([
    ['of somebody unknown', 'nobody', 401, 0],
    ['that is one too many', TOKEN, 429, 2],
  ])('%s ends the connection, with the requests that came along', async (_, token, status, taken) => {
    await stop()
    await start({ requestsBurst: 2 })
    const { port } = server.address() as AddressInfo // as: it listens on TCP
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    const request = `POST /v1/metrics HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n`
    let answers = ''
    socket.on('data', (chunk: Buffer) => (answers += chunk.toString('latin1')))
    socket.write(request.repeat(10_000))
    await once(socket, 'close')
    expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual([...Array.from({ length: taken }, () => 'HTTP/1.1 200'), `HTTP/1.1 ${status}`])
    expect(refused.length).toBeLessThan(5_000)
  })

  it('who guesses, with one line in the log', async () => {
    for (let guess = 0; guess < 50; guess++) await (await post('/v1/metrics', '', { ...json, authorization: `Bearer drover_tel_agt_a_${guess}` })).arrayBuffer()
    expect(refused).toHaveLength(50)
    expect(logged).toEqual([{ cause: 'unauthorized', remoteAddress: '127.0.0.1', requests: 1 }])
    clock.time += 10_000
    await post('/v1/metrics', '', { ...json, authorization: 'Bearer x' })
    expect(logged[1]).toEqual({ cause: 'unauthorized', remoteAddress: '127.0.0.1', requests: 50 })
  })

  it('another content type, encoding or method', async () => {
    expect((await post('/v1/logs', 'x', { ...protobuf, 'content-type': 'text/plain' })).status).toBe(415)
    expect((await post('/v1/logs', 'x', { authorization: protobuf.authorization })).status).toBe(415)
    expect((await post('/v1/logs', 'x', { ...protobuf, 'content-encoding': 'br' })).status).toBe(415)
    expect((await post('/v1/logs', 'x', { ...protobuf, 'content-encoding': 'gzip, gzip' })).status).toBe(415)
    const get = await fetch(`${origin}/v1/logs`, { headers: protobuf })
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
  })

  it('what is not OTLP, not gzip, or cut', async () => {
    const body = metricsRequest(points)
    const answer = await post('/v1/metrics', '{"resourceMetrics":1}', json)
    expect([answer.status, await messageOf(answer)]).toEqual([400, expect.stringContaining('not a message of OTLP')])
    expect((await post('/v1/metrics', body.subarray(0, -1))).status).toBe(400)
    expect((await post('/v1/metrics', body, { ...protobuf, 'content-encoding': 'gzip' })).status).toBe(400)
    const zipped = gzipSync(body)
    for (const length of [0, 1, 9, 10, 20, zipped.length - 9, zipped.length - 1])
      expect((await post('/v1/metrics', zipped.subarray(0, length), { ...protobuf, 'content-encoding': 'gzip' })).status, `${length} bytes`).toBe(400)
    expect(taken).toEqual([])
  })

  it('what is too large, before and after decompression', async () => {
    expect((await post('/v1/metrics', Buffer.alloc(4 * 2 ** 20 + 1))).status).toBe(413)
    const bomb = await post('/v1/metrics', bombOf(64 * 2 ** 20), { ...json, 'content-encoding': 'gzip' })
    expect([bomb.status, await messageOf(bomb)]).toEqual([413, expect.stringContaining('more than 8388608 bytes')])
    expect((await post('/v1/metrics', Buffer.concat([gzipSync(Buffer.alloc(1)), bombOf(64 * 2 ** 20)]), { ...json, 'content-encoding': 'gzip' })).status).toBe(
      413,
    )
    expect(intake.inFlightBytes).toBe(0)
  })

  it('a body without a length as soon as it is too long', async () => {
    const body = new ReadableStream({
      start(controller) {
        for (let at = 0; at < 5; at++) controller.enqueue(new Uint8Array(2 ** 20))
        controller.close()
      },
    })
    const init: RequestInit & { duplex: 'half' } = { method: 'POST', headers: protobuf, body, duplex: 'half' }
    const response = await fetch(`${origin}/v1/metrics`, init)
    expect(response.status).toBe(413)
    expect(intake.inFlightBytes).toBe(0)
  })

  it('an agent that sends too often, and nobody else', async () => {
    const statuses: number[] = []
    for (let at = 0; at < 35; at++) statuses.push((await post('/v1/metrics', metricsRequest(points))).status)
    expect(statuses).toEqual([...Array(30).fill(200), ...Array(5).fill(429)])
    const last = await post('/v1/metrics', metricsJson(points), json)
    expect([last.status, last.headers.get('retry-after'), await last.json()]).toEqual([429, '10', { code: 8, message: expect.any(String) }])
    expect((await post('/v1/metrics', metricsRequest(points), { ...protobuf, authorization: `Bearer ${TOKEN}b` })).status).toBe(200)
    clock.time += 1_000
    expect((await post('/v1/metrics', metricsRequest(points))).status).toBe(200)
  })

  it('an agent that sends too much, until it has recovered', async () => {
    const body = logsRequest([{ body: 'x'.repeat(7 * 2 ** 20) }])
    const zipped = gzipSync(body)
    const send = async () => (await post('/v1/logs', zipped, { ...protobuf, 'content-encoding': 'gzip' })).status
    expect([await send(), await send(), await send(), await send()]).toEqual([200, 200, 200, 429])
    clock.time += 60_000
    expect(await send()).toBe(200)
  })

  it('more than fits into memory at a time', async () => {
    await stop()
    await start({ maxInFlightBytes: 100 })
    const answer = await post('/v1/metrics', metricsRequest(points))
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '10'])
    expect(intake.inFlightBytes).toBe(0)
  })

  it('everybody while the server stops', async () => {
    intake.stop()
    expect((await post('/v1/metrics', metricsRequest(points))).status).toBe(503)
  })
})

describe('a connection', () => {
  const open = async (): Promise<Socket> => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }
  const head = (length: number) =>
    `POST /v1/metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`

  it('that trickles its body is answered 408 and cut', async () => {
    await stop()
    await start({ bodyTimeoutMs: 50 })
    const socket = await open()
    socket.write(`${head(100)}{`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toContain('HTTP/1.1 408')
    await once(socket, 'close')
    expect(intake.inFlightBytes).toBe(0)
  })

  it('that closes in the middle of a body leaves nothing behind', async () => {
    const socket = await open()
    const requested = once(server, 'request')
    socket.write(`${head(100)}{`)
    const [request] = (await requested) as [IncomingMessage]
    const gone = new Promise((resolve) => request.once('close', resolve))
    socket.destroy()
    await gone
    await new Promise((resolve) => setImmediate(resolve))
    expect([intake.inFlightBytes, taken]).toEqual([0, []])
  })

  it('goes on after a refusal whose body was small', async () => {
    const socket = await open()
    socket.write(`${head(2).replace('application/json', 'text/plain')}{}`)
    expect(((await once(socket, 'data')) as [Buffer])[0].toString()).toContain('HTTP/1.1 415')
    socket.write(`${head(2)}{}`)
    expect(((await once(socket, 'data')) as [Buffer])[0].toString()).toContain('HTTP/1.1 200')
    socket.destroy()
  })
})
