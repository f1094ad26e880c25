/** Server-sent events over real sockets: nothing lost over a reconnect, nobody held up by a slow reader. */
import type { Event, EventKind } from '@drover/api'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestConsole } from '../test-console.ts'
import type { TestConsole } from '../test-console.ts'

let console: TestConsole
beforeEach(async () => {
  console = await startTestConsole()
})
afterEach(() => console[Symbol.asyncDispose]())

const append = (kind: EventKind = 'agent.changed', subject = 's', data: Record<string, unknown> = {}) =>
  console.test.store.transaction((tx) => console.events.append(tx, { kind, actor: 'system', subject, summary: 'x', data }))

interface Message {
  readonly id: number
  readonly event: Event | undefined
}

/** A reader that understands as much of the format as a browser does. */
async function* follow(query = '', headers: Record<string, string> = {}, signal?: AbortSignal): AsyncGenerator<Message> {
  const response = await console.fetch(`/api/v1/events/stream${query}`, {
    headers: { authorization: `Bearer ${console.token}`, ...headers },
    ...(signal ? { signal } : {}),
  })
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  let text = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => line.split(/: (.*)/s, 2) as [string, string]),
      )
      text = text.slice(end + 2)
      const data = fields.get('data')
      if (fields.has('id')) yield { id: Number(fields.get('id')), event: data === undefined ? undefined : (JSON.parse(data) as Event) }
    }
  }
}

async function take(stream: AsyncGenerator<Message>, count: number): Promise<number[]> {
  const ids: number[] = []
  while (ids.length < count) {
    const { value, done } = await stream.next()
    if (done) break
    if (value.event) ids.push(value.id)
  }
  return ids
}

describe('following events', () => {
  it('gives what comes, and after a lost connection goes on where it stopped', async () => {
    const last = console.events.lastId()
    await append()
    const stop = new AbortController()
    const first = follow(`?after=${last}`, {}, stop.signal)
    const seen = await take(first, 1)
    await append()
    seen.push(...(await take(first, 1)))
    stop.abort()
    await first.next().catch(() => {})
    await append()
    await append()
    const second = follow('?after=0', { 'last-event-id': String(seen.at(-1)) })
    await append()
    seen.push(...(await take(second, 3)))
    expect(seen).toEqual([1, 2, 3, 4, 5].map((n) => last + n))
    await second.return(undefined)
  })

  it('begins with what comes next when no cursor is given, and filters', async () => {
    await append('config.created')
    const stream = follow('?kind=attempt,agent.health&subject=agt_1')
    const next = stream.next()
    // Once the server has answered, it knows where this reader stands.
    await expect.poll(() => console.fetch('/metrics').then((answer) => answer.status)).toBe(200)
    await append('attempt.failed', 'agt_2')
    await append('attempt.failed', 'agt_1')
    await append('agent.health', 'agt_1')
    const ids: number[] = []
    let message = await next
    while (ids.length < 2 && !message.done) {
      if (message.value.event) ids.push(message.value.id)
      if (ids.length < 2) message = await stream.next()
    }
    const newest = console.events.lastId()
    expect(ids).toEqual([newest - 1, newest])
    await stream.return(undefined)
  })

  it('moves the cursor past events that the filter holds back', async () => {
    const last = console.events.lastId()
    await append('agent.changed')
    const { value } = await follow(`?after=${last}&kind=config`).next()
    expect(value).toEqual({ id: last + 1, event: undefined })
  })

  it('does not wait for a reader that takes nothing: others go on, memory stays bounded', async () => {
    const { port } = new URL(console.origin)
    const stuck = connect(Number(port), '127.0.0.1')
    stuck.pause()
    stuck.write(`GET /api/v1/events/stream?after=0 HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${console.token}\r\n\r\n`)
    const last = console.events.lastId()
    const reader = follow(`?after=${last}`)
    const text = 'x'.repeat(100_000)
    const taken = take(reader, 100)
    for (let n = 0; n < 100; n++) await append('agent.changed', 's', { text })
    expect((await taken).length).toBe(100)
    stuck.destroy()
    await reader.return(undefined)
  })

  it('is refused with a cursor that is none', async () => {
    const answer = await console.fetch('/api/v1/events/stream', { headers: { authorization: `Bearer ${console.token}`, 'last-event-id': 'x' } })
    expect(answer.status).toBe(400)
  })
})

describe('the list of events', () => {
  it('goes backwards from the newest and forwards from a cursor', async () => {
    for (let n = 0; n < 3; n++) await append()
    const newest = (await console.api.listEvents({ query: { limit: 2 } })).data
    const last = console.events.lastId()
    expect(newest.items.map((event) => event.id)).toEqual([last, last - 1])
    expect((await console.api.listEvents({ query: { before: Number(newest.nextCursor), limit: 1 } })).data.items.map((event) => event.id)).toEqual([last - 2])
    expect((await console.api.listEvents({ query: { after: last - 2, limit: 5 } })).data).toMatchObject({
      nextCursor: null,
      items: [{ id: last - 1 }, { id: last }],
    })
  })
})

it('opens no stream for a HEAD request', async () => {
  const answer = await console.fetch('/api/v1/events/stream', { method: 'HEAD', headers: { authorization: `Bearer ${console.token}` } })
  expect(answer.headers.get('content-type')).not.toContain('text/event-stream')
})

it('reads one batch per turn of the event loop, however many read the whole log', async () => {
  await console.test.store.transaction(async (tx) => {
    for (let n = 0; n < 8_000; n++) await console.events.append(tx, { kind: 'agent.changed', actor: 'system', subject: 's', summary: 'x'.repeat(100) })
  })
  const { operations } = console.test
  let [before, most, isOver] = [operations.read, 0, false]
  const look = (): void => {
    most = Math.max(most, operations.read - before)
    before = operations.read
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  const stop = new AbortController()
  const all = await Promise.all(Array.from({ length: 5 }, () => take(follow('?after=0', {}, stop.signal), 8_000)))
  isOver = true
  stop.abort()
  expect(all.map((ids) => ids.length)).toEqual([8_000, 8_000, 8_000, 8_000, 8_000])
  expect(most).toBeLessThanOrEqual(2)
})
