/** Following events over a server that drops connections, refuses and comes back. */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { ApiError } from '@drover/api'
import type { Event } from '@drover/api'
import { followEvents } from './event-stream.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

const event = (id: number): Event => ({
  id,
  at: '2026-01-01T00:00:00.000Z',
  kind: 'agent.connected',
  actor: 'agent',
  subject: 'agt_1',
  summary: `event ${id}`,
  data: {},
})
const message = (id: number) => `id: ${id}\nevent: message\ndata: ${JSON.stringify(event(id))}\n\n`

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A server that answers each request with the next of the answers. */
async function serve(...answers: readonly Answer[]) {
  const urls: string[] = []
  const left = [...answers]
  server = createServer((request, response) => {
    urls.push(request.url ?? '')
    left.shift()?.(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // as: it listens on TCP
  return { urls, connection: { url: `http://127.0.0.1:${port}`, headers: () => ({ authorization: 'Bearer t' }) } }
}

const stream = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' })

async function collect(connection: { url: string; headers: () => Record<string, string> }, count: number, after?: number) {
  const abort = new AbortController()
  const seen: number[] = []
  const notes: string[] = []
  const waits: number[] = []
  const options = { connection, after, signal: abort.signal, onLost: () => void notes.push('lost'), onBack: () => void notes.push('back') }
  const wait = (ms: number) => Promise.resolve(void waits.push(ms))
  for await (const { id } of followEvents({ ...options, kind: 'agent', wait })) {
    seen.push(id)
    if (seen.length === count) abort.abort()
  }
  return { seen, notes, waits }
}

describe('followEvents', () => {
  it('reads messages however they are cut, and drops comments', async () => {
    const text = `: hello\n\n${message(1)}: still here\n\n${message(2)}`
    const { connection, urls } = await serve((_, response) => {
      stream(response)
      for (const part of text.match(/[\s\S]{1,7}/g) ?? []) response.write(part)
    })
    expect((await collect(connection, 2, 0)).seen).toEqual([1, 2])
    expect(urls).toEqual(['/api/v1/events/stream?kind=agent&after=0'])
  })

  it('goes on after the last event when the connection breaks, without a gap or a repetition', async () => {
    const { connection, urls } = await serve(
      (_, response) => {
        stream(response).write(message(7))
        response.write('data: {"half', () => response.destroy())
      },
      (_, response) => void response.writeHead(503).end(),
      (_, response) => void stream(response).write(message(8)),
    )
    expect(await collect(connection, 2)).toEqual({ seen: [7, 8], notes: ['lost', 'back'], waits: [500, 1000] })
    expect(urls).toEqual(['/api/v1/events/stream?kind=agent', '/api/v1/events/stream?kind=agent&after=7', '/api/v1/events/stream?kind=agent&after=7'])
  })

  it('gives up when trying again cannot help', async () => {
    const problem = { type: 'about:blank', title: 'Unauthorized', status: 401, code: 'unauthorized', detail: 'this token was revoked' }
    const { connection } = await serve(
      (_, response) => void response.writeHead(401, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem)),
    )
    await expect(collect(connection, 1)).rejects.toThrow(ApiError)
  })
})
